"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import Any

_MOST_TURNS = 1000


class FakeClock:
    """An `aurora.clock.Clock` moved by `advance`.

    Its two times start far apart, so that code which mixes them up fails. `advance` lets the
    event loop's tasks run, not other threads: a test that has threads waits for those itself.
    """

    def __init__(self, *, epoch: float = 1_750_000_000.0, monotonic: float = 1_000.0) -> None:
        self._monotonic = monotonic
        self._offset = epoch - monotonic
        self._order = itertools.count()
        self._alarms: dict[int, tuple[float, asyncio.Timeout]] = {}

    def time(self) -> float:
        """Return seconds since the epoch."""
        return self._offset + self._monotonic

    def monotonic(self) -> float:
        """Return seconds that only `advance` moves."""
        return self._monotonic

    async def wait(self, signal: asyncio.Event, seconds: float | None) -> None:
        """Return when the signal is set or the clock was advanced by the seconds."""
        if seconds is not None and seconds <= 0:
            # Even a wait for nothing lets others run, as the system clock's does.
            await asyncio.sleep(0)
            return
        ticket = next(self._order)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None) as limit:
                if seconds is not None:
                    self._alarms[ticket] = (self._monotonic + seconds, limit)
                try:
                    await signal.wait()
                finally:
                    self._alarms.pop(ticket, None)

    async def advance(self, seconds: float) -> None:
        """Move both times on, stopping at each waiter that falls due, in the order they do.

        What a woken task does, and what it then waits for within the same span, happens at the
        time it was due.
        """
        end = self._monotonic + seconds
        await self.settle()
        while due := [(at, ticket) for ticket, (at, _) in self._alarms.items() if at <= end]:
            self._monotonic, ticket = min(due)
            _, limit = self._alarms.pop(ticket)
            limit.reschedule(asyncio.get_running_loop().time())
            await self.settle()
        self._monotonic = end
        await self.settle()

    async def settle(self) -> None:
        """Let every task run until it waits for something."""
        loop: Any = asyncio.get_running_loop()
        for _ in range(_MOST_TURNS):
            await asyncio.sleep(0)
            if not loop._ready:
                return

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an administrator or NTP does."""
        self._offset += seconds

    @property
    def waiting(self) -> int:
        """Count the waits that only time ends."""
        return len(self._alarms)
