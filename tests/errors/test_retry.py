"""Backoff, and who is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurora.errors import (
    RetryConfig,
    retry_delay,
    retry_with_backoff,
)
from aurora.reasons import AgentError, Outcome
from tests.support.clocks import FakeClock

NO_JITTER = RetryConfig(jitter=0)


class Call:
    """A look-up that meets the given errors, one per call, and then succeeds."""

    def __init__(self, clock: FakeClock, errors: Sequence[Exception]) -> None:
        self._clock = clock
        self._errors = list(errors)
        self._start = clock.monotonic()
        self.times: list[float] = []

    async def __call__(self) -> str:
        self.times.append(self._clock.monotonic() - self._start)
        if self._errors:
            raise self._errors.pop(0)
        return "found"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def unreachable(detail: str = "refused") -> AgentError:
    return AgentError(Outcome.UNREACHABLE, detail)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 2), (3, 4), (6, 30), (99_999, 30)])
def test_delays_double_up_to_the_cap(attempt: int, seconds: float) -> None:
    """One second, two, four, and never more than thirty, however many attempts."""
    assert RetryConfig().delay(attempt, lambda: 0.5) == seconds


@given(attempt=st.integers(1, 10_000), chance=st.floats(0, 1, exclude_max=True))
def test_jitter_stays_within_a_quarter(attempt: int, chance: float) -> None:
    """Every delay lies within 25 % of the plain one, and never above 125 % of the cap."""
    plain = NO_JITTER.delay(attempt)
    delay = RetryConfig().delay(attempt, lambda: chance)
    assert plain * 0.75 <= delay <= plain * 1.25 <= 30 * 1.25


def test_jitter_reaches_both_sides() -> None:
    """It is plus or minus, not on top; and it spreads delays at the cap as well."""
    config = RetryConfig()
    assert [config.delay(1, lambda: 0.0), config.delay(1, lambda: 1.0)] == [0.75, 1.25]
    assert [config.delay(9, lambda: 0.0), config.delay(9, lambda: 1.0)] == [22.5, 37.5]


def test_delays_differ_by_default() -> None:
    """Without a generator of one's own, two events that failed together part."""
    config = RetryConfig()
    assert len({config.delay(1) for _ in range(20)}) > 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_attempts", 0),
        ("base_delay", -1),
        ("max_delay", -1),
        ("exponential_base", 0),
        ("jitter", 2),
        ("jitter", -1),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(name: str, value: int) -> None:
    """No attempts, negative delays or shrinking ones are mistakes."""
    with pytest.raises(ValueError, match=name):
        RetryConfig(**{name: value})


async def test_it_waits_between_the_attempts(clock: FakeClock) -> None:
    """First at once, again after one second, and after two more."""
    call = Call(clock, [unreachable(), unreachable()])
    task = asyncio.create_task(retry_with_backoff(call, config=NO_JITTER, clock=clock))
    await clock.advance(3)
    assert task.done()
    assert await task == "found"
    assert call.times == [0, 1, 3]


async def test_the_last_error_is_raised(clock: FakeClock) -> None:
    """After three attempts the caller gets what the third one met."""
    call = Call(clock, [unreachable("one"), unreachable("two"), unreachable("three")])
    task = asyncio.create_task(retry_with_backoff(call, config=NO_JITTER, clock=clock))
    await clock.advance(60)
    with pytest.raises(AgentError, match="three"):
        await task
    assert len(call.times) == 3


@pytest.mark.parametrize(
    ("outcome", "again"),
    [
        (Outcome.UNREACHABLE, True),
        (Outcome.FAILED, True),
        (Outcome.OVERLOADED, True),
        (Outcome.BUSY, True),
        (Outcome.CONFIG, False),
        (Outcome.CANCELLED, False),
        (Outcome.LOST, True),
    ],
)
async def test_the_outcome_decides_whether_to_try_again(
    clock: FakeClock, outcome: Outcome, again: bool
) -> None:
    """What may pass is tried again; a wrong token stays wrong."""
    call = Call(clock, [AgentError(outcome, "why")])
    task = asyncio.create_task(retry_with_backoff(call, config=NO_JITTER, clock=clock))
    await clock.advance(60)
    await asyncio.wait([task])
    assert (task.exception() is None) is again
    assert len(call.times) == (2 if again else 1)


async def test_other_errors_are_not_retried(clock: FakeClock) -> None:
    """A mistake in the program does not go away by doing it again."""
    call = Call(clock, [KeyError("id")])
    with pytest.raises(KeyError):
        await retry_with_backoff(call, config=NO_JITTER, clock=clock)
    assert len(call.times) == 1


async def test_the_caller_may_say_what_is_retryable(clock: FakeClock) -> None:
    """A caller who knows that his error passes gets his second attempt."""
    call = Call(clock, [OSError("busy")])
    task = asyncio.create_task(
        retry_with_backoff(
            call,
            config=NO_JITTER,
            clock=clock,
            retryable=lambda error: isinstance(error, OSError),
        )
    )
    await clock.advance(1)
    assert await task == "found"


async def test_a_cancellation_in_the_call_passes(clock: FakeClock) -> None:
    """Cancelled is cancelled, even for a caller who takes every error for retryable."""
    calls = 0

    async def call() -> None:
        nonlocal calls
        calls += 1
        await asyncio.Event().wait()

    task = asyncio.create_task(
        retry_with_backoff(call, config=NO_JITTER, clock=clock, retryable=lambda _error: True)
    )
    await clock.settle()
    task.cancel()
    await clock.advance(60)
    assert task.cancelled()
    assert calls == 1


async def test_a_cancellation_in_the_pause_passes(clock: FakeClock) -> None:
    """Unloading does not wait for a backoff."""
    call = Call(clock, [unreachable()])
    task = asyncio.create_task(retry_with_backoff(call, config=NO_JITTER, clock=clock))
    await clock.settle()
    assert clock.waiting == 1
    task.cancel()
    await clock.settle()
    assert task.cancelled()
    assert clock.waiting == 0


def again(
    outcome: Outcome, attempt: int, *, visible: bool = False, retry_after: float | None = None
) -> float | None:
    return retry_delay(
        outcome.reason, attempt, config=NO_JITTER, visible=visible, retry_after=retry_after
    )


def test_a_failed_turn_has_three_attempts() -> None:
    """After the third failure it is given up."""
    assert [again(Outcome.FAILED, attempt) for attempt in (1, 2, 3)] == [1, 2, None]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_turn_that_was_seen_never_runs_again(outcome: Outcome) -> None:
    """Whatever the failure: a second run might answer twice."""
    assert again(outcome, 1, visible=True) is None


def test_an_unreachable_server_is_tried_for_as_long_as_it_takes() -> None:
    """Attempts do not end it, only the event's expiry does."""
    assert again(Outcome.UNREACHABLE, 500) == 30


def test_an_overloaded_provider_is_left_alone_for_as_long_as_it_asks() -> None:
    """Retry-After is honoured beyond the longest backoff, and backoff fills in without it."""
    assert again(Outcome.OVERLOADED, 1, retry_after=120) == 120
    assert again(Outcome.OVERLOADED, 2) == 2


def test_retry_after_never_shortens_the_backoff() -> None:
    """A server that says "in a second" and refuses again is not hammered."""
    assert again(Outcome.OVERLOADED, 4, retry_after=1) == 8


@pytest.mark.parametrize("outcome", [Outcome.COMPLETED, Outcome.CANCELLED, Outcome.CONFIG])
def test_what_is_over_does_not_run_again(outcome: Outcome) -> None:
    """Done, cancelled or misconfigured."""
    assert again(outcome, 1) is None
