"""How many events a second the queue takes in, starts and finishes, each step kept on disk."""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from aurora.ledger import EVERYWHERE
from aurora.model import Event, State
from aurora.queue import MessageQueue
from aurora.reasons import Reason

from .durable import EventMaker, accept, opened
from .figures import Figure
from .machine import fsync_us, real_disk

EVENTS = 32_000
WORKERS = 64
LANES, GUILDS = 500, 50


class _Order:
    """Asserts of each lane that its turns start in the order of acceptance and never overlap."""

    def __init__(self) -> None:
        self._last: dict[int, int] = {}
        self._running: set[int] = set()

    def begins(self, channel_id: int, message_id: int) -> None:
        if channel_id in self._running or self._last.get(channel_id, 0) >= message_id:
            raise SystemExit(
                "The measurement is void: a lane's turns overlapped or changed order."
            )
        self._running.add(channel_id)
        self._last[channel_id] = message_id

    def ended(self, channel_id: int) -> None:
        self._running.remove(channel_id)


async def measure(events: int = EVENTS, *, workers: int = WORKERS) -> AsyncIterator[Figure]:
    """Have many producers and as many consumers work through a queue on a new file."""
    with tempfile.TemporaryDirectory(prefix="aurora-bench-", dir=real_disk()) as folder:
        path = Path(folder) / "ledger.sqlite3"
        async with opened(path, GUILDS) as (queue, _):
            await queue.open()
            shares = _shares(events, workers)
            # Making events is not the queue's work, nor is walking over them as garbage.
            gc.collect()
            gc.freeze()
            begun = time.perf_counter()
            await _work(queue, shares)
            seconds = time.perf_counter() - begun
            gc.unfreeze()
        # A store that has seen nothing of the above counts what is in the file.
        async with opened(path, GUILDS) as (_, again):
            backlog = await again.open()
            finished = (await again.counts(EVERYWHERE))[State.ANSWERED]
    if finished != events or backlog.turns:
        raise SystemExit(f"The measurement is void: {finished} of {events} events are finished.")
    print(f"{events} events in {seconds:.2f} s; fsync takes {fsync_us():.0f} µs", file=sys.stderr)
    yield Figure("events_per_s", round(events / seconds), "1/s")


def _shares(events: int, workers: int) -> list[list[Event]]:
    """Make the events of each producer.

    Each lane has one producer, so that the order of acceptance is the order of the ids.
    """
    maker = EventMaker(LANES, GUILDS)
    lanes = [itertools.cycle(range(number, LANES, workers)) for number in range(workers)]
    return [[maker.event(next(mine)) for _ in range(events // workers)] for mine in lanes]


async def _work(queue: MessageQueue, shares: Sequence[list[Event]]) -> None:
    order, taking = _Order(), asyncio.Lock()

    async def produce(share: list[Event]) -> None:
        for event in share:
            await accept(queue, event)

    async def consume(count: int) -> None:
        for _ in range(count):
            async with taking:  # one caller at a time takes turns
                turn = await queue.take()
            event = turn.speaker
            order.begins(event.channel_id, event.message_id)
            await queue.start(turn)
            if event.context["message"]["id"] != str(event.message_id):
                raise SystemExit("The measurement is void: an event came without its context.")
            order.ended(event.channel_id)
            await queue.finish(turn, Reason.DELIVERED)

    async with asyncio.TaskGroup() as group:
        for share in shares:
            group.create_task(produce(share))
            group.create_task(consume(len(share)))
