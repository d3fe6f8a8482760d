"""The queue: accepted events on their way to a run.

The Store keeps what is here (promise 1); the lanes are its order in memory.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from enum import StrEnum
from typing import Any

from .clock import Clock
from .lanes import Lanes, Rules
from .ledger import Store
from .model import Change, Event, State


class Enqueued(StrEnum):
    """What became of an event that was offered."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    FULL = "full"
    SHUT = "shut"


class MessageQueue:
    """Accepted events, in lanes, under limits.

    `submit` and `get_stats` may be called from any thread; the rest belongs to the event loop.
    """

    def __init__(
        self,
        store: Store,
        rules: Rules,
        clock: Clock,
        notify: Callable[[Change], None] = lambda _change: None,
    ) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._notify = notify
        self._lanes = Lanes(rules, clock)
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unfinished: dict[int, Event] = {}
        self._arriving: Counter[int | None] = Counter()
        self._totals: Counter[str] = Counter()
        self._shut = False

    async def open(self) -> None:
        """Open the store and line up what it still holds, in the order of acceptance."""
        self._loop = asyncio.get_running_loop()
        for event in await self._store.open():
            event.state = State.WAITING
            self._line_up(event)

    async def enqueue(self, event: Event) -> Enqueued:
        """Accept an event, or say why not; accepted means the store has it (promise 1)."""
        if self._shut:
            return Enqueued.SHUT
        guild = event.guild_id
        # Those on their way to the store count, so that events arriving at once can't overfill it.
        if self._lanes.waiting[guild] + self._arriving[guild] >= self._rules.capacity(guild):
            self._totals[Enqueued.FULL] += 1
            return Enqueued.FULL
        self._arriving[guild] += 1
        try:
            fresh = await self._store.add(event)
        finally:
            self._arriving[guild] -= 1
        if not fresh:
            self._totals[Enqueued.DUPLICATE] += 1
            return Enqueued.DUPLICATE
        self._totals[Enqueued.ACCEPTED] += 1
        self._line_up(event)
        self.tell(event, "queued")
        return Enqueued.ACCEPTED

    def shut(self) -> None:
        """Accept nothing more; what is here can still be run, finished or cancelled."""
        self._shut = True

    def submit(self, event: Event) -> Future[Enqueued]:
        """Enqueue from another thread."""
        if self._loop is None:
            raise RuntimeError("The queue is not open yet.")
        return asyncio.run_coroutine_threadsafe(self.enqueue(event), self._loop)

    async def claim(self) -> Event:
        """Wait for the next event that may run, and take it."""
        while True:
            self._news.clear()
            event, seconds = self._lanes.take()
            if event is None:
                await self._clock.wait(self._news, seconds)
                continue
            event.state = State.RUNNING
            try:
                await self._store.save(event)
            except BaseException:
                self._put_back(event)
                raise
            self.tell(event, "running")
            return event

    async def retry(self, event: Event, delay: float) -> None:
        """Put a claimed event back at the head of its lane, for `delay` seconds from now."""
        event.not_before = self._clock.time() + delay
        # It counts as waiting when it is back in its lane: until then nobody could cancel it.
        await self._store.save(replace(event, state=State.WAITING))
        self._put_back(event)
        self.tell(event, "retrying", f"in {delay:.1f} s")

    async def finish(self, event: Event, state: State, reason: str) -> None:
        """Bring a claimed event to its final state, once, and let its lane go on."""
        if self._unfinished.pop(event.message_id, None) is None:
            return
        try:
            await self._store.finish(event, state, reason)
        finally:
            self._lanes.release(event)
            self._news.set()
        self._tell_final(event)

    async def cancel(self, wanted: Callable[[Event], bool], reason: str) -> list[Event]:
        """End all waiting events that are wanted as cancelled; running ones are the worker's."""
        ended = [
            event
            for event in self._unfinished.values()
            if event.state is State.WAITING and wanted(event)
        ]
        for event in ended:
            self._lanes.drop(event)
            del self._unfinished[event.message_id]
        self._news.set()
        for event in ended:
            await self._store.finish(event, State.CANCELLED, reason)
            self._tell_final(event)
        return ended

    def find(self, message_id: int) -> Event | None:
        """Return the unfinished event of a message."""
        return self._unfinished.get(message_id)

    def reconsider(self) -> None:
        """Look at every waiting lane again: a setting, a pause or a breaker has changed."""
        self._lanes.reconsider()
        self._news.set()

    def tell(self, event: Event, step: str, detail: str = "") -> None:
        """Tell whoever watches of a step in an event's life."""
        self._notify(
            Change(
                event.id,
                event.message_id,
                event.channel_id,
                event.guild_id,
                step,
                self._clock.time(),
                detail,
            )
        )

    def get_stats(self) -> dict[str, Any]:
        """Return counts: waiting, running, waiting by guild, and totals since start."""
        # Copying a dict is one step for the interpreter, so this is safe from any thread.
        waiting = {guild: count for guild, count in dict(self._lanes.waiting).items() if count}
        return {
            "waiting": sum(waiting.values()),
            "running": self._lanes.running,
            "waiting_by_guild": waiting,
            "totals": dict(self._totals),
        }

    def _tell_final(self, event: Event) -> None:
        self._totals[event.state] += 1
        self.tell(event, event.state, event.reason)

    def _line_up(self, event: Event) -> None:
        self._unfinished[event.message_id] = event
        self._lanes.add(event)
        self._news.set()

    def _put_back(self, event: Event) -> None:
        event.state = State.WAITING
        self._lanes.put_back(event)
        self._news.set()
