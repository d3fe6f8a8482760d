"""Agents that go round in circles: each costs a bounded number of model calls, and one attempt."""

from __future__ import annotations

import pytest

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
    told = (
        "My agent got stuck on this, so I stopped it: it made the same call 5 times in a row. "
        "Please try to ask in another way."
    )
    said = [("general", True, "It is blue."), ("general", True, told)]
    assert seen == Outcome("failed", "stuck", said, [])


async def test_what_comes_after_a_loop_has_the_strong_model_and_then_the_usual_one(
    town: Town,
) -> None:
    """Its button asks the agent again, with the question beside it; each kind of server can."""
    hasten(town)
    backend = town.cog.services.agents.backend
    strong = next(one for one in await backend.models() if one.endswith("strong"))
    assert "has no model" in await town.command("aurora config models strong nobody/nothing")
    assert "is now" in await town.command(f"aurora config models strong {strong}")
    town.llm.script("what is new", *reading(town, different=False))
    seen = await provoke(town, "what is new?")
    ((_, _, notice),) = seen.said
    assert "A stronger model can try it" in notice
    assert _models(town) == {"scripted"}
    stuck = town.bot_messages(town.general)[-1]
    labels = [one["label"] for row in stuck.components for one in row["components"]]
    assert labels == ["Try with the stronger model", "Stop"]
    town.llm.script("Try with the stronger model", Step(text="Nothing is new."))
    before = len(town.bot_messages(town.general))
    custom_id = str(stuck.components[0]["components"][0]["custom_id"])
    town.discord.press(town.ada, stuck, custom_id)
    (answer,) = await town.discord.wait_for(
        lambda: [one for one in town.bot_messages(town.general)[before:] if one.reference]
    )
    assert answer.content.endswith("Nothing is new.")
    assert "what is new?" in str(town.llm.requests[-1]["messages"][-1])
    assert _models(town) == {"scripted-strong"}
    await works(town)
    assert _models(town) == {"scripted"}
    assert "no strong model" in (await town.command("aurora config models strong off")).lower()


def _models(town: Town) -> set[str]:
    """Return by which models the agent was asked since then, and forget them."""
    found = {str(one["model"]) for one in town.llm.requests}
    town.llm.requests.clear()
    return found
