"""A clock that runs faster than the machine's, so that minutes of an outage pass in seconds."""

from __future__ import annotations

import asyncio
import contextlib
import time


class ScaledClock:
    """An `aurora.clock.Clock` on which `speed` seconds pass in each real one."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._epoch = time.time()
        self._begun = time.monotonic()

    def time(self) -> float:
        """Return seconds since the epoch."""
        return self._epoch + (time.monotonic() - self._begun) * self.speed

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return self._begun + (time.monotonic() - self._begun) * self.speed

    async def wait(self, signal: asyncio.Event, seconds: float | None) -> None:
        """Return when the signal is set or the seconds (None: for ever) are over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if seconds is None else seconds / self.speed):
                await signal.wait()

    async def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        await asyncio.sleep(seconds / self.speed)
