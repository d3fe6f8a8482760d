"""The one source of time, injected so that tests can move it, and what goes by it alone."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
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
        self._last: OrderedDict[Hashable, float] = OrderedDict()

    def allow(self, *keys: Hashable) -> bool:
        """Tell whether it may happen now for all of the keys, and count it if so."""
        now = self._clock.monotonic()
        while self._last and now - next(iter(self._last.values())) >= self._seconds:
            self._last.popitem(last=False)
        if any(key in self._last for key in keys):
            return False
        self._last.update(dict.fromkeys(keys, now))
        return True
