"""discord_ask: the agent asks back, once, and its turn is over."""

from __future__ import annotations

from typing import Any

import pytest

from aurora.agents.protocol import ToolCalled, ToolResult
from aurora.model import Said, Trace
from aurora.reasons import Reason
from aurora.tools.host import RunTools
from tests.support.stage import Stage, send, together

QUESTION = "Which of the two do you mean?"
PLAIN = {"question": QUESTION, "options": ["The **old** one", "The new one"]}


async def ask(tools: RunTools, **more: Any) -> ToolResult:
    return await tools.call("discord_ask", {**PLAIN, **more})


def labels(stage: Stage) -> list[str]:
    (question,) = stage.answers()
    return [one["label"] for row in question.components for one in row["components"]]


async def test_a_question_stands_where_it_was_asked_with_its_buttons(stage: Stage) -> None:
    """As the reply, whose asker is alerted; it is the answer."""
    event = await stage.ask()
    result = await ask(stage.open(event))
    (question,) = stage.answers()
    assert not result.is_error
    assert (question.content, question.reference) == (QUESTION, event.message_id)
    assert labels(stage) == PLAIN["options"]
    assert await stage.trace(event) is Trace.QUESTION
    assert await stage.settle(event, "I have asked.") is Reason.ASKED
    assert len(stage.answers()) == 1


async def test_a_question_needs_no_options(stage: Stage) -> None:
    """It is answered by a reply then."""
    event = await stage.ask()
    assert not (await ask(stage.open(event), options=None)).is_error
    (question,) = stage.answers()
    assert question.components == []


async def test_after_it_nothing_more_is_done(stage: Stage) -> None:
    """Neither by tool nor by text, however long."""
    event = await stage.ask()
    tools = stage.open(event)
    await send(tools, stage.channel, "Let me see.", interim=True)
    await ask(tools)
    refused = await send(tools, stage.channel, "It is the old one, I guess.")
    assert refused.is_error
    assert "your turn is over" in refused.text
    assert (await ask(tools, question="And why?")).is_error
    assert await stage.settle(event, "A long story. " * 50) is Reason.ASKED
    assert [one.content for one in stage.answers()] == ["Let me see.", QUESTION]


async def test_a_run_that_is_begun_anew_asks_no_second_time(stage: Stage) -> None:
    """Whatever the tools of the first one knew is gone."""
    event = await stage.ask()
    await ask(stage.open(event))
    again = await ask(stage.open(event))
    assert "had sent this already" in again.text
    assert len(stage.answers()) == 1
    assert await stage.trace(event) is Trace.QUESTION


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({"question": " "}, "question must have 1 to 1500"),
        ({"question": "x" * 1501}, "question must have 1 to 1500"),
        ({"options": list("abcde")}, "at most 4 different"),
        ({"options": ["a", "a "]}, "at most 4 different"),
        ({"options": ["x" * 81]}, "Each option must have 1 to 80"),
        ({"options": [""]}, "Each option must have 1 to 80"),
        ({"options": "Tea"}, "options must be a list of strings"),
    ],
)
async def test_what_makes_no_question_is_named(
    stage: Stage, more: dict[str, Any], wrong: str
) -> None:
    """And ends nothing: the agent may ask again."""
    tools = stage.open(await stage.ask())
    result = await ask(tools, **more)
    assert result.is_error
    assert wrong in result.text
    assert stage.answers() == []
    assert not (await ask(tools)).is_error


async def test_a_question_that_discord_holds_up_comes_with_its_buttons(stage: Stage) -> None:
    """The options are kept for as long as it is owed, and no longer."""
    event = await stage.ask()
    stage.local.faults.add("POST", r"/messages$", status=503, times=3)
    told = await ask(stage.open(event))
    assert "as soon as Discord allows" in told.text
    assert stage.answers() == []
    stage.local.faults.waiting.clear()
    assert await stage.trace(event) is Trace.QUESTION
    assert labels(stage) == PLAIN["options"]
    assert all(one.owed is None for one in await stage.store.sends(event.id))


async def test_an_agent_that_answers_by_text_asks_all_the_same(stage: Stage) -> None:
    """Buttons can't be written."""
    await stage.settings.set_guild(stage.guild.id, answer_way="text")
    event = await stage.ask()
    assert not (await ask(stage.open(event))).is_error
    assert await stage.settle(event, "") is Reason.ASKED


async def test_the_question_speaks_where_it_was_asked(stage: Stage) -> None:
    """What is written before it and after it is told apart by that."""
    event = await stage.ask()
    tools = stage.open(event)
    assert tools.speaks_here(ToolCalled("c1", "discord_ask", PLAIN))
    await ask(tools)
    said = Said(("Well.",), went_on=True)
    assert await stage.delivery.settle(together(event), said, fallback=True) is Reason.ASKED
