"""How long a lost server is looked for, and how often."""

from __future__ import annotations

import asyncio

from aurora.agents.reconnecting import DELAYS, Search
from tests.support.clocks import FakeClock


class Leaping(FakeClock):
    """A clock on which every wait is over at once; it notes how long they would have been."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    async def wait(self, signal: asyncio.Event, seconds: float | None) -> None:
        assert not signal.is_set()
        assert seconds is not None
        self.waits.append(seconds)
        await self.advance(seconds)


async def test_pauses_grow_until_the_limit() -> None:
    """And start small again when the server was heard."""
    clock = Leaping()
    search = Search(clock, 3.0)
    while not search.over:
        await search.pause()
    assert clock.waits == [*DELAYS, DELAYS[-1], DELAYS[-1]]
    search.restart()
    assert not search.over
    await search.pause()
    assert clock.waits[-1] == DELAYS[0]


async def test_a_pause_ends_when_it_is_stopped() -> None:
    """Nobody waits for a server whose turn nobody wants any more."""
    stop = asyncio.Event()
    stop.set()
    await asyncio.wait_for(Search(FakeClock(), 60.0).pause(stop), 1)
