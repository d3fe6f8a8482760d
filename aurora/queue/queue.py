"""The queue: accepted events on their way to a run.

The Store keeps what is here (promise 1); the lanes are its order in memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from enum import StrEnum
from typing import Any

from ..clock import Clock, sleep
from ..ids import new_event_id, new_turn_id
from ..ledger import Backlog, Store
from ..model import NO_CONTEXT, Change, Event, State, Turn
from ..reasons import REASONS, Reason
from .lanes import Lanes
from .limits import Rules

log = logging.getLogger("red.aurora.queue")

EXPIRY_SECONDS = 15 * 60.0
"""How long an event may wait before it ends as expired."""
_LONGEST_DELAY = 300.0
_PATIENCE = (1.0, 30.0)
_LINED_UP_AT_ONCE = 500
_LOOKED_AT_ONCE = 200


class Enqueued(StrEnum):
    """What became of an event that was offered."""

    ACCEPTED = "accepted"
    DUPLICATE = Reason.DUPLICATE
    FULL = Reason.FULL
    SHUT = Reason.SHUT


class MessageQueue:
    """Accepted events, in lanes, under limits.

    What runs is a turn: one event, or several that run together. One caller at a time takes
    turns. `submit` and `get_stats` may be called from any thread; the rest belongs to the event
    loop.
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
        # The turn of each unfinished event, by message.
        self._turns: dict[int, Turn] = {}
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
        for number, turn in enumerate(backlog.turns):
            if number % _LINED_UP_AT_ONCE == 0:
                await asyncio.sleep(0)
            self._begin(turn)
            self._line_up(turn)
        return backlog

    async def enqueue(self, event: Event) -> Enqueued:
        """Accept an event, or say why not; accepted means the store has it (promise 1)."""
        if (refused := self._refusal(event)) is not None:
            return refused
        # Their time begins now: however slow the store is, the clock may be set meanwhile.
        self._begin(turn := Turn((event,)))
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
        return self._accepted(turn, change)

    async def revive(self, event: Event) -> Enqueued:
        """Let a final event with a new context wait again, as if it had just been accepted."""
        if event.message_id in self._turns:
            return Enqueued.DUPLICATE
        if (refused := self._refusal(event)) is not None:
            return refused
        event.state, event.reason = State.WAITING, ""
        event.turn_id = event.ended_at = None
        event.expires_at = self._clock.time() + EXPIRY_SECONDS
        self._begin(turn := Turn((event,)))
        change = self._change(event, "queued", Reason.REVIVED)
        await self._store.revive(event, change)
        return self._accepted(turn, change)

    def shut(self) -> None:
        """Accept nothing more; what is here can still be run, finished or cancelled."""
        self._shut = True

    def submit(self, event: Event) -> Future[Enqueued]:
        """Enqueue from another thread."""
        if self._loop is None:
            raise RuntimeError("The queue is not open yet.")
        return asyncio.run_coroutine_threadsafe(self.enqueue(event), self._loop)

    async def take(self) -> Turn:
        """Wait for the next turn that may run, and take it; it must be started next."""
        while True:
            self._news.clear()
            turn, seconds = self._lanes.take()
            if turn is not None:
                # It is in no lane any more, so that nobody can cancel it there.
                for event in turn.events:
                    event.state = State.RUNNING
                    self._turns[event.message_id] = turn
                return turn
            await self._clock.wait(self._news, seconds)

    async def start(self, turn: Turn) -> None:
        """Keep that a taken turn runs, and fill in its contexts.

        If that can't be kept the turn goes back into its lane, not to be taken for a second, and
        the error is raised.
        """
        turn.started_at = now = self._clock.time()
        turn.id = turn.id or new_turn_id(now)
        for event in turn.events:
            event.turn_id = turn.id
        self._lanes.started(turn)
        changes = self._changes(turn, "running")
        try:
            await self._store.start(turn, changes)
        except BaseException:
            self._put_back(turn, 1.0)
            raise
        self._publish(changes)

    async def retry(self, turn: Turn, delay: float) -> None:
        """Put a running turn back at the head of its lane, for `delay` seconds from now."""
        turn.not_before = self._clock.time() + delay
        changes = self._changes(turn, "retrying", f"in {delay:.1f} s")
        steps = list(zip(turn.events, changes, strict=True))

        def left() -> list[tuple[Event, Change]]:
            # Who is withdrawn while the store is slow has an end by then.
            return [(event, change) for event, change in steps if not event.state.final]

        async def keep() -> None:
            # They count as waiting when they are back: until then nobody could cancel them.
            waiting = [replace(event, state=State.WAITING) for event, _ in left()]
            await self._store.move(waiting, [change for _, change in left()], [turn])

        await self._persist(keep)
        self._put_back(turn, delay)
        self._publish([change for _, change in left()])

    async def leave(self, turn: Turn) -> None:
        """Leave a running turn to the next start of Aurora: it waits, and was interrupted."""
        if self._turns.get(turn.speaker.message_id) is not turn:
            return
        turn.interrupted = True
        for event in turn.events:
            del self._turns[event.message_id]
            event.state = State.WAITING
        changes = self._changes(turn, "retrying", Reason.UNLOADED)
        await self._store.move(turn.events, changes, [turn])
        self._publish(changes)

    async def finish(self, turn: Turn, reason: Reason) -> None:
        """Bring a running turn to the final state of a reason, once, and let its lane go on."""
        if (state := REASONS[reason].state) is None:
            raise ValueError(f"nothing ends as {reason}")
        if self._turns.get(turn.speaker.message_id) is not turn:
            return
        events = turn.events
        self._end(events, state, reason)
        turn.ended_at, turn.answer = turn.speaker.ended_at, None
        changes = self._changes(turn, state, reason)
        try:
            await self._persist(lambda: self._store.move(events, changes, [turn]))
        finally:
            self._lanes.release(turn)
            self._news.set()
        self._publish(changes)

    async def withdraw(self, turn: Turn, event: Event, reason: Reason) -> None:
        """Cancel one of the earlier events of a running turn; the turn goes on without it."""
        self._lanes.leave_turn(turn, event)
        self._end([event], State.CANCELLED, reason)
        changes = [self._change(event, State.CANCELLED, reason, turn)]
        await self._persist(lambda: self._store.move([event], changes))
        self._publish(changes)

    async def cancel(self, wanted: Callable[[Event], bool], reason: Reason) -> list[Event]:
        """End all waiting events that are wanted as cancelled; running ones are the worker's.

        With an event that speaks for a turn that was interrupted the others end too: only under
        its name is known what the turn has done.
        """
        homes = [(event, self._turns[event.message_id]) for event in self._wanted(wanted)]
        if not homes:
            return []
        for event, turn in homes:
            if not self._lanes.drop(turn, event):
                turn.ended_at, turn.answer = self._clock.time(), None
        self._news.set()
        ended = [event for event, _ in homes]
        self._end(ended, State.CANCELLED, reason)
        changes = [self._change(one, State.CANCELLED, reason, turn) for one, turn in homes]
        # Another may speak for a turn from now on, and one may have nobody left.
        turns = list({id(turn): turn for _, turn in homes}.values())
        await self._persist(lambda: self._store.move(ended, changes, turns))
        self._publish(changes)
        return ended

    async def lengthen(self, wanted: Callable[[Event], bool], seconds: float) -> None:
        """Give waiting events back the time of a pause that ends now (promise 5).

        Who came during the pause gets only what has passed since then.
        """
        now = self._clock.monotonic()
        held = [event for event in self.waiting() if wanted(event)]
        for event in held:
            given = max(0.0, min(seconds, now - event.came_at))
            event.expires_at += given
            event.deadline += given
        if held:
            await self._persist(lambda: self._store.save_events(held))
        self.reconsider()

    def find(self, message_id: int) -> Event | None:
        """Return the unfinished event of a message."""
        turn = self._turns.get(message_id)
        if turn is None:
            return None
        return next(event for event in turn.events if event.message_id == message_id)

    def waiting(self) -> list[Event]:
        """Return the events that wait, in the order of acceptance."""
        return [
            event
            for message_id, turn in self._turns.items()
            for event in turn.events
            if event.message_id == message_id and event.state is State.WAITING
        ]

    async def heads(self) -> AsyncIterator[Event]:
        """Yield who speaks for the turn that waits first, lane by lane; others run in between."""
        for number, name in enumerate(self._lanes.names()):
            if number % _LOOKED_AT_ONCE == 0:
                await asyncio.sleep(0)
            if (turn := self._lanes.head(name)) is not None:
                yield turn.speaker

    def reconsider(self) -> None:
        """Look at every waiting lane again: a setting, a pause or a breaker has changed."""
        self._lanes.reconsider()
        self._news.set()

    def tell(self, turn: Turn, step: str, detail: str = "") -> None:
        """Tell whoever watches of a step that changes no state."""
        event = turn.speaker
        cause = event.cause
        self._notify(self._change(event, step, detail, turn))
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

    def _accepted(self, turn: Turn, change: Change) -> Enqueued:
        self._totals[Enqueued.ACCEPTED] += 1
        turn.speaker.context = NO_CONTEXT
        self._line_up(turn)
        self._publish([change])
        return Enqueued.ACCEPTED

    def _begin(self, turn: Turn) -> None:
        """Translate a turn's times to the clock that nobody sets."""
        now, monotonic = self._clock.time(), self._clock.monotonic()
        for event in turn.events:
            # Whatever was done to the clock meanwhile, nobody waits longer than was meant.
            left = min(event.expires_at - now, event.expires_at - event.accepted_at)
            event.deadline = monotonic + left
        turn.ready_at = monotonic + min(max(0.0, turn.not_before - now), _LONGEST_DELAY)

    def _line_up(self, turn: Turn) -> None:
        for event in turn.events:
            self._turns[event.message_id] = turn
        self._lanes.add(turn)
        self._news.set()

    def _put_back(self, turn: Turn, delay: float) -> None:
        for event in turn.events:
            event.state, event.context = State.WAITING, NO_CONTEXT
        turn.ready_at = self._clock.monotonic() + delay
        self._lanes.put_back(turn)
        self._news.set()

    def _wanted(self, wanted: Callable[[Event], bool]) -> Iterator[Event]:
        for event in self.waiting():
            turn = self._turns[event.message_id]
            if wanted(event) or (turn.interrupted and wanted(turn.speaker)):
                yield event

    def _end(self, events: Sequence[Event], state: State, reason: Reason) -> None:
        now = self._clock.time()
        for event in events:
            self._turns.pop(event.message_id, None)
            event.state, event.reason, event.ended_at = state, reason, now
            event.context = NO_CONTEXT

    def _change(
        self, event: Event, step: str, detail: str = "", turn: Turn | None = None
    ) -> Change:
        now, cause = self._clock.time(), event.cause
        event.cause = new_event_id(now)
        agent_id, attempt = (turn.agent_id, turn.attempts) if turn is not None else (None, 0)
        return Change(
            event.id,
            event.message_id,
            event.channel_id,
            event.guild_id,
            event.author_id,
            event.lane,
            step,
            now,
            detail,
            event.cause,
            cause,
            agent_id,
            event.turn_id,
            attempt,
        )

    def _changes(self, turn: Turn, step: str, detail: str = "") -> list[Change]:
        return [self._change(event, step, detail, turn) for event in turn.events]

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
            await sleep(self._clock, delay)
            delay = min(2 * delay, longest)


_FINAL = frozenset(state for state in State if state.final)
