"""A server's breakers: which failure stops whom."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aurora.errors import (
    Breakers,
    BreakerState,
    Key,
    Permits,
    Provider,
)
from aurora.reasons import Outcome, Reason
from tests.support.clocks import FakeClock

GOOD, BAD = "agent-good", "agent-bad"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def breakers(clock: FakeClock) -> Breakers:
    return Breakers(clock)


def take(breakers: Breakers, agent_id: str) -> Permits:
    permits = breakers.acquire(agent_id)
    assert permits is not None
    return permits


def fail_runs(breakers: Breakers, agent_id: str, times: int = 5) -> None:
    for _ in range(times):
        permits = take(breakers, agent_id)
        permits.accepted()
        permits.failed_run()


def test_a_failing_agent_stops_itself_alone(breakers: Breakers) -> None:
    """Five failed runs of one agent leave the other and the server untouched."""
    fail_runs(breakers, BAD)
    assert breakers.acquire(BAD) is None
    assert breakers.acquire(GOOD) is not None
    assert breakers.server.state is BreakerState.CLOSED


def test_a_breach_stops_its_agent_at_once_and_no_other(breakers: Breakers) -> None:
    """One run in which a tool ran that was not offered is one too many."""
    take(breakers, BAD).settle(Reason.TRIPPED)
    assert breakers.acquire(BAD) is None
    assert breakers.acquire(GOOD) is not None
    assert breakers.server.state is BreakerState.CLOSED


def test_an_unreachable_server_stops_all_its_agents(breakers: Breakers) -> None:
    """Failures to accept count together, whichever agent met them."""
    for number in range(5):
        take(breakers, f"agent-{number}").failed_to_accept()
    assert breakers.acquire(GOOD) is None
    assert breakers.retry_in("never asked for") == 60


def test_a_failure_to_accept_tells_nothing_of_the_agent(breakers: Breakers) -> None:
    """Once the server is back its agents start without a record."""
    for _ in range(5):
        take(breakers, BAD).failed_to_accept()
    breakers.server.reset()
    assert breakers.agent(BAD).snapshot().failures == 0


def test_acceptance_ends_a_row_of_failures_before_the_run_ends(breakers: Breakers) -> None:
    """A server that accepts is there, however long the agent then takes."""
    for _ in range(4):
        take(breakers, GOOD).failed_to_accept()
    take(breakers, GOOD).accepted()
    take(breakers, GOOD).failed_to_accept()
    assert breakers.server.snapshot().failures == 1


def test_a_verdict_on_acceptance_stands(breakers: Breakers) -> None:
    """What was accepted cannot fail to be accepted afterwards."""
    permits = take(breakers, GOOD)
    permits.accepted()
    permits.failed_to_accept()
    assert breakers.server.snapshot().failures == 0


def test_a_failed_run_that_was_not_seen_to_be_accepted_clears_no_server(
    breakers: Breakers,
) -> None:
    """A run stopped before its acceptance is no proof that the server is well."""
    take(breakers, BAD).failed_to_accept()
    take(breakers, BAD).failed_run()
    assert breakers.server.snapshot().failures == 1


def test_a_success_speaks_for_both(breakers: Breakers) -> None:
    """A run that ended well was also accepted."""
    take(breakers, GOOD).failed_to_accept()
    take(breakers, GOOD).failed_run()
    take(breakers, GOOD).succeeded()
    assert breakers.server.snapshot().failures == 0
    assert breakers.agent(GOOD).snapshot().failures == 0


async def test_a_refused_agent_gives_the_servers_probe_back(
    breakers: Breakers, clock: FakeClock
) -> None:
    """While the server is tried, asking for a stopped agent uses up none of its probes."""
    for _ in range(5):
        take(breakers, GOOD).failed_to_accept()
    await clock.advance(30)
    # The agent is stopped later than its server, so that it is still so when the server is tried.
    for _ in range(5):
        permit = breakers.agent(BAD).acquire()
        assert permit is not None
        permit.failure()
    await clock.advance(30)
    for _ in range(10):
        assert breakers.acquire(BAD) is None
    assert breakers.server.snapshot().probes == 0
    assert breakers.acquire(GOOD) is not None


def test_retry_in_is_the_longer_of_the_two(breakers: Breakers) -> None:
    """A stopped agent waits though its server is fine."""
    fail_runs(breakers, BAD)
    assert breakers.retry_in(BAD) == 60
    assert breakers.retry_in(GOOD) == 0


def test_asking_for_the_wait_creates_no_breaker(breakers: Breakers) -> None:
    """The queue asks for every lane; that must not fill the memory."""
    for number in range(100):
        breakers.retry_in(f"agent-{number}")
    assert list(breakers.snapshot()) == [None]


async def test_idle_agents_are_forgotten(breakers: Breakers, clock: FakeClock) -> None:
    """An hour without a run, and only the one now asked for is kept."""
    for number in range(100):
        take(breakers, f"agent-{number}").failed_run()
    await clock.advance(3600)
    take(breakers, GOOD).succeeded()
    assert list(breakers.snapshot()) == [None, GOOD]


async def test_agents_in_use_are_kept(breakers: Breakers, clock: FakeClock) -> None:
    """Failures far apart, but within the hour, still add up."""
    for _ in range(5):
        await clock.advance(3000)
        fail_runs(breakers, BAD, 1)
        take(breakers, GOOD).succeeded()
    assert breakers.acquire(BAD) is None


async def test_who_heard_that_an_agent_failed_hears_that_it_is_forgotten(
    clock: FakeClock,
) -> None:
    """Or its next failure would be no news."""
    heard: list[tuple[Key, BreakerState]] = []
    breakers = Breakers(clock)
    breakers.subscribe(lambda key, _old, new: heard.append((key, new)))
    fail_runs(breakers, BAD)
    await clock.advance(3600)
    breakers.agent(GOOD)
    assert heard == [(BAD, BreakerState.OPEN), (BAD, BreakerState.CLOSED)]


async def test_a_cancelled_run_counts_for_nobody(breakers: Breakers, clock: FakeClock) -> None:
    """A run cancelled in its block gives both permits back, also while both are tried."""
    fail_runs(breakers, GOOD)
    for _ in range(5):
        take(breakers, BAD).failed_to_accept()
    await clock.advance(60)

    async def run() -> None:
        with take(breakers, GOOD):
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(run()) for _ in range(3)]
    await asyncio.sleep(0)
    assert breakers.acquire(GOOD) is None
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    shown = breakers.snapshot()
    assert (shown[None].probes, shown[GOOD].probes) == (0, 0)
    assert (shown[None].state, shown[GOOD].state) == ("half-open", "half-open")


@pytest.mark.parametrize(
    ("cause", "server", "agent"),
    [
        (Outcome.COMPLETED, 0, 0),
        (Outcome.UNREACHABLE, 2, 1),
        (Outcome.FAILED, 1, 2),
        (Outcome.LOST, 1, 2),
        (Outcome.CONFIG, 1, 1),
        (Outcome.BUSY, 1, 1),
        (Outcome.OVERLOADED, 1, 1),
        (Outcome.CANCELLED, 1, 1),
    ],
)
def test_settling_counts_as_the_verdict_says(
    breakers: Breakers, cause: Outcome, server: int, agent: int
) -> None:
    """Both had one failure; the run adds one, clears them, or counts for none."""
    take(breakers, GOOD).failed_to_accept()
    take(breakers, GOOD).failed_run()
    take(breakers, GOOD).settle(cause.reason)
    found = (breakers.server.snapshot().failures, breakers.agent(GOOD).snapshot().failures)
    assert found == (server, agent)


def test_the_listener_hears_whose_state_changed(clock: FakeClock) -> None:
    """The agent by its id, the server as None."""
    heard: list[tuple[Key, str]] = []
    breakers = Breakers(clock)
    breakers.subscribe(lambda key, _old, new: heard.append((key, new.value)))
    fail_runs(breakers, BAD)
    for _ in range(5):
        take(breakers, GOOD).failed_to_accept()
    assert heard == [(BAD, "open"), (None, "open")]


def test_reset_closes_every_breaker(breakers: Breakers) -> None:
    """One command brings the server and all its agents back."""
    fail_runs(breakers, BAD)
    for _ in range(5):
        take(breakers, GOOD).failed_to_accept()
    breakers.reset()
    assert breakers.acquire(BAD) is not None


# -- providers that limit their agents


def limit(breakers: Breakers, agent_id: str, retry_after: float | None = None) -> None:
    take(breakers, agent_id).settle(Reason.OVERLOADED, retry_after)


def test_a_provider_that_limits_stops_its_agent_alone(breakers: Breakers) -> None:
    """And counts against nobody: neither the server nor the agent has failed."""
    limit(breakers, BAD)
    assert breakers.is_limited(BAD)
    assert breakers.acquire(BAD) is None
    assert breakers.retry_in(BAD) == 5
    assert breakers.acquire(GOOD) is not None
    shown = breakers.snapshot()
    assert (shown[None].failures, shown[BAD].failures) == (0, 0)
    assert shown[Provider(BAD)].state is BreakerState.OPEN


async def test_a_provider_is_tried_by_one_run_at_a_time(
    breakers: Breakers, clock: FakeClock
) -> None:
    """What is asked too much is not asked three times at once."""
    limit(breakers, BAD)
    await clock.advance(5)
    assert breakers.probes_allowed(BAD) == {f"provider of {BAD}": 1}
    probe = take(breakers, BAD)
    assert breakers.acquire(BAD) is None
    assert breakers.snapshot()[None].probes == 0
    probe.settle(Reason.OVERLOADED)
    assert breakers.retry_in(BAD) == 5


async def test_a_provider_is_left_alone_for_longer_and_longer(
    breakers: Breakers, clock: FakeClock
) -> None:
    """Two minutes take six tries."""
    waits = []
    for _ in range(7):
        limit(breakers, BAD)
        waits.append(breakers.retry_in(BAD))
        await clock.advance(waits[-1])
    assert waits == [5, 5, 10, 20, 40, 60, 60]


def test_a_provider_that_says_for_how_long_is_believed(breakers: Breakers) -> None:
    """Earlier it would only refuse again."""
    limit(breakers, BAD, 42.0)
    assert breakers.retry_in(BAD) == 42


async def test_the_first_word_of_a_probe_ends_the_limit(
    breakers: Breakers, clock: FakeClock
) -> None:
    """The agent may work for minutes after it; the others need not wait for that."""
    limit(breakers, BAD)
    await clock.advance(5)
    take(breakers, BAD).spoke()
    assert not breakers.is_limited(BAD)
    assert breakers.acquire(BAD) is not None
    assert list(breakers.snapshot()) == [None, BAD]


@pytest.mark.parametrize("reason", [Reason.FAILED, Reason.TIMEOUT, Reason.CONFIG, Reason.LOST])
async def test_a_probe_that_ends_otherwise_tells_nothing_of_the_limit(
    breakers: Breakers, clock: FakeClock, reason: Reason
) -> None:
    """The next one tells."""
    limit(breakers, BAD)
    await clock.advance(5)
    take(breakers, BAD).settle(reason)
    assert breakers.is_limited(BAD)
    take(breakers, BAD).settle(Reason.COMPLETED)
    assert not breakers.is_limited(BAD)


def test_runs_that_were_under_way_do_not_lengthen_the_limit(breakers: Breakers) -> None:
    """Four began together, and all of them are refused."""
    under_way = [take(breakers, BAD) for _ in range(4)]
    for permits in under_way:
        permits.settle(Reason.OVERLOADED)
    assert breakers.retry_in(BAD) == 5


async def test_listeners_hear_of_a_limit_and_of_its_end(clock: FakeClock) -> None:
    """By a key of its own, which is not the agent's."""
    heard: list[tuple[Key, str]] = []
    breakers = Breakers(clock)
    breakers.subscribe(lambda key, _old, new: heard.append((key, new.value)))
    limit(breakers, BAD)
    breakers.reset()
    assert heard == [(Provider(BAD), "open"), (Provider(BAD), "closed")]
    assert not breakers.is_limited(BAD)


async def test_a_limit_is_forgotten_with_its_agent(breakers: Breakers, clock: FakeClock) -> None:
    """An hour without a question; who heard that it began hears that it is over."""
    limit(breakers, BAD)
    await clock.advance(3600)
    take(breakers, GOOD)
    assert list(breakers.snapshot()) == [None, GOOD]


def test_a_turn_costs_the_same_however_many_agents_there_are(breakers: Breakers) -> None:
    """Of those that are known only the oldest is looked at."""
    for number in range(2000):
        breakers.agent(f"agent-{number}")
    known: Any = breakers._agents
    looked: list[str] = []

    class Watched(dict[str, Any]):
        def items(self) -> Any:
            for name, one in super().items():
                looked.append(name)
                yield name, one

        def values(self) -> Any:
            raise AssertionError("all agents are walked")

    breakers._agents = Watched(known)
    for _ in range(10):
        breakers.acquire("agent-7")
    assert set(looked) <= {"agent-0", "agent-1"}
    assert len(looked) <= 20
