"""Directives in a message, and what the model then does."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from doubles.llm import ScriptedLLM
from tests.support.doubles.asking import CHANNEL, MESSAGE, after_tool, ask, prompt, quote


async def test_directives_in_the_chain_do_nothing(llm: ScriptedLLM) -> None:
    """A directive counts once: when it is said, not when it is quoted."""
    answer = await ask(llm, prompt("hello", quote("[[err:500]]", "Bob", "11")))
    assert answer.status == 200
    assert [arguments["message"][:5] for _, arguments in answer.calls] == ["Hello"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("[[say:only text]]", "only text"), ("[[empty]]", ""), ("[[long:4321]]", None)],
)
async def test_text_directives_call_no_tool(llm: ScriptedLLM, text: str, said: str | None) -> None:
    """Text, no text and very long text come without a call."""
    answer = await ask(llm, prompt(text))
    assert answer.calls == []
    assert answer.text == said if said is not None else len(answer.text) == 4321


HERE = {"channelId": CHANNEL, "replyToMessageId": MESSAGE}


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("[[send:hi]]", [("discord_send", {**HERE, "message": "hi"})]),
        (
            "[[send2:a|b]]",
            [
                ("discord_send", {**HERE, "message": "a"}),
                ("discord_send", {"channelId": CHANNEL, "message": "b"}),
            ],
        ),
        ("[[sendto:42|psst]]", [("discord_send", {"channelId": "42", "message": "psst"})]),
        (
            "[[react:👍]]",
            [
                (
                    "discord_add_reaction",
                    {"channelId": CHANNEL, "messageId": MESSAGE, "emoji": "👍"},
                )
            ],
        ),
        ('[[tool:Bash {"command": "a[[b]]"}]]', [("Bash", {"command": "a[[b]]"})]),
        ('[[tools:[["A",{}],["B",{"x":[[1]]}]]]]', [("A", {}), ("B", {"x": [[1]]})]),
    ],
)
async def test_tool_directives_make_these_calls(
    llm: ScriptedLLM, text: str, calls: list[tuple[str, dict[str, str]]]
) -> None:
    """Each call arrives whole, in order and with the real ids."""
    answer = await ask(llm, prompt(text))
    assert answer.calls == calls
    assert answer.text == ""


async def test_thoughts_precede_the_usual_answer(llm: ScriptedLLM) -> None:
    """Reasoning is a stream of its own."""
    answer = await ask(llm, "hello [[think:hm, a guest]]", tools=False)
    assert (answer.thought, answer.text[:5]) == ("hm, a guest", "Hello")


async def test_steps_follow_each_other_in_one_turn(llm: ScriptedLLM) -> None:
    """What stands behind [[then]] is played after the tool's result."""
    text = prompt("[[send:hi]][[after:and text]][[then]][[err:500]]")
    second = await ask(llm, text, *after_tool("sent 1"))
    third = await ask(llm, text, *after_tool("sent 1"), {"role": "assistant", "content": "x"})
    assert (second.text, third.status) == ("and text", 500)


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
async def test_an_error_comes_every_time(llm: ScriptedLLM, status: int) -> None:
    """Without a limit the error never goes away."""
    answers = [await ask(llm, f"[[err:{status}]]") for _ in range(3)]
    assert [answer.status for answer in answers] == [status] * 3


async def test_a_limited_error_goes_away(llm: ScriptedLLM) -> None:
    """After K failed calls the same message gets the usual answer."""
    answers = [await ask(llm, "hello [[err:429*2]]", tools=False) for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[2].text.startswith("Hello")


async def test_a_drop_cuts_the_stream(llm: ScriptedLLM) -> None:
    """The client sees a broken body, not an ending."""
    with pytest.raises(aiohttp.ClientPayloadError):
        await ask(llm, "[[drop]][[say:one two three four five six seven eight]]")


async def test_garbage_is_no_json(llm: ScriptedLLM) -> None:
    """The stream opens well and carries nonsense."""
    with pytest.raises(json.JSONDecodeError):
        await ask(llm, "[[garbage]]")


async def test_slow_spreads_the_pieces(llm: ScriptedLLM) -> None:
    """Pieces come one after the other, so a turn can be watched or cut in the middle."""
    began = asyncio.get_running_loop().time()
    await ask(llm, "[[slow:0.05]][[say:" + "x" * 72 + "]]")
    assert asyncio.get_running_loop().time() - began >= 0.15


async def test_never_lasts_until_the_client_goes(llm: ScriptedLLM) -> None:
    """Nothing is sent, and nothing is left running when the client hangs up."""
    before = len(asyncio.all_tasks())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask(llm, "[[never]]"), 0.2)
    await asyncio.sleep(0.1)
    assert len(asyncio.all_tasks()) == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[sleep:soon]]", "a number"),
        ("[[err:200]]", "from 400 to 599"),
        ("[[send2:one]]", "two texts"),
        ("[[say:open", "not closed"),
        ("[[tools:x]]", "JSON list"),
    ],
)
async def test_a_bad_directive_is_explained(llm: ScriptedLLM, text: str, reason: str) -> None:
    """A typing error gets a sentence, not silence."""
    answer = await ask(llm, text)
    assert answer.text.startswith("I cannot read that")
    assert reason in answer.text


async def test_other_double_brackets_are_only_text(llm: ScriptedLLM) -> None:
    """What is no directive is answered like any other sentence."""
    answer = await ask(llm, "see [[wiki]]", tools=False)
    assert answer.text.startswith("You said")
