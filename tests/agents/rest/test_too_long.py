"""A conversation that is longer than the model can take, on the REST API."""

from __future__ import annotations

import json

from aurora.agents.protocol import Input
from aurora.reasons import Outcome
from tests.support.agents.hosts import end_of_run, play
from tests.support.agents.rig import Load, rig

FULL = '{"error":{"message":"prompt is too long: 9001 tokens > 8192 maximum"}}'
TOO_LONG = f"[[err:400*1|{FULL}]][[say:fine]]"


async def test_it_is_shortened_for_another_try(load: Load) -> None:
    """The turn that failed is not kept by the server, so it is sent again."""
    async with rig(load) as town:
        await town.play("[[say:long ago]]")
        ends = [end_of_run(await town.play(TOO_LONG)) for _ in range(2)]
        shown = json.dumps(town.llm.requests[-1]["messages"])
    assert [one.outcome for one in ends] == [Outcome.COMPACTED, Outcome.COMPLETED]
    assert ends[1].text == "fine"
    assert "long ago" not in shown


async def test_one_that_gets_no_shorter_is_said_to_be_full(load: Load) -> None:
    """Nothing was said before: the message is too long for itself."""
    async with rig(load) as town:
        end = end_of_run(await town.play(TOO_LONG))
    assert end.outcome is Outcome.CONTEXT_FULL


async def test_it_is_not_shortened_twice_for_a_turn(load: Load) -> None:
    """What is too long again then is said as it is."""
    async with rig(load) as town:
        await town.play("[[say:long ago]]")
        again = Input(town.agent_id, town.conversation_id, TOO_LONG, "again", compacted=True)
        end = end_of_run(await play(town.backend, again))
        asked = town.posted("/compact")
    assert (end.outcome, asked) == (Outcome.CONTEXT_FULL, [])
