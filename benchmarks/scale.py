"""How long the loop and the writer's line are held, when there is very much of everything."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aurora.clock import SystemClock
from aurora.errors import Breakers, ErrorStats
from aurora.health.status import Status
from aurora.ledger import EVERYWHERE
from aurora.ledger.sqlite import SqliteStore
from aurora.model import Event, State
from aurora.queue import MessageQueue
from aurora.queue.limits import WorkRules
from aurora.queue.selecting import OfGuild, OfMessages
from aurora.queue.walking import let_go
from aurora.reasons import Reason
from aurora.runs.pinging import look_again

from .durable import EventMaker, accept, settings_of
from .figures import Figure, percentile
from .filling import fill_with_finished, fill_with_waiting
from .machine import real_disk

FINISHED = 1_000_000
WAITING = 100_000
LANES, AGENTS = 10_000, 5_000
ACCEPTS = 200
_PACE_SECONDS = 0.01
_DAY = 24 * 3600.0


@dataclass
class _House:
    """A queue over a ledger with what decides about it, as the cog wires them."""

    queue: MessageQueue
    store: SqliteStore
    breakers: Breakers
    status: Status
    maker: EventMaker
    guild_ids: list[int]


async def measure(
    finished: int = FINISHED,
    *,
    waiting: int = WAITING,
    lanes: int = LANES,
    agents: int = AGENTS,
    accepts: int = ACCEPTS,
) -> AsyncIterator[Figure]:
    """Fill a ledger, boot, and do everything that looks at many."""
    with tempfile.TemporaryDirectory(prefix="aurora-bench-", dir=real_disk()) as folder:
        path, maker = Path(folder) / "ledger.sqlite3", EventMaker(lanes, agents)
        fill_with_finished(path, finished, maker)
        print(f"{path.stat().st_size / 1e6:.0f} MB of ledger", file=sys.stderr)
        for figure in [await _boot(path, cold=cold) for cold in (False, True)]:
            yield figure
        fill_with_waiting(path, waiting, maker)
        async with _opened(path, maker) as house:
            async for figure in _lists(house, accepts):
                yield figure
            async for figure in _bookkeeping(house):
                yield figure
        # Two thirds of what has ended are older than that.
        async with _opened(path, maker, days=7) as house:
            taken = await _accepts(house, lambda: asyncio.sleep(_PACE_SECONDS), accepts)
            yield Figure("scale_accept_beside_sweep_p99_ms", round(percentile(taken, 99), 3), "ms")


@asynccontextmanager
async def _opened(path: Path, maker: EventMaker, days: float = 30) -> AsyncIterator[_House]:
    clock, settings = SystemClock(), await settings_of(maker.guilds)
    breakers = Breakers(clock)
    store = SqliteStore(path, clock, retention=lambda: days * _DAY)
    queue = MessageQueue(store, WorkRules(settings, breakers), clock)
    breakers.subscribe(partial(look_again, queue, settings))
    status = Status(
        settings, store, queue, breakers, ErrorStats(clock), clock, backend=lambda: None
    )
    guild_ids = [_guild_of(lane, maker) for lane in range(maker.guilds)]
    for guild_id in guild_ids:
        # Every agent was asked of late.
        breakers.agent(settings.agent_for(guild_id) or "")
    try:
        await queue.open()
        yield _House(queue, store, breakers, status, maker, guild_ids)
    finally:
        await store.close()


def _guild_of(lane: int, maker: EventMaker) -> int:
    guild_id = maker.event(lane).guild_id
    assert guild_id is not None  # noqa: S101 - the maker makes no direct messages
    return guild_id


async def _boot(path: Path, *, cold: bool) -> Figure:
    """Open a ledger with finished rows alone; cold: nothing of it is in the system's cache."""
    if cold:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    store = SqliteStore(path, SystemClock(), retention=lambda: 30 * _DAY)
    begun = time.perf_counter()
    await store.open()
    seconds = time.perf_counter() - begun
    await store.close()
    return Figure(f"scale_boot_{'cold' if cold else 'warm'}_s", round(seconds, 3), "s")


async def _lists(house: _House, accepts: int) -> AsyncIterator[Figure]:
    """Ask what people ask for, and see what an accept waits beside it."""
    alone = await _accepts(house, lambda: asyncio.sleep(_PACE_SECONDS), accepts)
    yield Figure("scale_accept_p99_ms", round(percentile(alone, 99), 3), "ms")
    store, guild_id = house.store, house.guild_ids[1]
    asked: dict[str, Callable[[], Awaitable[object]]] = {
        "status_everywhere": lambda: house.status.waiting(EVERYWHERE),
        "status_guild": lambda: house.status.waiting(guild_id),
        "counts": lambda: store.counts(EVERYWHERE),
        "list_guild": lambda: store.recent(guild_id, limit=1000),
        "list_guild_without_rows": lambda: store.recent(1, limit=1000),
        "list_everywhere": lambda: store.recent(EVERYWHERE, limit=1000),
        "list_dead_everywhere": lambda: store.recent(
            EVERYWHERE, states=[State.FAILED], limit=1000
        ),
        "list_waiting_everywhere": lambda: store.recent(
            EVERYWHERE, states=[State.WAITING], limit=1000
        ),
        "dm_channels": lambda: store.dm_channels(0.0),
        "runs_of_person": lambda: store.of_author(7, guild_id, limit=10),
        "runs_of_busiest_person": lambda: store.of_author(1, EVERYWHERE, limit=10),
        "run_by_short_id": lambda: store.beginning("evt_01977420-c400-7000-8000-"),
        "runs_stats": lambda: store.spent(guild_id, 0),
    }
    for name, ask in asked.items():
        begun = time.perf_counter()
        await ask()
        yield Figure(f"scale_{name}_ms", round((time.perf_counter() - begun) * 1000, 3), "ms")
        beside = await _accepts(house, ask, accepts)
        delay = max(0.0, percentile(beside, 50) - percentile(alone, 50))
        yield Figure(f"scale_{name}_delays_accept_ms", round(delay, 3), "ms")


async def _accepts(
    house: _House, beside: Callable[[], Awaitable[object]], count: int
) -> list[float]:
    """Accept events one by one, each with something beside it; return the milliseconds each."""
    taken = []
    for number in range(count):
        event = house.maker.event(number)
        other = asyncio.ensure_future(beside())
        # What was asked for first is first in the ledger's line.
        await asyncio.sleep(0)
        begun = time.perf_counter()
        await accept(house.queue, event)
        taken.append((time.perf_counter() - begun) * 1000)
        await other
    return taken


async def _bookkeeping(house: _House) -> AsyncIterator[Figure]:
    """Do everything that looks at many, and see how long the loop is held by it."""
    queue, breakers, guild_ids = house.queue, house.breakers, house.guild_ids
    lone = house.maker.event(0)
    await accept(queue, lone)

    async def settled() -> None:
        """Have everything looked at that is to be looked at."""
        turn = await queue.take()
        await queue.retry(turn, 60.0)

    async def server(fail: bool) -> None:
        if fail:
            for _ in range(5):
                permit = breakers.server.acquire()
                assert permit is not None  # noqa: S101 - it is closed
                permit.failure()
        else:
            breakers.reset()
        looking = asyncio.create_task(queue.take())
        await asyncio.sleep(1.0)
        if looking.done():
            await queue.retry(looking.result(), 60.0)
        else:
            looking.cancel()

    async def acquire() -> None:
        for number in range(100):
            permits = breakers.acquire(f"agent-{number}")
            if permits is not None:
                permits.release()

    done: dict[str, Callable[[], Awaitable[object]]] = {
        "server_breaker_opens": lambda: server(True),
        "server_breaker_closes": lambda: server(False),
        "everything_is_reconsidered": lambda: _reconsidered(queue, None),
        "guild_is_reconsidered": lambda: _reconsidered(queue, guild_ids[:1]),
        "turn_is_taken": settled,
        "hundred_permits": acquire,
        "message_is_deleted": lambda: queue.cancel(
            OfMessages({lone.message_id}), Reason.MESSAGE_DELETED
        ),
        "guild_is_cancelled": lambda: queue.cancel(OfGuild(guild_ids[2]), Reason.DISABLED),
        "guild_gets_its_time_back": lambda: queue.lengthen(OfGuild(guild_ids[3]), 1.0),
        "all_get_their_time_back": lambda: queue.lengthen(_everything, 1.0),
        "stats": lambda: asyncio.sleep(0, queue.get_stats()),
        "oldest": lambda: queue.oldest(EVERYWHERE),
        "all_are_cancelled": lambda: _cleared(queue),
    }
    for name, do in done.items():
        yield Figure(f"scale_{name}_holds_ms", round(await _held(do), 3), "ms")


async def _reconsidered(queue: MessageQueue, guild_ids: list[int] | None) -> None:
    queue.reconsider(guild_ids)
    turn = await queue.take()
    await queue.retry(turn, 60.0)


async def _cleared(queue: MessageQueue) -> None:
    await let_go(await queue.cancel(_everything, Reason.CLEARED))


def _everything(_event: Event) -> bool:
    return True


async def _held(do: Callable[[], Awaitable[object]]) -> float:
    """Do something; return the longest time in milliseconds that nothing else could run."""
    loop, longest, last = asyncio.get_running_loop(), 0.0, time.perf_counter()
    going = True

    def tick() -> None:
        nonlocal longest, last
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
        if going:
            loop.call_soon(tick)

    tick()
    await asyncio.sleep(0)
    longest = 0.0
    await do()
    await asyncio.sleep(0)
    going = False
    return longest * 1000
