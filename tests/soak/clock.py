"""Clocks that go wrong: one runs faster than the machine's, one is set forth and back."""

from __future__ import annotations

import asyncio
import contextlib
import time

import time_machine


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


class ProcessClock:
    """The wall clock of this process, as all its libraries see it; durations go on as before."""

    def __init__(self) -> None:
        self._off = 0.0
        self._travel: time_machine.travel | None = None

    def set(self, seconds: float) -> None:
        """Set it forth by so many seconds, or back."""
        self.stop()
        self._off += seconds
        self._travel = time_machine.travel(time.time() + self._off, tick=True)
        self._travel.start()

    def stop(self) -> None:
        """Set it right."""
        if self._travel is not None:
            self._travel.stop()
        self._travel = None
