"""The one source of time, injected so that tests can move it."""

from __future__ import annotations

import asyncio
import contextlib
import time
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
