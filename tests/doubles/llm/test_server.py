"""Scripts, records, and what a provider refuses."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from doubles.llm import Call, ScriptedLLM, Step
from tests.support.doubles.asking import after_tool, ask, asked, post, prompt


async def test_an_answer_ends_with_usage_and_done(llm: ScriptedLLM) -> None:
    """The end of the stream is what an OpenAI client waits for."""
    answer = await ask(llm, "hello", tools=False)
    assert answer.done
    assert answer.finish == "stop"
    assert answer.usage is not None
    assert answer.usage["total_tokens"] > answer.usage["completion_tokens"] > 0


async def test_a_gate_holds_the_answer_back_until_it_is_opened(llm: ScriptedLLM) -> None:
    """A test decides when a slow model goes on, without time passing."""
    gate = asyncio.Event()
    llm.script("slow", Step(text="Done.", gate=gate))
    answer = asyncio.create_task(ask(llm, prompt("slow")))
    quick = await ask(llm, prompt("[[say:quick]]"))
    assert (quick.text, answer.done()) == ("quick", False)
    gate.set()
    assert (await answer).text == "Done."


async def test_stopping_does_not_wait_for_a_sleeper(llm: ScriptedLLM) -> None:
    """A model that thinks for an hour is hung up on at once."""
    waiting = asyncio.create_task(ask(llm, "[[sleep:3600]]"))
    await asyncio.sleep(0.1)
    assert len(llm.requests) == 1
    await asyncio.wait_for(llm.stop(), 2)
    with pytest.raises(aiohttp.ClientError):
        await waiting


async def test_a_script_replaces_the_answer(llm: ScriptedLLM) -> None:
    """A test plays its own steps, the newest matching script first."""
    llm.script("weather", Step(text="old"))
    llm.script("weather", Step(calls=(Call.to("look", at="sky"),)), Step(text="rain"))
    first = await ask(llm, prompt("how is the weather?"))
    second = await ask(llm, prompt("how is the weather?"), *after_tool("grey"))
    assert (first.calls, second.text) == ([("look", {"at": "sky"})], "rain")


async def test_requests_are_kept_and_bounded(llm: ScriptedLLM) -> None:
    """The newest 200 requests can be looked at."""
    for number in range(201):
        await ask(llm, f"message {number}", tools=False)
    kept = [body["messages"][-1]["content"][-1]["text"] for body in llm.requests]
    assert (len(kept), kept[0], kept[-1]) == (200, "message 1", "message 200")


@pytest.mark.parametrize(
    "system",
    ["You are a reflection subagent launched", "You are a conversation title generator."],
)
async def test_lettas_own_requests_get_harmless_text(llm: ScriptedLLM, system: str) -> None:
    """A subagent with a shell is never given a call, whatever the transcript says."""
    body = asked('[[tool:discord_send {"channelId":"1"}]]')
    body["messages"][0]["content"] = system
    answer = await post(llm, body)
    assert (answer.calls, answer.text) == ([], "Nothing to note.")


BROKEN_CALL = {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "a"}}]}


@pytest.mark.parametrize(
    "change",
    [
        {"messages": []},
        {"messages": "hello"},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"messages": [{"role": "user", "content": None}]},
        {"messages": [{"role": "tool", "tool_call_id": "c9", "content": "x"}]},
        {"messages": [BROKEN_CALL, {"role": "user", "content": "x"}]},
        {"messages": [BROKEN_CALL]},
        {"model": None},
        {"stream": False},
        {"tools": []},
        {"tools": [{"type": "function", "function": {"name": "not a name"}}]},
        {"tools": [{"type": "function", "function": {"name": "a", "parameters": "x"}}]},
        {"tools": ["a"]},
    ],
)
async def test_a_malformed_body_is_refused(llm: ScriptedLLM, change: dict[str, Any]) -> None:
    """What a real provider refuses with 400, this one refuses."""
    answer = await post(llm, {**asked("hello"), **change})
    assert answer.status == 400
    assert llm.requests == []


async def test_a_body_that_is_no_json_is_refused(llm: ScriptedLLM) -> None:
    """The parser's words stay inside."""
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {llm.key}"}) as session,
        session.post(f"{llm.url}/chat/completions", data=b"{") as response,
    ):
        assert response.status == 400
        assert (await response.json())["error"]["message"] == "the body is not JSON"


async def test_a_wrong_key_is_refused(llm: ScriptedLLM) -> None:
    """Without the key there is no answer."""
    assert (await post(llm, asked("hello"), key="sk-wrong")).status == 401


async def test_an_unknown_model_is_refused(llm: ScriptedLLM) -> None:
    """Only the model that is listed answers."""
    assert (await post(llm, {**asked("hello"), "model": "gpt"})).status == 404
