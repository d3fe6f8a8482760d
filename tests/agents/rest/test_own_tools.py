"""What an agent has on its server: tools that come while it runs, and old conversations."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from aurora.agents.protocol import ConversationKey, Finished, ToolReturned
from aurora.reasons import Outcome
from aurora.words import servers as w
from doubles.letta_rest import ServerTool
from tests.support.agents.hosts import Tools, end_of_run, play
from tests.support.agents.rig import Load, Rig, rig

RUN_CODE = '[[tool:run_code {"code":"1"}]][[after:done]]'


@pytest.fixture
async def town(load: Load) -> AsyncIterator[Rig]:
    """A rig whose agent was given a tool that the run does not know of."""
    async with rig(load) as town:
        town.server.add_tool(ServerTool("run_code", run=lambda _agent, _arguments: "1"))
        town.server.store.agents[town.agent_id].tools.append("run_code")
        yield town


async def test_the_success_of_a_tool_that_came_later_ends_the_run(town: Rig) -> None:
    """It was attached within the minute for which the agent's tools are taken for known."""
    one = town.given(RUN_CODE)._replace(own_tools=frozenset({"conversation_search"}))
    events = await play(town.backend, one, Tools())
    assert end_of_run(events) == Finished(Outcome.TRIPPED, detail=w.TRIPPED(tool="run_code"))


async def test_a_tool_that_was_known_may_run(town: Rig) -> None:
    """The bot's owner has allowed it."""
    one = town.given(RUN_CODE)._replace(own_tools=frozenset({"run_code"}))
    events = await play(town.backend, one, Tools())
    assert [event.is_error for event in events if isinstance(event, ToolReturned)] == [False]
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "done")


async def test_a_call_that_failed_ends_no_run(town: Rig) -> None:
    """Nothing was done by it."""

    def fail(_agent: str, _arguments: object) -> str:
        raise RuntimeError("no sandbox")

    town.server.add_tool(ServerTool("run_code", run=fail))
    one = town.given(RUN_CODE)._replace(own_tools=frozenset())
    events = await play(town.backend, one, Tools())
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "done")


async def test_a_conversation_is_deleted_and_one_that_is_gone_is_no_error(town: Rig) -> None:
    """For a person who is to be forgotten."""
    key = ConversationKey(town.agent_id, town.conversation_id)
    for _ in range(2):
        await town.backend.forget_conversation(key)
    assert town.conversation_id not in town.server.store.threads
