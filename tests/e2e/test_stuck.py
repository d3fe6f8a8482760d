"""Agents that go round in circles: each costs a bounded number of model calls, and one attempt."""

from __future__ import annotations

import pytest

from aurora.reasons import REASONS, Reason
from doubles.llm import Call, Step
from tests.support.e2e.seen import Outcome, hasten, provoke, tool_returns, works
from tests.support.e2e.town import Town


@pytest.fixture
def town(either_town: Town) -> Town:
    """A town before each kind of server."""
    return either_town


def reading(town: Town, *, different: bool) -> list[Step]:
    """Return what a model does that reads for ever, the same or ever something else."""
    where = str(town.general.id)
    return [
        Step(
            calls=(
                Call.to("discord_read_messages", channelId=where, limit=1 + n % 50 * different),
            )
        )
        for n in range(100)
    ]


@pytest.mark.parametrize(("different", "most"), [(False, 5), (True, 21)])
async def test_an_agent_that_reads_in_a_loop_is_stopped_on_its_server(
    town: Town, different: bool, most: int
) -> None:
    """One attempt and one notice, no call of the model after that, and the lane goes on."""
    hasten(town)
    town.llm.script("what did they say", *reading(town, different=different))
    before = len(town.llm.requests)
    seen = await provoke(town, "what did they say?")
    assert (seen.state, seen.reason, seen.marks) == ("failed", "stuck", [])
    ((place, reply, notice),) = seen.said
    assert (place, reply, "got stuck" in notice) == ("general", True, True)
    assert sum(change.step == "running" for change in town.changes) == 1
    if different:
        assert "11 of at most 10" in tool_returns(town)
    await works(town)
    # What the server had not let go of would ask its model on beside the next turn.
    asked = [one for one in town.llm.requests[before:] if _is_of(one, "what did they say")]
    assert 0 < len(asked) <= most


def _is_of(request: dict[str, object], words: str) -> bool:
    """Tell whether a request is about the last question with these words, and no later one."""
    messages = request["messages"]
    assert isinstance(messages, list)
    asked = [str(one["content"]) for one in messages if one["role"] == "user"]
    return words in asked[-1]


async def test_an_agent_that_answers_and_goes_on_for_ever_is_told_of(town: Town) -> None:
    """What it sent before it began to read was not yet its answer, as far as anybody can tell."""
    hasten(town)
    send = Call.to("discord_send", channelId=str(town.general.id), message="It is blue.")
    town.llm.script("colour", Step(calls=(send,)), *reading(town, different=False))
    seen = await provoke(town, "which colour?")
    told = str(REASONS[Reason.STUCK].user)
    said = [("general", True, "It is blue."), ("general", True, told)]
    assert seen == Outcome("failed", "stuck", said, [])
