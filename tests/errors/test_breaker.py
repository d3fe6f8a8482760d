"""The breaker's semantics: gobreaker's, plus permits that come back."""

from __future__ import annotations

import asyncio
import logging
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aurora.errors import (
    BreakerState,
    CircuitBreaker,
    Growth,
    Permit,
)
from tests.support.clocks import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def breaker(clock: FakeClock) -> CircuitBreaker:
    return CircuitBreaker(clock)


def take(breaker: CircuitBreaker) -> Permit:
    permit = breaker.acquire()
    assert permit is not None
    return permit


def state_of(breaker: CircuitBreaker) -> BreakerState:
    # A call, since a type checker takes a property for unchanged between two asserts.
    return breaker.state


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        take(breaker).failure()


async def half_open(breaker: CircuitBreaker, clock: FakeClock) -> None:
    fail(breaker, 5)
    await clock.advance(60)
    assert state_of(breaker) is BreakerState.HALF_OPEN


def test_five_consecutive_failures_open_it(breaker: CircuitBreaker) -> None:
    """The fourth leaves it closed, the fifth opens it and nothing gets through."""
    fail(breaker, 4)
    assert state_of(breaker) is BreakerState.CLOSED
    fail(breaker, 1)
    assert state_of(breaker) is BreakerState.OPEN
    assert breaker.acquire() is None


def test_a_success_between_failures_starts_the_count_over(breaker: CircuitBreaker) -> None:
    """Failures in all do not open it, only failures in a row."""
    fail(breaker, 4)
    take(breaker).success()
    fail(breaker, 4)
    assert state_of(breaker) is BreakerState.CLOSED


def test_concurrent_calls_count_in_the_order_they_end(breaker: CircuitBreaker) -> None:
    """Calls that overlap are counted when they end, however they began."""
    permits = [take(breaker) for _ in range(6)]
    permits[5].success()
    for permit in permits[:5]:
        permit.failure()
    assert state_of(breaker) is BreakerState.OPEN


async def test_it_stays_open_for_the_recovery_timeout(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    """A moment before the 60 seconds are over nothing gets through."""
    fail(breaker, 5)
    await clock.advance(59.9)
    assert state_of(breaker) is BreakerState.OPEN
    await clock.advance(0.1)
    assert state_of(breaker) is BreakerState.HALF_OPEN


async def test_three_of_twenty_concurrent_probes_are_admitted(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    """A recovering server is not met by everybody who waited."""
    await half_open(breaker, clock)
    admitted = 0

    async def probe() -> None:
        nonlocal admitted
        if (permit := breaker.acquire()) is None:
            return
        with permit:
            admitted += 1
            await asyncio.sleep(0)
            permit.success()

    await asyncio.gather(*(probe() for _ in range(20)))
    assert admitted == 3


async def test_three_successes_close_it(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """Two are not enough."""
    await half_open(breaker, clock)
    probes = [take(breaker) for _ in range(3)]
    for probe in probes[:2]:
        probe.success()
    assert state_of(breaker) is BreakerState.HALF_OPEN
    probes[2].success()
    assert state_of(breaker) is BreakerState.CLOSED


async def test_fewer_permits_than_successes_still_close_it(clock: FakeClock) -> None:
    """Probes one after the other close it as well."""
    breaker = CircuitBreaker(clock, half_open_permits=1)
    await half_open(breaker, clock)
    for _ in range(3):
        take(breaker).success()
    assert state_of(breaker) is BreakerState.CLOSED


async def test_one_failed_probe_opens_it_for_the_whole_timeout(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    """Two successes do not outweigh a failure, and the minute begins anew."""
    await half_open(breaker, clock)
    take(breaker).success()
    take(breaker).success()
    take(breaker).failure()
    assert state_of(breaker) is BreakerState.OPEN
    assert breaker.retry_in() == 60


async def test_a_closed_breaker_has_forgotten_the_failures(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    """After recovery it takes five failures again."""
    await half_open(breaker, clock)
    for _ in range(3):
        take(breaker).success()
    fail(breaker, 4)
    assert state_of(breaker) is BreakerState.CLOSED


async def test_cancellations_while_closed_change_nothing(breaker: CircuitBreaker) -> None:
    """Six cancelled calls neither open it nor wipe out the four failures before them."""
    fail(breaker, 4)

    async def call() -> None:
        with take(breaker):
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(call()) for _ in range(6)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert state_of(breaker) is BreakerState.CLOSED
    fail(breaker, 1)
    assert state_of(breaker) is BreakerState.OPEN


async def test_cancelled_probes_give_their_permits_back(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    """Three cancelled probes leave it half-open with three permits, and not stuck."""
    await half_open(breaker, clock)

    async def probe() -> None:
        with take(breaker):
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(probe()) for _ in range(3)]
    await asyncio.sleep(0)
    assert breaker.acquire() is None
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert state_of(breaker) is BreakerState.HALF_OPEN
    assert [breaker.acquire() is not None for _ in range(4)] == [True, True, True, False]


async def test_a_stale_success_does_not_close_it(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    """Calls begun before it opened tell nothing about the recovery."""
    stale = [take(breaker) for _ in range(3)]
    await half_open(breaker, clock)
    for permit in stale:
        permit.success()
    assert state_of(breaker) is BreakerState.HALF_OPEN
    assert breaker.snapshot().successes == 0


async def test_a_stale_failure_does_not_reopen_it(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    """A slow call of the bad times that fails late is no failed probe."""
    stale = take(breaker)
    await half_open(breaker, clock)
    stale.failure()
    assert state_of(breaker) is BreakerState.HALF_OPEN


async def test_a_stale_release_frees_no_probe(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """Giving back an old permit admits no fourth probe."""
    stale = take(breaker)
    await half_open(breaker, clock)
    for _ in range(3):
        take(breaker)
    stale.release()
    assert breaker.acquire() is None


async def test_a_probe_of_an_earlier_half_open_time_is_stale(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    """Half-open again is not the same half-open."""
    await half_open(breaker, clock)
    old = [take(breaker) for _ in range(2)]
    take(breaker).failure()
    await clock.advance(60)
    take(breaker).success()
    for permit in old:
        permit.success()
    assert state_of(breaker) is BreakerState.HALF_OPEN
    assert breaker.snapshot().successes == 1


def test_the_first_verdict_of_a_permit_counts(breaker: CircuitBreaker) -> None:
    """Saying it five times does not make five failures, and a later word changes nothing."""
    permit = take(breaker)
    for _ in range(5):
        permit.failure()
    permit.success()
    assert breaker.snapshot().failures == 1


async def test_a_probe_is_given_back_once(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """Releasing one probe three times frees one place."""
    await half_open(breaker, clock)
    probes = [take(breaker) for _ in range(3)]
    for _ in range(3):
        probes[0].release()
    assert [breaker.acquire() is not None for _ in range(2)] == [True, False]


@pytest.mark.parametrize("verdict", ["success", "failure"])
def test_leaving_a_with_block_keeps_the_verdict(breaker: CircuitBreaker, verdict: str) -> None:
    """The release at the end of the block comes second."""
    fail(breaker, 1)
    with take(breaker) as permit:
        getattr(permit, verdict)()
    assert breaker.snapshot().failures == {"success": 0, "failure": 2}[verdict]


def test_an_error_in_a_with_block_is_not_swallowed(breaker: CircuitBreaker) -> None:
    """The block releases; what the error means is for the caller to say."""
    with pytest.raises(KeyError), take(breaker):
        raise KeyError
    assert breaker.snapshot().failures == 0


async def test_retry_in_counts_down_to_the_probe(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    """Closed: now. Open: what is left of the minute. Half-open: now again."""
    assert breaker.retry_in() == 0
    fail(breaker, 5)
    await clock.advance(15)
    assert breaker.retry_in() == 45
    await clock.advance(45)
    assert breaker.retry_in() == 0


async def test_retry_in_is_finite_while_all_probes_are_out(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    """A probe given back tells no listener, so whoever waits has to look again by himself."""
    await half_open(breaker, clock)
    probes = [take(breaker) for _ in range(3)]
    assert 0 < breaker.retry_in() < math.inf
    probes[0].release()
    assert breaker.retry_in() == 0


@example(start=2.6, spent=3.7)
@given(start=st.floats(0, 1e6), spent=st.floats(0, 59))
async def test_whoever_waits_for_retry_in_gets_a_permit(start: float, spent: float) -> None:
    """Rounding never sends a sleeper back for another billionth of a second."""
    clock = FakeClock(monotonic=start)
    breaker = CircuitBreaker(clock)
    fail(breaker, 5)
    await clock.advance(spent)
    await clock.advance(breaker.retry_in())
    assert breaker.acquire() is not None


@pytest.mark.parametrize("seconds", [-86_400, 86_400])
def test_jumps_of_the_wall_clock_do_not_matter(
    breaker: CircuitBreaker, clock: FakeClock, seconds: float
) -> None:
    """Setting the clock neither ends the recovery nor prolongs it."""
    fail(breaker, 5)
    clock.jump(seconds)
    assert state_of(breaker) is BreakerState.OPEN
    assert breaker.retry_in() == 60


async def test_no_timer_runs(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """An open breaker leaves nothing to clean up behind it."""
    fail(breaker, 5)
    await clock.settle()
    assert clock.waiting == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_the_listener_hears_every_change(clock: FakeClock) -> None:
    """Old and new state, once for each change."""
    heard: list[tuple[BreakerState, BreakerState]] = []
    breaker = CircuitBreaker(clock, on_change=lambda old, new: heard.append((old, new)))
    await half_open(breaker, clock)
    for _ in range(3):
        take(breaker).success()
    breaker.reset()
    closed, opened, half = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
    assert heard == [(closed, opened), (opened, half), (half, closed)]


async def test_a_failing_listener_does_not_matter(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The change happens all the same, and the log says that the listener failed."""

    def listen(_old: BreakerState, _new: BreakerState) -> None:
        raise RuntimeError("display is gone")

    breaker = CircuitBreaker(clock, on_change=listen)
    with caplog.at_level(logging.ERROR):
        await half_open(breaker, clock)
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


def test_the_listener_sees_the_new_state(clock: FakeClock) -> None:
    """A listener that asks the breaker gets the answer it was told."""
    seen: list[BreakerState] = []
    mine = CircuitBreaker(clock, on_change=lambda _old, _new: seen.append(mine.state))
    fail(mine, 5)
    assert seen == [BreakerState.OPEN]


def test_reset_closes_it_and_drops_what_is_under_way(breaker: CircuitBreaker) -> None:
    """Failures of calls begun before the reset do not count after it."""
    stale = [take(breaker) for _ in range(5)]
    fail(breaker, 5)
    breaker.reset()
    for permit in stale:
        permit.failure()
    assert state_of(breaker) is BreakerState.CLOSED
    assert breaker.snapshot().failures == 0


async def test_reset_frees_the_probes(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """A reset while all probes are out leaves none of them counted."""
    await half_open(breaker, clock)
    for _ in range(3):
        take(breaker)
    breaker.reset()
    assert breaker.snapshot().probes == 0
    assert breaker.retry_in() == 0


def test_the_snapshot_shows_what_it_counts(breaker: CircuitBreaker) -> None:
    """State, failures so far and the wait."""
    fail(breaker, 2)
    shown = breaker.snapshot()
    assert (shown.state, shown.failures, shown.retry_in) == ("closed", 2, 0)


def test_each_state_has_its_mark() -> None:
    """The marks are the documented ones."""
    assert {state.value: state.mark for state in BreakerState} == {
        "closed": "🟢",
        "open": "🔴",
        "half-open": "🟡",
    }


@pytest.mark.parametrize("name", ["failure_threshold", "half_open_permits", "successes_to_close"])
def test_a_breaker_that_could_not_work_is_refused(clock: FakeClock, name: str) -> None:
    """No permits, for one, would wedge it half-open."""
    with pytest.raises(ValueError, match="at least 1"):
        CircuitBreaker(clock, **{name: 0})  # type: ignore[arg-type]  # all three are ints


@given(st.lists(st.sampled_from(["take", "success", "failure", "release", "wait"]), max_size=60))
async def test_it_never_wedges(steps: list[str]) -> None:
    """Whatever happened: once all permits are back and time has passed, a permit may be had."""
    clock = FakeClock()
    breaker = CircuitBreaker(clock)
    held: list[Permit] = []
    for step in steps:
        if step == "wait":
            await clock.advance(31)
        elif step == "take":
            held += [permit] if (permit := breaker.acquire()) else []
        elif held:
            getattr(held.pop(0), step)()
        assert 0 <= breaker.snapshot().probes <= 3
    for permit in held:
        permit.release()
    await clock.advance(60)
    assert breaker.acquire() is not None


# -- tried sooner, and for how long it has failed


def test_it_can_be_tried_before_its_time(breaker: CircuitBreaker) -> None:
    """Somebody has seen the other side alive."""
    fail(breaker, 5)
    breaker.half_open()
    assert state_of(breaker) is BreakerState.HALF_OPEN
    assert len([permit for _ in range(5) if (permit := breaker.acquire())]) == 3


@pytest.mark.parametrize("failures", [0, 4])
def test_only_an_open_breaker_can_be_half_opened(breaker: CircuitBreaker, failures: int) -> None:
    """A closed one lets everything through already, and counts on."""
    fail(breaker, failures)
    breaker.half_open()
    assert state_of(breaker) is BreakerState.CLOSED
    assert breaker.snapshot().failures == failures


async def test_an_outage_is_as_old_as_its_first_failure(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    """Neither opening nor being tried makes it younger; three successes end it."""
    assert breaker.failing_for == 0
    for _ in range(5):
        fail(breaker, 1)
        await clock.advance(2)
    breaker.half_open()
    take(breaker).success()
    assert breaker.failing_for == 10
    fail(breaker, 1)
    breaker.half_open()
    for _ in range(3):
        assert breaker.failing_for == 10
        take(breaker).success()
    assert breaker.failing_for == 0


async def test_a_success_before_it_opens_is_the_end_of_its_failures(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    """A line that was cut now and then is no outage."""
    fail(breaker, 4)
    await clock.advance(30)
    take(breaker).success()
    fail(breaker, 1)
    assert breaker.failing_for == 0


async def test_its_pause_may_grow(clock: FakeClock) -> None:
    """Each vain try of a growing breaker is farther from the one before."""
    breaker = CircuitBreaker(clock, failure_threshold=1, recovery_timeout=Growth(5.0, 60.0, 1.0))
    waits = []
    for _ in range(6):
        fail(breaker, 1)
        waits.append(breaker.retry_in())
        await clock.advance(waits[-1])
    assert waits == [5, 5, 10, 20, 40, 60]


def test_a_failure_may_say_when_to_try_again(clock: FakeClock) -> None:
    """It is believed."""
    breaker = CircuitBreaker(clock, failure_threshold=1, recovery_timeout=Growth(5.0, 60.0, 1.0))
    take(breaker).failure(17.0)
    assert breaker.retry_in() == 17
