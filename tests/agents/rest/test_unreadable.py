"""Calls of tools whose arguments can't be read, over REST: answered at once."""

from __future__ import annotations

import asyncio

import pytest

from aurora.reasons import Outcome
from doubles.llm import Call, Step
from tests.support.agents.hosts import Tools, end_of_run
from tests.support.agents.rig import Load, rig

NESTED = '{"message": ' + '{"a": ' * 3000 + "1" + "}" * 3000 + "}"
GIANT = '{"channelId": ' + "1" * 5000 + "}"


@pytest.mark.parametrize("arguments", [NESTED, GIANT], ids=["nested", "giant"])
async def test_a_call_that_can_not_be_read_gets_an_error_and_the_turn_goes_on(
    load: Load, arguments: str
) -> None:
    """It would end the run, and be tried again."""
    tools = Tools()
    async with rig(load) as town, asyncio.timeout(20):
        call = Call("discord_send", arguments)
        town.llm.script("unreadable", Step(calls=(call,)), Step(text="Never mind."))
        finished = end_of_run(await town.play("unreadable", tools))
        reply = town.posted("/messages")[1]["messages"][0]["approvals"][0]
    assert (finished.outcome, finished.text) == (Outcome.COMPLETED, "Never mind.")
    assert reply["status"] == "error"
    assert tools.calls == []
