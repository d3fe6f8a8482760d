"""The one source of time, injected so that tests can move it, and what goes by it alone."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Hashable
from typing import Protocol


class Clock(Protocol):
    """Time as the queue, the worker and the breaker see it."""

    def time(self) -> float:
        """Return seconds since the epoch; only for what is stored or shown."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never jump; for every duration and due time."""
        ...

    async def wait(self, signal: asyncio.Event, seconds: float | None) -> None:
        """Return when the signal is set or the seconds (None: for ever) are over."""
        ...


class SystemClock:
    """The machine's clock."""

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds of the running event loop's kind of clock."""
        return time.monotonic()

    async def wait(self, signal: asyncio.Event, seconds: float | None) -> None:
        """Return when the signal is set or the seconds (None: for ever) are over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await signal.wait()


async def sleep(clock: Clock, seconds: float) -> None:
    """Return when the seconds are over, as that clock counts them."""
    await clock.wait(asyncio.Event(), seconds)


class Throttle:
    """Let something happen for a key at most once in so many seconds."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._last: dict[Hashable, float] = {}

    def allow(self, key: Hashable) -> bool:
        """Tell whether it may happen now, and count it."""
        now = self._clock.monotonic()
        self._last = {k: at for k, at in self._last.items() if now - at < self._seconds}
        if key in self._last:
            return False
        self._last[key] = now
        return True
