"""Outages: what a breaker does becomes news only when it lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..clock import Clock, sleep
from ..errors import Breakers, BreakerState, Key, Provider

LASTING_SECONDS = 5.0
"""How long a server or an agent must have failed before anybody is told."""
_LIMITED_SECONDS = 15.0
"""How long a provider must have limited its agent: most limits count by the minute."""

Listener = Callable[[Key, BreakerState, BreakerState], None]


class Outages:
    """Passes on what breakers do, once an outage lasts: its openings, and its end.

    An outage lasts from its first failure until its breaker closes. The server's is news when it
    was asked once more in vain, by a ping or a turn, after its time: one that is back by then
    is about to answer, and who waits need not be told.
    """

    def __init__(self, breakers: Breakers, clock: Clock) -> None:
        self._breakers = breakers
        self._clock = clock
        self._listeners: list[Listener] = []
        self._timers: dict[Key, asyncio.Task[None]] = {}
        self._lasting: set[Key] = set()

    def subscribe(self, listener: Listener) -> None:
        """Tell a listener of the outages that last; it must not block."""
        self._listeners.append(listener)

    def changed(self, key: Key, old: BreakerState, new: BreakerState) -> None:
        """Hear of a change of a breaker."""
        if new is BreakerState.CLOSED:
            self._drop_timer(key)
            if key in self._lasting:
                self._lasting.remove(key)
                self._tell(key, old, new)
        elif new is BreakerState.OPEN:
            self._opened(key, old)

    def missed(self) -> None:
        """Hear that the server was pinged in vain."""
        if None not in self._lasting:
            self._opened(None, BreakerState.CLOSED)

    async def stop(self) -> None:
        """Wait for nothing any more."""
        timers = list(self._timers.values())
        for key in list(self._timers):
            self._drop_timer(key)
        if timers:
            await asyncio.wait(timers)

    def _opened(self, key: Key, old: BreakerState) -> None:
        left = _LIMITED_SECONDS if isinstance(key, Provider) else LASTING_SECONDS
        left -= self._breakers.failing_for(key)
        if left <= 0:
            self._drop_timer(key)
            self._lasting.add(key)
            self._tell(key, old, BreakerState.OPEN)
        elif key is not None and key not in self._timers:
            waits = self._wait(key, left)
            self._timers[key] = asyncio.create_task(waits, name="aurora outage")

    async def _wait(self, key: Key, seconds: float) -> None:
        await sleep(self._clock, seconds)
        del self._timers[key]
        # While it is being tried it may be over; if it is not, it opens again.
        if self._breakers.is_open(key):
            self._opened(key, BreakerState.CLOSED)

    def _drop_timer(self, key: Key) -> None:
        if (timer := self._timers.pop(key, None)) is not None:
            timer.cancel()

    def _tell(self, key: Key, old: BreakerState, new: BreakerState) -> None:
        for listener in self._listeners:
            listener(key, old, new)
