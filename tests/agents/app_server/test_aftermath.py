"""What a failed turn leaves behind on the real App Server, and what becomes of it."""

from __future__ import annotations

import json

import pytest

from aurora.agents.app_server import AppServer
from aurora.agents.protocol import Finished, Input
from aurora.reasons import Outcome
from doubles.llm import Step
from tests.support.agents.hosts import end_of_run, given, moved, play
from tests.support.agents.servers import SharedServer

pytestmark = pytest.mark.asyncio(loop_scope="package")

REFUSED = '{"error":{"message":"Blocked by our content filter.","code":"content_filter"}}'
FULL = '{"error":{"message":"prompt is too long: 9001 tokens > 8192 maximum"}}'


def fails(world: SharedServer, word: str, body: str, *, times: int | None = None) -> None:
    """Let the provider refuse every call of a turn whose message has a word."""
    step = Step(fault="error", status=400, body=body, times=times, text="done")
    world.llm.script(word, *[step] * 9)


async def chat(world: SharedServer, backend: AppServer, opened: str) -> None:
    """Talk for a while: of a short conversation the server itself leaves nothing but a summary."""
    for number in range(4):
        await play(backend, given(world.agent, opened, f"[[say:long ago {number}]]"))


def shown(world: SharedServer) -> str:
    """Return all that the model was given last."""
    return json.dumps(world.llm.requests[-1]["messages"])


async def test_what_was_refused_is_not_given_to_the_model_again(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """The server keeps it: each turn that follows would be refused as well."""
    fails(world, "poison", REFUSED)
    await play(backend, given(world.agent, opened, "[[say:before]]"))
    events = await play(backend, given(world.agent, opened, "poison"))
    assert end_of_run(events).outcome is Outcome.CONTENT_REFUSED
    (fresh,) = moved(events)
    events = await play(backend, given(world.agent, fresh, "[[say:after]]"))
    assert end_of_run(events).text == "after"
    assert "before" in shown(world)
    assert "poison" not in shown(world)


async def test_a_first_message_that_was_refused_leaves_an_empty_conversation(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """There is nothing before it to go back to."""
    fails(world, "venom", REFUSED)
    events = await play(backend, given(world.agent, opened, "venom"))
    (fresh,) = moved(events)
    events = await play(backend, given(world.agent, fresh, "[[say:after]]"))
    assert end_of_run(events).text == "after"
    assert "venom" not in shown(world)


async def test_a_conversation_that_is_too_long_is_shortened_for_another_try(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """More than the server itself does; the turn then finds a summary before it."""
    fails(world, "too much", FULL)
    await chat(world, backend, opened)
    events = await play(backend, given(world.agent, opened, "too much"))
    assert end_of_run(events).outcome is Outcome.COMPACTED
    (fresh,) = moved(events)
    events = await play(backend, given(world.agent, fresh, "[[say:once more]]"))
    assert end_of_run(events).text == "once more"
    assert "long ago" not in shown(world)


async def test_what_is_too_long_for_itself_is_not_shortened_twice(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """It is said as it is."""
    fails(world, "endless", FULL)
    await chat(world, backend, opened)
    again = Input(world.agent, opened, "endless", "input-endless", compacted=True)
    events = await play(backend, again)
    assert end_of_run(events).outcome is Outcome.CONTEXT_FULL


async def test_an_agent_that_was_deleted_is_named(world: SharedServer, backend: AppServer) -> None:
    """Its turns fail like any other's, if it has answered on this connection."""
    agent = await world.server.create_agent("doomed")
    opened = await backend.open_conversation(agent, "x")
    await play(backend, given(agent, opened, "[[say:hello]]"))
    await world.server.request("agent_delete", agent_id=agent)
    events = await play(backend, given(agent, opened, "[[say:hello?]]"))
    last = end_of_run(events)
    assert isinstance(last, Finished)
    assert last.outcome is Outcome.CONFIG
    assert agent in str(last.detail)
