"""Calls of tools whose arguments can't be read, on the real App Server: answered at once."""

from __future__ import annotations

import asyncio

import pytest

from aurora.agents.app_server import AppServer
from aurora.agents.protocol import ToolReturned
from aurora.reasons import Outcome
from doubles.llm import Call, Step
from tests.support.agents.hosts import Tools, end_of_run, given, play
from tests.support.agents.servers import SharedServer

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.mark.parametrize("depth", [100, 900, 3000])
async def test_a_call_that_nests_too_deeply_gets_an_error_and_the_turn_goes_on(
    world: SharedServer, backend: AppServer, opened: str, depth: int
) -> None:
    """Dropped, it would keep its lane until the time limit."""
    nested = '{"message": ' + '{"a": ' * depth + "1" + "}" * depth + "}"
    call = Call("discord_send", nested)
    world.llm.script(f"nested {depth}", Step(calls=(call,)), Step(text="Never mind."))
    tools = Tools()
    async with asyncio.timeout(20):
        events = await play(backend, given(world.agent, opened, f"nested {depth}"), tools)
    finished = end_of_run(events)
    assert (finished.outcome, finished.text) == (Outcome.COMPLETED, "Never mind.")
    assert [one.is_error for one in events if isinstance(one, ToolReturned)] == [True]
    assert tools.calls == []
    returned = world.llm.requests[-1]["messages"][-1]["content"]
    assert "could not be read" in str(returned)
