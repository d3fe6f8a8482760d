"""The storm: all troubles at once, at random moments, for minutes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from .drill import Drill
from .troubles import (
    DAY,
    HOUR,
    let_disk_be_full,
    let_server_go,
    renew_session,
)

_JUMPS = (HOUR, -HOUR, DAY, -DAY)


@dataclass(frozen=True, slots=True)
class Weather:
    """How rough a storm is; all times are in seconds.

    Each kind of trouble rests between `rest` and comes again, for all of `lasts`. The agents'
    server is away for `outages` in turn, guilds are up to `latest` late, the disk is full for
    `full`, and two processes live side by side for `beside`.
    """

    lasts: float = 600.0
    rest: tuple[float, float] = (5.0, 25.0)
    outages: Sequence[float] = (4.0, 35.0)
    latest: float = 8.0
    full: float = 6.0
    beside: float = 4.0


async def brew(drill: Drill, weather: Weather) -> None:
    """Let a storm pass."""
    outages, jumps = itertools.cycle(weather.outages), itertools.cycle(_JUMPS)
    cuts = itertools.cycle((False, True))

    async def server() -> None:
        await let_server_go(drill, next(outages))

    async def clock() -> None:
        drill.life.set_clock(next(jumps))

    async def session() -> None:
        await renew_session(drill, weather.latest, cut=next(cuts))

    async def disk() -> None:
        await let_disk_be_full(drill, weather.full)

    async def second() -> None:
        life = await drill.another()
        await asyncio.sleep(weather.beside)
        await drill.follow(life)

    async def killing() -> None:
        await drill.kill()

    # One after the other: who begins on a full disk, or follows one that is being killed, is
    # another story.
    ends = itertools.cycle((killing, disk, second))

    async def life() -> None:
        await next(ends)()

    until = monotonic() + weather.lasts
    async with asyncio.TaskGroup() as group:
        for trouble in (server, clock, session, life):
            group.create_task(_again(drill, trouble, weather.rest, until), name=trouble.__name__)


async def _again(
    drill: Drill,
    trouble: Callable[[], Awaitable[None]],
    rest: tuple[float, float],
    until: float,
) -> None:
    while (pause := drill.rng.uniform(*rest)) < until - monotonic():
        await asyncio.sleep(pause)
        await trouble()
