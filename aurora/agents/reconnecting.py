"""The search for a server that was lost in mid-turn: pauses that grow, until a limit."""

from __future__ import annotations

import asyncio

from ..clock import Clock, sleep

DELAYS = (0.1, 0.25, 0.5, 1.0)
"""Seconds before one look and the next; the last is repeated."""


class Search:
    """One search, which gives up `limit` seconds after its start."""

    def __init__(self, clock: Clock, limit: float) -> None:
        self._clock = clock
        self._limit = limit
        self.restart()

    def restart(self) -> None:
        """Begin anew: the server was heard, though it may be gone again."""
        self._deadline = self._clock.monotonic() + self._limit
        self._looks = 0

    @property
    def over(self) -> bool:
        """Tell whether the limit is reached."""
        return self._clock.monotonic() >= self._deadline

    async def pause(self, stop: asyncio.Event | None = None) -> None:
        """Wait before the next look, or until `stop` is set."""
        delay = DELAYS[min(self._looks, len(DELAYS) - 1)]
        self._looks += 1
        await (sleep(self._clock, delay) if stop is None else self._clock.wait(stop, delay))
