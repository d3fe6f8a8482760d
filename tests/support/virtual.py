"""A time that passes only when everybody waits for it: an hour of waiting takes no time at all."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from typing import Any

EPOCH = 1_750_000_000.0


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer when nothing is left to do.

    All that waits by the loop keeps the length of its waits, such as discord.py's own. Nothing may
    wait for a socket or a thread: that would look like a standstill.
    """

    def __init__(self) -> None:
        super().__init__()
        self._at = 1_000.0

    def time(self) -> float:
        """Return the time that has passed."""
        return self._at

    def _run_once(self) -> None:
        inner: Any = self
        timers = inner._scheduled
        while timers and timers[0]._cancelled:
            inner._timer_cancelled_count -= 1
            heapq.heappop(timers)._scheduled = False
        if not inner._ready and timers:
            self._at = max(self._at, timers[0]._when)
        inner_run: Any = super()
        inner_run._run_once()


class VirtualClock:
    """An `aurora.clock.Clock` that goes by the running loop, `ahead` of it by so many seconds."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.ahead = ahead

    def time(self) -> float:
        """Return seconds since the epoch."""
        return EPOCH + self.monotonic() + self.ahead

    def monotonic(self) -> float:
        """Return seconds of the loop's time."""
        return asyncio.get_running_loop().time()

    async def wait(self, signal: asyncio.Event, seconds: float | None) -> None:
        """Return when the signal is set or the seconds (None: for ever) are over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await signal.wait()
