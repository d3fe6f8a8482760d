"""What waiting events take of the memory, and of the time to boot."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from aurora.queue import MessageQueue
from aurora.reasons import Reason

from .durable import EventMaker, accept, opened
from .figures import Figure
from .machine import real_disk, rss

WAITING = 10_000
GUILDS = 1_000
BOOTED = 100_000
BOOTED_LANES, BOOTED_GUILDS = 5_000, 500
_ROOT = Path(__file__).parents[1]
_MB = 1_000_000
_AT_ONCE = 100


async def measure(waiting: int = WAITING, *, guilds: int = GUILDS) -> AsyncIterator[Figure]:
    """Let one event wait in each of many channels, and see what the process has grown by."""
    with tempfile.TemporaryDirectory(prefix="aurora-bench-", dir=real_disk()) as folder:
        async with opened(Path(folder) / "ledger.sqlite3", guilds) as (queue, _):
            await queue.open()
            maker = EventMaker(waiting, guilds)
            await _warm_up(queue, maker)
            before = rss()
            await fill(queue, maker, waiting)
            grown = rss() - before
    yield Figure("memory_10k_mb", round(grown / _MB * WAITING / waiting, 2), "MB")


async def measure_boot(
    waiting: int = BOOTED, *, lanes: int = BOOTED_LANES, guilds: int = BOOTED_GUILDS
) -> AsyncIterator[Figure]:
    """Open a ledger full of waiting events, left by a process that died."""
    with tempfile.TemporaryDirectory(prefix="aurora-bench-", dir=real_disk()) as folder:
        path = Path(folder) / "ledger.sqlite3"
        sizes = map(str, (waiting, lanes, guilds))
        command = [sys.executable, "-m", "benchmarks.memory", str(path), *sizes]
        filling = await asyncio.create_subprocess_exec(*command, cwd=_ROOT)
        if await filling.wait():
            raise SystemExit("The measurement is void: the ledger could not be filled.")
        async with opened(path, guilds) as (queue, _):
            begun = time.perf_counter()
            await queue.open()
            seconds = time.perf_counter() - begun
            if queue.get_stats()["waiting"] != waiting:
                raise SystemExit("The measurement is void: not all events were lined up.")
            # That it works is part of having booted.
            await queue.start(await queue.take())
    yield Figure("boot_100k_s", round(seconds, 3), "s")


async def fill(queue: MessageQueue, maker: EventMaker, count: int) -> None:
    """Enqueue events, lane after lane, many at a time."""
    for first in range(0, count, _AT_ONCE):
        lanes = (number % maker.lanes for number in range(first, min(first + _AT_ONCE, count)))
        await asyncio.gather(*(accept(queue, maker.event(lane)) for lane in lanes))


async def _warm_up(queue: MessageQueue, maker: EventMaker) -> None:
    """Have everything imported, prepared and cached that the first events bring about."""
    await fill(queue, maker, _AT_ONCE)
    for _ in range(_AT_ONCE):
        turn = await queue.take()
        await queue.start(turn)
        await queue.finish(turn, Reason.DELIVERED)


async def _leave_behind(path: Path, waiting: int, lanes: int, guilds: int) -> None:
    """Fill a ledger, and die."""
    async with opened(path, guilds) as (queue, _):
        await queue.open()
        await fill(queue, EventMaker(lanes, guilds), waiting)
        os._exit(0)


if __name__ == "__main__":
    asyncio.run(_leave_behind(Path(sys.argv[1]), *map(int, sys.argv[2:])))
