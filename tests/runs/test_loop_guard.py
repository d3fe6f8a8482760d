"""The guard against loops: what ends a run that goes round in circles, and what does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from aurora.agents.protocol import (
    Accepted,
    ModelCalled,
    RunEvent,
    ServerFound,
    ServerLost,
    ToolCalled,
    ToolResult,
    ToolReturned,
    Usage,
)
from aurora.model import State, Turn
from aurora.reasons import Reason, StuckError
from aurora.runs.loop_guard import LoopGuard
from aurora.settings import Settings
from tests.support.agents.hosts import Tools
from tests.support.events import make_event
from tests.support.keepers import Keeper
from tests.support.scripts import NEVER, by_tool
from tests.support.workers import Bench, start_bench


async def heard(*steps: RunEvent, **set_to: Any) -> str:
    """Let the guard hear steps; return why it ended the run, nothing if it did not."""
    settings = Settings(Keeper({}, {9: set_to}))
    await settings.load()
    guard = LoopGuard(settings, Turn((make_event(),)), Tools())
    try:
        for step in steps:
            await guard.saw(step)
    except StuckError as stuck:
        return str(stuck)
    return ""


def failing(*faults: int, name: str = "any") -> list[RunEvent]:
    """Return one call in each step, which fails."""
    steps: list[RunEvent] = []
    for number, fault in enumerate(faults):
        call = ToolCalled(str(number), name, {"n": number})
        steps += [ModelCalled(), call, ToolReturned(str(number), bool(fault), fault)]
    return steps


@pytest.mark.parametrize(("calls", "why"), [(20, ""), (21, "more than 20 times")])
async def test_the_model_may_be_called_so_often(calls: int, why: str) -> None:
    """The call too many ends the run as soon as it is heard of."""
    assert why in (found := await heard(*[ModelCalled()] * calls))
    assert bool(found) is bool(why)


async def test_how_often_can_be_set() -> None:
    """For agents that research."""
    assert await heard(*[ModelCalled()] * 50, max_steps=50) == ""
    assert "more than 3" in await heard(*[ModelCalled()] * 4, max_steps=3)


async def test_the_standing_prompt_is_counted_once() -> None:
    """Twenty calls with 100,000 tokens each are no runaway; they would be two million."""
    assert await heard(*[Usage(100_000, 100)] * 20) == ""


async def test_what_the_prompt_grows_by_and_the_model_writes_is_counted() -> None:
    """Up to the limit, and no further."""
    growing = [Usage(10_000 + 10_000 * number, 1000) for number in range(20)]
    assert await heard(*growing[:19]) == ""
    assert "budget of tokens" in await heard(*growing)


async def test_a_prompt_that_was_compacted_is_counted_as_it_grows_again() -> None:
    """An agent that fills its window over and over is one that runs away."""
    saw = [Usage(10_000, 0), Usage(120_000, 0)]
    assert await heard(*saw) == ""
    assert "budget of tokens" in await heard(*saw, *saw)


async def test_where_several_calls_are_summed_up_their_mean_counts() -> None:
    """A server that runs tools of its own tells once of all its calls."""
    assert await heard(Usage(100_000, 10, 1), Usage(900_000, 90, 9)) == ""


async def test_a_run_that_its_server_begins_again_is_counted_anew() -> None:
    """A server that was restarted makes the same calls once more."""
    twice = [ToolCalled("1", "read"), ToolCalled("2", "read")]
    calls: list[RunEvent] = [ModelCalled(), *twice]
    assert await heard(*calls * 2, ServerFound(anew=True), *calls * 2) == ""
    steps = [ModelCalled()] * 15
    assert await heard(*steps, ServerLost(), ServerFound(anew=True), *steps) == ""
    assert "more than 20" in await heard(*steps, ServerLost(), ServerFound(), *steps)


async def test_five_equal_calls_in_a_row_are_a_loop() -> None:
    """The same tool with the same arguments, whatever it returned."""
    calls = [ToolCalled(str(number), "read", {"limit": 20}) for number in range(5)]
    assert await heard(*calls[:4]) == ""
    assert "same call 5 times" in await heard(*calls)
    other = ToolCalled("x", "read", {"limit": 21})
    assert await heard(*calls[:4], other, *calls[:4]) == ""


async def test_the_same_error_three_times_in_a_row_is_a_loop() -> None:
    """Of one tool with one text; a success or another error between them begins anew."""
    assert "same error 3 times" in await heard(*failing(7, 7, 7))
    assert await heard(*failing(7, 7, 8, 7, 7)) == ""
    assert await heard(*failing(7, 7, 0, 7, 7)) == ""
    assert await heard(*failing(7, 7), *failing(7, name="other")) == ""


async def test_errors_of_calls_made_at_once_are_one() -> None:
    """The agent has read none of them when it makes the next."""
    calls: list[RunEvent] = [ToolCalled(str(number), "any", {"n": number}) for number in range(9)]
    ends: list[RunEvent] = [ToolReturned(str(number), True, 7) for number in range(9)]
    assert await heard(ModelCalled(), *calls, *ends) == ""


# -- what becomes of the run


@pytest.fixture
async def benches() -> AsyncIterator[list[Bench]]:
    """Workers that are stopped in the end."""
    made: list[Bench] = []
    yield made
    for bench in made:
        await bench.stop()


LOOP = [Accepted(), *[ModelCalled()] * 21, NEVER]


async def test_a_stuck_run_is_aborted_once_and_never_tried_again(benches: list[Bench]) -> None:
    """One notice, no retry, and no breaker opens: anybody can talk an agent into a loop."""
    bench, backend = await start_bench(benches, *[LOOP] * 6)
    for number in range(6):
        event = await bench.ask(channel_id=number + 1)
        kept = await bench.kept(event)
        assert (kept.state, kept.reason) == (State.FAILED, "stuck")
    assert len(backend.seen) == 6
    assert len(bench.square.notices) == 6
    assert "got stuck" in bench.square.notices[0]
    assert not bench.breakers.is_open("a")
    assert bench.stats.summary().by_type == {"StuckError": 6}


async def test_a_stuck_run_that_had_answered_keeps_its_answer(benches: list[Bench]) -> None:
    """Nobody is told of what came after it."""
    bench, backend = await start_bench(benches, [Accepted(), by_tool("Hello."), *LOOP[1:]])
    event = await bench.ask()
    kept = await bench.kept(event)
    assert (kept.state, kept.reason) == (State.ANSWERED, "sent_before_stuck")
    assert (bench.square.of("tool"), bench.square.notices) == (["Hello."], [])
    assert len(backend.seen) == 1


async def test_a_stuck_run_is_not_tried_again_though_nobody_can_look_for_its_answer(
    benches: list[Bench],
) -> None:
    """The bot has lost Discord, and a message of the run may be there or not."""

    async def lose_discord(_tools: Any) -> None:
        bench.bot._ready.clear()

    steps = [Accepted(), by_tool("Hello."), lose_discord, *LOOP[1:]]
    bench, backend = await start_bench(benches, steps)
    bench.square.local.faults.add("POST", r"/messages$", status=403, code=50013)
    event = await bench.ask()
    bench.bot._ready.set()
    await bench.clock.advance(60)
    kept = await bench.kept(event)
    assert (kept.state, kept.reason, len(backend.seen)) == (State.FAILED, "unknown_fate", 1)


async def test_who_goes_on_past_twice_its_budget_is_stuck(benches: list[Bench]) -> None:
    """The call that is one too many has no result, so that the server asks its model no more."""
    results: list[ToolResult] = []

    async def react(tools: Any) -> None:
        for number in range(99):
            arguments = {"channelId": "1", "messageId": "2", "emoji": f"x{number}"}
            results.append(await tools.call("discord_add_reaction", arguments))

    bench, backend = await start_bench(benches, [Accepted(), react, NEVER])
    event = await bench.ask()
    kept = await bench.kept(event)
    assert (kept.state, kept.reason) == (State.FAILED, "stuck")
    assert (len(results), backend.aborted) == (10, 1)
    assert [Reason(kept.reason)] == [Reason.STUCK]


async def test_a_call_under_way_has_no_result_when_the_run_is_stuck(benches: list[Bench]) -> None:
    """But it is carried out: what was sent is known, and counts as the answer."""
    returned: list[ToolResult] = []

    class Slow:
        """Sends while the stream goes on."""

        def __init__(self) -> None:
            self.task: Any = None

        async def __call__(self, tools: Any) -> None:
            async def act() -> None:
                arguments = {"channelId": "1", "message": "Late."}
                returned.append(await tools.call("discord_send", arguments))

            bench.port.gate.clear()
            self.task = asyncio.create_task(act())
            await asyncio.sleep(0)

    slow = Slow()
    bench, _ = await start_bench(benches, [Accepted(), slow, *LOOP[1:]])
    event = await bench.ask()
    assert (await bench.kept(event)).state is State.RUNNING
    bench.port.gate.set()
    await bench.clock.settle()
    kept = await bench.kept(event)
    assert (kept.state, kept.reason) == (State.ANSWERED, "sent_before_stuck")
    assert (bench.square.of("tool"), returned) == (["Late."], [])
    slow.task.cancel()
