"""The storm: all troubles at once, at random moments, for minutes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Collection, Sequence
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

Trouble = Callable[[], Awaitable[None]]

_JUMPS = (HOUR, -HOUR, DAY, -DAY)
KINDS = ("server", "clock", "session", "kill", "disk", "second")
_ONE_BY_ONE = ("kill", "disk", "second")
"""Who begins on a full disk, or follows one that is being killed, is another story."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How rough a storm is; all times are in seconds.

    Each kind of trouble rests between `rest` and comes again, for all of `lasts`. The agents'
    server is away for `outages` in turn, guilds are up to `latest` late, the disk is full for
    `full`, and two processes live side by side for `beside`. `kinds` are some of KINDS.
    """

    lasts: float = 600.0
    rest: tuple[float, float] = (5.0, 25.0)
    outages: Sequence[float] = (4.0, 35.0)
    latest: float = 8.0
    full: float = 6.0
    beside: float = 4.0
    kinds: Collection[str] = KINDS


async def brew(drill: Drill, weather: Weather) -> None:
    """Let a storm pass."""
    outages, jumps = itertools.cycle(weather.outages), itertools.cycle(_JUMPS)
    cuts = itertools.cycle((False, True))

    async def set_clock() -> None:
        drill.life.set_clock(next(jumps))

    async def follow() -> None:
        second = await drill.another()
        await asyncio.sleep(weather.beside)
        await drill.follow(second)

    troubles: dict[str, Trouble] = {
        "server": lambda: let_server_go(drill, next(outages)),
        "clock": set_clock,
        "session": lambda: renew_session(drill, weather.latest, cut=next(cuts)),
        "kill": drill.kill,
        "disk": lambda: let_disk_be_full(drill, weather.full),
        "second": follow,
    }
    wanted = [kind for kind in KINDS if kind in weather.kinds]
    rows = [[troubles[kind]] for kind in wanted if kind not in _ONE_BY_ONE]
    rows.append([troubles[kind] for kind in wanted if kind in _ONE_BY_ONE])
    until = monotonic() + weather.lasts
    async with asyncio.TaskGroup() as group:
        for row in filter(None, rows):
            group.create_task(_again(drill, row, weather.rest, until))


async def _again(
    drill: Drill, row: Sequence[Trouble], rest: tuple[float, float], until: float
) -> None:
    """Let the troubles of a row come in turn, with rests between them."""
    coming = itertools.cycle(row)
    while (pause := drill.rng.uniform(*rest)) < until - monotonic():
        await asyncio.sleep(pause)
        await next(coming)()
    await asyncio.sleep(max(0.0, until - monotonic()))
