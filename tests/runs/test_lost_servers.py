"""Servers that are lost in mid-run: an outage, and never the agent's fault."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aurora.agents.protocol import Accepted, Finished, Reasoning, ServerFound, ServerLost
from aurora.clock import Clock, sleep
from aurora.errors import BreakerState
from aurora.model import State
from aurora.reasons import AgentError, Outcome
from aurora.runs.agent_time import AWAY_SECONDS
from tests.support.scripts import NEVER, by_tool, done
from tests.support.workers import Bench, start_bench

GONE = AgentError(Outcome.UNREACHABLE, "refused")


def after(clock: Clock, seconds: float) -> Any:
    """Return a script step that takes so long."""

    async def wait(_tools: object) -> None:
        await sleep(clock, seconds)

    return wait


@pytest.mark.parametrize(("limit", "away"), [(10, 15), (60, 65), (10, 50)])
async def test_a_server_that_is_away_for_longer_than_its_agent_may_take_costs_no_answer(
    benches: list[Bench], limit: int, away: float
) -> None:
    """The time limit does not run while a lost server is looked for.

    How backends notice that a server is gone, and that it is back, is shown beside them.
    """
    bench, backend = await start_bench(benches)
    await bench.settings.set_guild(9, agent_timeout=limit)
    wait = after(bench.clock, away)
    backend.turns = [[Accepted(), ServerLost(), wait, ServerFound(), done("Hi")]]
    event = await bench.ask()
    await bench.clock.advance(away + 1)
    assert event.state is State.ANSWERED
    assert (bench.square.delivered, bench.square.notices) == (["Hi"], [])
    assert len(backend.seen) == 1


async def test_an_agent_that_is_slow_on_a_server_that_was_away_is_slow(
    benches: list[Bench],
) -> None:
    """Its time goes on when the server is back."""
    bench, backend = await start_bench(benches)
    wait = after(bench.clock, 50)
    backend.turns = [[Accepted(), ServerLost(), wait, ServerFound(), Reasoning("hm"), NEVER]]
    event = await bench.ask()
    await bench.clock.advance(50 + 59)
    assert event.state is State.RUNNING
    await bench.clock.advance(2)
    assert (event.state, event.reason) == (State.FAILED, "timeout")


async def test_a_server_that_stays_away_is_an_outage(benches: list[Bench]) -> None:
    """Nothing was to be seen of the turn, so that it runs again when it can."""
    bench, _ = await start_bench(benches, [Accepted(), ServerLost(), NEVER])
    event = await bench.ask()
    await bench.clock.advance(AWAY_SECONDS)
    assert bench.breakers.server.snapshot().failures == 1
    assert bench.breakers.agent("a").snapshot().failures == 0
    await bench.clock.advance(5)
    assert event.state is State.ANSWERED
    assert bench.square.notices == []


async def test_runs_that_are_lost_with_their_server_open_its_breaker_and_not_their_agents(
    benches: list[Bench],
) -> None:
    """An agent's breaker stays open for a minute, whether its server is back or not."""
    bench, backend = await start_bench(benches)
    died = asyncio.Event()

    async def die(_tools: object) -> None:
        await died.wait()

    backend.turns = [[Accepted(), die, ServerLost(), Finished(Outcome.LOST)]] * 4
    for channel in range(4):
        await bench.ask(channel_id=channel, author_id=channel)
    backend.turns = [[Finished(Outcome.UNREACHABLE)]] * 4
    died.set()
    await bench.clock.settle()
    assert bench.breakers.server.snapshot().failures == 4
    await bench.clock.advance(2.5)
    assert bench.breakers.server.state is BreakerState.OPEN
    assert bench.breakers.agent("a").snapshot().failures == 0


async def test_a_run_that_sent_something_is_not_run_again_when_its_server_is_lost(
    benches: list[Bench],
) -> None:
    """It has its answer, and nobody is told of the rest."""
    bench, backend = await start_bench(
        benches, [Accepted(), by_tool("Hi"), ServerLost(), Finished(Outcome.LOST)]
    )
    event = await bench.ask()
    await bench.clock.advance(60)
    assert (event.state, event.reason) == (State.ANSWERED, "sent_before_lost")
    assert (len(backend.seen), bench.square.notices) == (1, [])


async def test_a_server_that_froze_is_no_slow_agent(
    benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that is gone leaves connections behind on which nothing is ever said."""
    bench, backend = await start_bench(benches, [Accepted(), NEVER])

    async def ping() -> None:
        raise GONE

    monkeypatch.setattr(backend, "ping", ping)
    event = await bench.ask()
    await bench.clock.advance(65 + AWAY_SECONDS)
    assert event.state is State.ANSWERED
    assert (len(backend.seen), bench.square.notices) == (2, [])
