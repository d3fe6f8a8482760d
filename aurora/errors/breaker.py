"""The circuit breaker: gobreaker's generations, with permits that can be given back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType
from typing import NamedTuple, Self

from ..clock import Clock
from .growth import Growth

log = logging.getLogger("red.aurora.errors")

# Who sleeps for `retry_in` may wake early by a rounding error; it must not be sent back for that.
_ROUNDING = 1e-6

# When the next probe ends nobody knows, and it need not change the state; so people look again.
_LOOK_AGAIN = 1.0


class BreakerState(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"

    @property
    def mark(self) -> str:
        """Return the sign that status displays use."""
        return _MARKS[self]


_MARKS = {BreakerState.CLOSED: "🟢", BreakerState.OPEN: "🔴", BreakerState.HALF_OPEN: "🟡"}

Listener = Callable[[BreakerState, BreakerState], None]


class BreakerSnapshot(NamedTuple):
    """A breaker at one moment; `retry_in` is in seconds."""

    state: BreakerState
    failures: int
    successes: int
    probes: int
    retry_in: float


class Permit:
    """Leave to make one call; the first verdict counts, and leaving without one releases it."""

    __slots__ = ("_breaker", "_generation")

    def __init__(self, breaker: CircuitBreaker, generation: int) -> None:
        self._breaker: CircuitBreaker | None = breaker
        self._generation = generation

    def success(self) -> None:
        """Report that the call went well."""
        self._end(True)

    def failure(self, retry_after: float | None = None) -> None:
        """Report that the call failed in a way that speaks against the other side.

        `retry_after` is in how many seconds that asks to be tried again, if it said so.
        """
        self._end(False, retry_after)

    def breach(self) -> None:
        """Report what must not come once more: the breaker opens at once."""
        self._end(False, at_once=True)

    def release(self) -> None:
        """Give the permit back: the call was cancelled or tells nothing."""
        self._end(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def _end(
        self, verdict: bool | None, retry_after: float | None = None, *, at_once: bool = False
    ) -> None:
        breaker, self._breaker = self._breaker, None
        if breaker is not None:
            breaker._settle(self._generation, verdict, retry_after, at_once=at_once)


class CircuitBreaker:
    """Stop calling a side that keeps failing, and try it carefully once it had time to recover.

    `failure_threshold` consecutive failures open it. `recovery_timeout` seconds later, which may
    grow with the outage, at most `half_open_permits` calls are under way at a time;
    `successes_to_close` of them close it, one failure opens it again. Results of calls begun
    before the last change of state are dropped. `on_change` hears (old, new); it must not block,
    and what it raises is logged.

    No timer runs: an open breaker turns half-open when somebody next asks. For one event loop.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        failure_threshold: int = 5,
        recovery_timeout: float | Growth = 60.0,
        half_open_permits: int = 3,
        successes_to_close: int = 3,
        on_change: Listener | None = None,
    ) -> None:
        if min(failure_threshold, half_open_permits, successes_to_close) < 1:
            raise ValueError("a breaker's threshold, permits and successes are at least 1 each")
        self._clock = clock
        self._threshold = failure_threshold
        if not isinstance(recovery_timeout, Growth):
            recovery_timeout = Growth(recovery_timeout, recovery_timeout, 0.0)
        self._recovery = recovery_timeout
        self._permits = half_open_permits
        self._needed = successes_to_close
        self._on_change = on_change
        self._generation = 0
        self._state = BreakerState.CLOSED
        self._failures = self._successes = self._probes = 0
        self._failing_since: float | None = None
        self._reopens_at = 0.0

    def acquire(self) -> Permit | None:
        """Return leave to make a call, or None: `retry_in` says when to ask again."""
        state = self.state
        if state is BreakerState.OPEN:
            return None
        if state is BreakerState.HALF_OPEN:
            if self._probes >= self._permits:
                return None
            self._probes += 1
        return Permit(self, self._generation)

    @property
    def state(self) -> BreakerState:
        """Return the state as of now."""
        if self._state is BreakerState.OPEN and self._remaining() <= _ROUNDING:
            self._enter(BreakerState.HALF_OPEN)
        return self._state

    @property
    def failing_for(self) -> float:
        """Return the seconds since the first failure of this outage; 0 while all is well.

        A success ends an outage only while it is closed, or by closing it.
        """
        since = self._failing_since
        return 0.0 if since is None else self._clock.monotonic() - since

    def retry_in(self) -> float:
        """Return the seconds until a permit may be had; 0 when one is free now.

        A second while all probes are out: that depends on when one of them ends.
        """
        if self._state is BreakerState.CLOSED:
            return 0.0
        state = self.state
        if state is BreakerState.OPEN:
            return self._remaining()
        full = state is BreakerState.HALF_OPEN and self._probes >= self._permits
        return _LOOK_AGAIN if full else 0.0

    @property
    def probes_allowed(self) -> int | None:
        """Return how many calls may be under way at a time while it is half-open, else None."""
        return self._permits if self.state is BreakerState.HALF_OPEN else None

    def half_open(self) -> None:
        """Let calls try an open breaker now; the outage is as old as before."""
        if self._state is BreakerState.OPEN:
            self._enter(BreakerState.HALF_OPEN)

    def reset(self) -> None:
        """Close it and forget the failures; permits that are out count for nothing any more."""
        self._enter(BreakerState.CLOSED)

    def snapshot(self) -> BreakerSnapshot:
        """Return what a status display shows."""
        return BreakerSnapshot(
            state=self.state,
            failures=self._failures,
            successes=self._successes,
            probes=self._probes,
            retry_in=self.retry_in(),
        )

    def _remaining(self) -> float:
        return self._reopens_at - self._clock.monotonic()

    def _settle(
        self,
        generation: int,
        verdict: bool | None,
        retry_after: float | None,
        *,
        at_once: bool = False,
    ) -> None:
        if generation != self._generation:
            return
        half_open = self._state is BreakerState.HALF_OPEN
        if half_open:
            self._probes -= 1
        if verdict is None:
            return
        if verdict:
            self._failures = 0
            self._successes += half_open
            if not half_open:
                self._failing_since = None
            elif self._successes >= self._needed:
                self._enter(BreakerState.CLOSED)
            return
        self._failures += 1
        if self._failing_since is None:
            self._failing_since = self._clock.monotonic()
        if half_open or at_once or self._failures >= self._threshold:
            pause = self._recovery.pause(self.failing_for, retry_after)
            self._reopens_at = self._clock.monotonic() + pause
            self._enter(BreakerState.OPEN)

    def _enter(self, new: BreakerState) -> None:
        old, self._state = self._state, new
        self._generation += 1
        self._successes = self._probes = 0
        if new is BreakerState.CLOSED:
            self._failures = 0
            self._failing_since = None
        if old is new or self._on_change is None:
            return
        try:
            self._on_change(old, new)
        except Exception:
            # A broken display must not break the breaker.
            log.exception("a listener failed on the change from %s to %s", old, new)
