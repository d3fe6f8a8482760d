"""The queue: accepted events on their way to a run.

The Store keeps what is here (promise 1); the lanes are its order in memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from enum import StrEnum
from typing import Any

from ..clock import Clock
from ..ids import new_event_id
from ..ledger import Backlog, Store
from ..model import (
    NO_CONTEXT,
    Change,
    Event,
    State,
)
from ..reasons import Reason
from .lanes import Lanes, Rules

log = logging.getLogger("red.aurora.queue")

EXPIRY_SECONDS = 15 * 60.0
"""How long an event may wait before it ends as expired."""
_LONGEST_DELAY = 300.0
_PATIENCE = (1.0, 30.0)
_LINED_UP_AT_ONCE = 500


class Enqueued(StrEnum):
    """What became of an event that was offered."""

    ACCEPTED = "accepted"
    DUPLICATE = Reason.DUPLICATE
    FULL = Reason.FULL
    SHUT = Reason.SHUT


class MessageQueue:
    """Accepted events, in lanes, under limits.

    What runs is a turn: an event, and those in its `earlier` that run with it. One caller at a
    time takes turns. `submit` and `get_stats` may be called from any thread; the rest belongs to
    the event loop.
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

    async def open(self) -> Backlog:
        """Open the store and line up what it still holds, in the order of acceptance."""
        self._loop = asyncio.get_running_loop()
        backlog = await self._store.open()
        now = self._clock.time()
        for channel_id, started_at in backlog.starts.items():
            self._lanes.restore_start(channel_id, now - started_at)
        speakers = {event.id for event in backlog.events}
        # First: a revived event may speak for others that were accepted after it.
        joined: dict[str, list[Event]] = {}
        for event in backlog.events:
            if event.turn_id in speakers:
                joined.setdefault(event.turn_id, []).append(event)
        for number, event in enumerate(backlog.events):
            if number % _LINED_UP_AT_ONCE == 0:
                await asyncio.sleep(0)
            if event.turn_id in speakers:
                self._unfinished[event.message_id] = self._placed(event)
                continue
            event.turn_id, event.earlier = None, tuple(joined.get(event.id, ()))
            self._line_up(event)
        return backlog

    async def enqueue(self, event: Event) -> Enqueued:
        """Accept an event, or say why not; accepted means the store has it (promise 1)."""
        if (refused := self._refusal(event)) is not None:
            return refused
        # Those on their way to the store count, so that events arriving at once can't overfill it.
        self._arriving[event.guild_id] += 1
        change = self._change(event, "queued")
        try:
            fresh = await self._store.add(event, change)
        finally:
            self._arriving[event.guild_id] -= 1
        if not fresh:
            self._totals[Enqueued.DUPLICATE] += 1
            return Enqueued.DUPLICATE
        return self._accepted(event, change)

    async def revive(self, event: Event) -> Enqueued:
        """Let a final event with a new context wait again, as if it had just been accepted."""
        if event.message_id in self._unfinished:
            return Enqueued.DUPLICATE
        if (refused := self._refusal(event)) is not None:
            return refused
        event.state, event.reason = State.WAITING, ""
        event.turn_id, event.interrupted = None, False
        event.attempts = event.misses = event.crashes = 0
        event.not_before, event.started_at, event.ended_at = 0.0, None, None
        event.run_id = event.input_id = event.answer = None
        event.expires_at = self._clock.time() + EXPIRY_SECONDS
        change = self._change(event, "queued", Reason.REVIVED)
        await self._store.revive(event, change)
        return self._accepted(event, change)

    def shut(self) -> None:
        """Accept nothing more; what is here can still be run, finished or cancelled."""
        self._shut = True

    def submit(self, event: Event) -> Future[Enqueued]:
        """Enqueue from another thread."""
        if self._loop is None:
            raise RuntimeError("The queue is not open yet.")
        return asyncio.run_coroutine_threadsafe(self.enqueue(event), self._loop)

    async def take(self) -> Event:
        """Wait for the next turn that may run, and take it; it must be started next."""
        while True:
            self._news.clear()
            event, seconds = self._lanes.take()
            if event is not None:
                # It is in no lane any more, so that nobody can cancel it there.
                for member in event.members:
                    member.state = State.RUNNING
                return event
            await self._clock.wait(self._news, seconds)

    async def start(self, event: Event) -> None:
        """Keep that a taken turn runs, and fill in its contexts.

        If that can't be kept the turn goes back into its lane, not to be taken for a second, and
        the error is raised.
        """
        now = self._clock.time()
        for member in event.members:
            member.started_at = now
        self._lanes.started(event)
        changes = self._changes(event.members, "running")
        try:
            await self._store.start(event, changes)
        except BaseException:
            self._put_back(event, 1.0)
            raise
        self._publish(changes)

    async def retry(self, event: Event, delay: float, detail: str = "") -> None:
        """Put a running turn back at the head of its lane, for `delay` seconds from now."""
        for member in event.members:
            member.not_before = self._clock.time() + delay
        changes = self._changes(event.members, "retrying", detail or f"in {delay:.1f} s")
        steps = list(zip(event.members, changes, strict=True))

        def left() -> list[tuple[Event, Change]]:
            # Who is withdrawn while the store is slow has an end by then.
            return [(member, change) for member, change in steps if not member.state.final]

        async def keep() -> None:
            # They count as waiting when they are back: until then nobody could cancel them.
            waiting = [replace(member, state=State.WAITING) for member, _ in left()]
            await self._store.move(waiting, [change for _, change in left()])

        await self._persist(keep)
        self._put_back(event, delay)
        self._publish([change for _, change in left()])

    async def leave(self, event: Event) -> None:
        """Leave a running turn to the next start of Aurora: it waits, and was interrupted."""
        if self._unfinished.get(event.message_id) is not event:
            return
        for member in event.members:
            del self._unfinished[member.message_id]
            member.state, member.interrupted = State.WAITING, True
        changes = self._changes(event.members, "retrying", Reason.UNLOADED)
        await self._store.move(event.members, changes)
        self._publish(changes)

    async def finish(self, event: Event, state: State, reason: str) -> None:
        """Bring a running turn to its final state, once, and let its lane go on."""
        if self._unfinished.get(event.message_id) is not event:
            return
        members = event.members
        self._end(members, state, reason)
        changes = self._changes(members, state, reason)
        try:
            await self._persist(lambda: self._store.move(members, changes))
        finally:
            self._lanes.release(event)
            self._news.set()
        self._publish(changes)

    async def withdraw(self, event: Event, member: Event, reason: str) -> None:
        """Cancel one of the earlier events of a running turn; the turn goes on without it."""
        self._lanes.leave_turn(event, member)
        self._end([member], State.CANCELLED, reason)
        changes = self._changes([member], State.CANCELLED, reason)
        await self._persist(lambda: self._store.move([member], changes))
        self._publish(changes)

    async def cancel(self, wanted: Callable[[Event], bool], reason: str) -> list[Event]:
        """End all waiting events that are wanted as cancelled; running ones are the worker's.

        With an event that speaks for a turn that was interrupted the others end too: only under
        its name is known what the turn has done.
        """
        waiting = self.waiting()
        turns = {event.id for event in waiting if event.interrupted and wanted(event)}
        ended = [event for event in waiting if event.turn_id in turns or wanted(event)]
        if not ended:
            return ended
        heirs = [heir for event in ended if (heir := self._lanes.drop(event)) is not None]
        self._news.set()
        self._end(ended, State.CANCELLED, reason)
        changes = self._changes(ended, State.CANCELLED, reason)
        await self._persist(lambda: self._store.move(ended, changes))
        changed = [member for heir in heirs for member in heir.members]
        if changed:
            await self._persist(lambda: self._store.save(*changed))
        self._publish(changes)
        return ended

    async def lengthen(self, wanted: Callable[[Event], bool], seconds: float) -> None:
        """Give waiting events back the time of a pause that ends now (promise 5).

        Who came during the pause gets only what has passed since then.
        """
        now = self._clock.monotonic()
        held = [event for event in self.waiting() if wanted(event)]
        for event in held:
            came_at = event.deadline - (event.expires_at - event.accepted_at)
            given = max(0.0, min(seconds, now - came_at))
            event.expires_at += given
            event.deadline += given
        if held:
            await self._persist(lambda: self._store.save(*held))
        self.reconsider()

    def find(self, message_id: int) -> Event | None:
        """Return the unfinished event of a message."""
        return self._unfinished.get(message_id)

    def waiting(self) -> list[Event]:
        """Return the events that wait, in the order of acceptance."""
        return [one for one in self._unfinished.values() if one.state is State.WAITING]

    def reconsider(self) -> None:
        """Look at every waiting lane again: a setting, a pause or a breaker has changed."""
        self._lanes.reconsider()
        self._news.set()

    def tell(self, event: Event, step: str, detail: str = "") -> None:
        """Tell whoever watches of a step that changes no state."""
        cause = event.cause
        self._notify(self._change(event, step, detail))
        event.cause = cause

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

    def _refusal(self, event: Event) -> Enqueued | None:
        if self._shut:
            return Enqueued.SHUT
        guild = event.guild_id
        if self._lanes.waiting[guild] + self._arriving[guild] >= self._rules.capacity(guild):
            self._totals[Enqueued.FULL] += 1
            return Enqueued.FULL
        return None

    def _accepted(self, event: Event, change: Change) -> Enqueued:
        self._totals[Enqueued.ACCEPTED] += 1
        event.context = NO_CONTEXT
        self._line_up(event)
        self._publish([change])
        return Enqueued.ACCEPTED

    def _line_up(self, event: Event) -> None:
        self._unfinished[event.message_id] = self._placed(event)
        self._lanes.add(event)
        self._news.set()

    def _placed(self, event: Event) -> Event:
        """Translate an event's times to the clock that nobody sets."""
        now, monotonic = self._clock.time(), self._clock.monotonic()
        # Whatever was done to the clock meanwhile, nobody waits longer than was meant.
        left = min(event.expires_at - now, event.expires_at - event.accepted_at)
        event.deadline = monotonic + left
        event.ready_at = monotonic + min(max(0.0, event.not_before - now), _LONGEST_DELAY)
        return event

    def _put_back(self, event: Event, delay: float) -> None:
        for member in event.members:
            member.state, member.context = State.WAITING, NO_CONTEXT
            member.ready_at = self._clock.monotonic() + delay
        self._lanes.put_back(event)
        self._news.set()

    def _end(self, events: Sequence[Event], state: State, reason: str) -> None:
        now = self._clock.time()
        for event in events:
            self._unfinished.pop(event.message_id, None)
            event.state, event.reason, event.ended_at = state, reason, now
            event.context, event.answer = NO_CONTEXT, None

    def _change(self, event: Event, step: str, detail: str = "") -> Change:
        now, cause = self._clock.time(), event.cause
        event.cause = new_event_id(now)
        return Change(
            event.id,
            event.message_id,
            event.channel_id,
            event.guild_id,
            step,
            now,
            detail,
            event.cause,
            cause,
        )

    def _changes(self, events: Sequence[Event], step: str, detail: str = "") -> list[Change]:
        return [self._change(event, step, detail) for event in events]

    def _publish(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.step in _FINAL:
                self._totals[change.step] += 1
            self._notify(change)

    async def _persist(self, keep: Callable[[], Awaitable[None]]) -> None:
        """Keep an outcome, however long the store refuses; only a cancellation ends the wait.

        It has happened and can't be taken back: a full disk must not make Aurora forget it.
        """
        delay, longest = _PATIENCE
        while True:
            try:
                return await keep()
            except Exception as error:
                log.exception("The ledger can't be written; trying again", exc_info=error)
            await self._clock.wait(asyncio.Event(), delay)
            delay = min(2 * delay, longest)


_FINAL = frozenset(state for state in State if state.final)
