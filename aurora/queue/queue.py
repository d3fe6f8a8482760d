"""The queue: accepted events on their way to a run.

The Store keeps what is here (promise 1); the lanes are its order in memory.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

from ..clock import Clock
from ..ids import new_turn_id
from ..ledger import EVERYWHERE, Backlog, Store, Where
from ..model import NO_CONTEXT, Change, Event, EventContext, State, Turn
from ..reasons import REASONS, Reason
from .beginning import begin
from .bounds import Bounds, Enqueued
from .changes import Changes, persist
from .lanes import Lanes
from .limits import Rules
from .selecting import OfChannel, OfGuild, OfMessages, Selector
from .walking import KEPT_AT_ONCE, let_go, parts, walk

EXPIRY_SECONDS = 15 * 60.0
"""How long an event may wait before it ends as expired."""


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
        notify: Callable[[Change], object] = lambda _change: None,
    ) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._changes = Changes(clock, notify)
        self._lanes = Lanes(rules, clock)
        self.held = self._lanes.held
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # The turn of each unfinished event, by message.
        self._turns: dict[int, Turn] = {}
        self._bounds = Bounds(rules, self._lanes, clock)
        self._totals = self._changes.totals

    async def open(self) -> Backlog:
        """Open the store and line up what it still holds, in the order of acceptance."""
        self._loop = asyncio.get_running_loop()
        backlog = await self._store.open()
        now = self._clock.time()
        for channel_id, started_at in backlog.starts.items():
            self._lanes.restore_start(channel_id, now - started_at)
        self._bounds.restore(backlog.asked)
        async for some in walk(backlog.turns):
            for turn in some:
                begin(turn, self._clock)
                self._line_up(turn)
        return backlog

    async def enqueue(
        self, event: Event, describe: Callable[[], Awaitable[EventContext]] | None = None
    ) -> Enqueued:
        """Accept an event, or say why not; accepted means the store has it (promise 1).

        `describe` makes its context; it is not called for an event that is refused.
        """
        if event.message_id in self._turns:
            return self._count(Enqueued.DUPLICATE)
        if (refused := self._bounds.enter(event)) is not None:
            return self._count(refused)
        # Their time begins now: however slow the store is, the clock may be set meanwhile.
        begin(turn := Turn((event,)), self._clock)
        try:
            if describe is not None:
                event.context = await describe()
                if self._bounds.shut:
                    return Enqueued.SHUT
            change = self._changes.of(event, "queued")
            if not await self._store.add(event, change):
                return self._count(Enqueued.DUPLICATE)
        finally:
            self._bounds.leave(event)
        self._bounds.accepted(event)
        return self._accepted(turn, change)

    async def revive(self, event: Event, *, own: bool = False) -> Enqueued:
        """Let a final event wait again, with a new context; for its author as their `own`."""
        if event.message_id in self._turns:
            return Enqueued.DUPLICATE
        if (refused := self._bounds.enter_anew(event, own=own)) is not None:
            return self._count(refused)
        event.state, event.reason = State.WAITING, ""
        event.turn_id = event.ended_at = None
        event.expires_at = self._clock.time() + EXPIRY_SECONDS
        begin(turn := Turn((event,)), self._clock)
        change = self._changes.of(event, "queued", Reason.REVIVED)
        try:
            await self._store.revive(event, change)
        finally:
            self._bounds.leave(event)
        if own:
            self._bounds.accepted(event)
        return self._accepted(turn, change)

    def shut(self) -> None:
        """Accept nothing more; what is here can still be run, finished or cancelled."""
        self._bounds.shut = True

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

    async def start(
        self, turn: Turn, foresee: Callable[[], Awaitable[Turn]] | None = None
    ) -> None:
        """Keep that a taken turn runs, and fill in its contexts.

        What is kept is the turn as `foresee` returns it: as it is about to be.

        If that can't be kept the turn goes back into its lane, not to be taken for a second, and
        the error is raised.
        """
        turn.started_at = now = self._clock.time()
        turn.id = turn.id or new_turn_id(now)
        for event in turn.events:
            event.turn_id = turn.id
        self._lanes.started(turn)
        changes = self._changes.of_all(turn, "running")
        try:
            await self._store.start(await foresee() if foresee else turn, changes)
        except BaseException:
            self._put_back(turn, 1.0)
            raise
        self._changes.publish(changes)

    async def retry(self, turn: Turn, delay: float) -> None:
        """Put a running turn back at the head of its lane, for `delay` seconds from now."""
        turn.not_before = self._clock.time() + delay
        changes = self._changes.of_all(turn, "retrying", f"in {delay:.1f} s")
        steps = list(zip(turn.events, changes, strict=True))

        def left() -> list[tuple[Event, Change]]:
            # Who is withdrawn while the store is slow has an end by then.
            return [(event, change) for event, change in steps if not event.state.final]

        async def keep() -> None:
            # They count as waiting when they are back: until then nobody could cancel them.
            waiting = [replace(event, state=State.WAITING) for event, _ in left()]
            await self._store.move(waiting, [change for _, change in left()], [turn])

        await persist(self._clock, keep)
        self._put_back(turn, delay)
        self._changes.publish([change for _, change in left()])

    async def leave(self, turn: Turn) -> None:
        """Leave a running turn to the next start of Aurora: it waits, and was interrupted."""
        if self._turns.get(turn.speaker.message_id) is not turn:
            return
        turn.interrupted = True
        for event in turn.events:
            del self._turns[event.message_id]
            event.state = State.WAITING
        changes = self._changes.of_all(turn, "retrying", Reason.UNLOADED)
        await self._store.move(turn.events, changes, [turn])
        self._changes.publish(changes)

    async def finish(self, turn: Turn, reason: Reason) -> None:
        """Bring a running turn to the final state of a reason, once, and let its lane go on."""
        if (state := REASONS[reason].state) is None:
            raise ValueError(f"nothing ends as {reason}")
        if self._turns.get(turn.speaker.message_id) is not turn:
            return
        events = turn.events
        self._end(events, state, reason)
        turn.ended_at, turn.answer = turn.speaker.ended_at, None
        changes = self._changes.of_all(turn, state, reason)
        try:
            await persist(self._clock, lambda: self._store.move(events, changes, [turn]))
        finally:
            self._lanes.release(turn)
            self._news.set()
        self._changes.publish(changes)

    async def withdraw(self, turn: Turn, event: Event, reason: Reason) -> None:
        """Cancel one of the earlier events of a running turn; the turn goes on without it."""
        self._lanes.leave_turn(turn, event)
        self._end([event], State.CANCELLED, reason)
        changes = [self._changes.of(event, State.CANCELLED, reason, turn)]
        await persist(self._clock, lambda: self._store.move([event], changes))
        self._changes.publish(changes)

    async def cancel(self, wanted: Selector, reason: Reason) -> list[Event]:
        """End all waiting events that are wanted as cancelled; running ones are the worker's.

        With an event that speaks for a turn that was interrupted the others end too: only under
        its name is known what the turn has done.
        """
        ended: list[Event] = []
        homes: list[Turn] = []
        async for some in walk(self._held(wanted)):
            for turn in some:
                gone = self._call_off(turn, wanted, reason)
                ended += gone
                homes += [turn] * len(gone)
            self._news.set()
        for part in parts(zip(ended, homes, strict=True), KEPT_AT_ONCE):
            await self._keep_called_off(part, reason)
        if len(homes) > KEPT_AT_ONCE:
            await let_go(homes)
        return ended

    async def lengthen(self, wanted: Selector, seconds: float) -> None:
        """Give waiting events back the time of a pause that ends now (promise 5).

        Who came during the pause gets only what has passed since then.
        """
        now = self._clock.monotonic()
        held: dict[int, Event] = {}
        async for some in walk(self._held(wanted)):
            for event, home in ((event, turn) for turn in some for event in turn.events):
                if event.message_id not in held and self._waits(event, home) and wanted(event):
                    held[event.message_id] = event
                    given = max(0.0, min(seconds, now - event.came_at))
                    event.expires_at += given
                    event.deadline += given
        for part in parts(held.values(), KEPT_AT_ONCE):
            await persist(self._clock, partial(self._store.save_events, part))
        self.reconsider()

    def turn_of(self, message_id: int) -> Turn | None:
        """Return the turn in which a message waits or runs."""
        return self._turns.get(message_id)

    def find(self, message_id: int) -> Event | None:
        """Return the unfinished event of a message."""
        events = turn.events if (turn := self.turn_of(message_id)) is not None else ()
        return next((event for event in events if event.message_id == message_id), None)

    def ahead(self, turn: Turn) -> int:
        """Count the turns of its lane that come before one that waits."""
        return self._lanes.ahead(turn)

    def waiting(self) -> list[Event]:
        """Return the events that wait, in the order of acceptance; it takes its time for many."""
        return [
            event
            for message_id, turn in self._turns.items()
            for event in turn.events
            if event.message_id == message_id and event.state is State.WAITING
        ]

    async def oldest(self, where: Where) -> float | None:
        """Return since when the longest in line waits in a guild, in DMs (None) or EVERYWHERE."""
        found = math.inf
        async for names in walk(self._lanes.names(where)):
            heads = self._lanes.heads(names)
            since = min((head.events[0].accepted_at for head in heads), default=math.inf)
            found = min(found, since)
        return None if math.isinf(found) else found

    async def heads(self) -> AsyncIterator[Event]:
        """Yield who speaks for the turn that waits first, lane by lane; others run in between."""
        async for names in walk(self._lanes.names(EVERYWHERE)):
            for turn in self._lanes.heads(names):
                yield turn.speaker

    def reconsider(self, guild_ids: Iterable[int | None] | None = None) -> None:
        """Look again at what waits, of some guilds (None: DMs) or of all.

        A setting, a pause or a breaker has changed. Many lanes are looked at one after the other.
        """
        self._lanes.reconsider(guild_ids)
        self._news.set()

    def tell(self, turn: Turn, step: str, detail: str = "") -> None:
        """Tell whoever watches of a step that changes no state."""
        self._changes.tell(turn, step, detail)

    def get_stats(self) -> dict[str, Any]:
        """Return counts: waiting, running, waiting by guild, and totals since start."""
        # Copying a dict is one step for the interpreter, so this is safe from any thread.
        waiting = dict(self._lanes.waiting.guilds)
        return {
            "waiting": sum(waiting.values()),
            "running": self._lanes.running,
            "waiting_by_guild": waiting,
            "totals": dict(self._totals),
        }

    def _count(self, what: Enqueued) -> Enqueued:
        self._totals[what] += 1
        return what

    def _accepted(self, turn: Turn, change: Change) -> Enqueued:
        turn.speaker.context = NO_CONTEXT
        self._line_up(turn)
        self._changes.publish([change])
        return self._count(Enqueued.ACCEPTED)

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

    def _held(self, wanted: Selector) -> Iterable[Turn]:
        """Return the turns in which wanted events may wait; some may come twice."""
        match wanted:
            case OfMessages(message_ids):
                found = map(self._turns.get, message_ids)
                return (turn for turn in found if turn is not None)
            case OfGuild(guild_id):
                return self._lanes.waiting_in_guild(guild_id)
            case OfChannel(channel_id):
                return self._lanes.waiting_in_channel(channel_id)
            case _:
                return self._turns.values()

    def _waits(self, event: Event, turn: Turn) -> bool:
        """Tell whether an event still waits in a turn that was found before others ran."""
        return event.state is State.WAITING and self._turns.get(event.message_id) is turn

    def _call_off(self, turn: Turn, wanted: Selector, reason: Reason) -> list[Event]:
        """Take the wanted events of a turn out of its lane and end them, all at once."""
        everyone = turn.interrupted and wanted(turn.speaker)
        ended = [
            event
            for event in turn.events
            if self._waits(event, turn) and (everyone or wanted(event))
        ]
        for event in ended:
            if not self._lanes.drop(turn, event):
                turn.ended_at, turn.answer = self._clock.time(), None
        self._end(ended, State.CANCELLED, reason)
        return ended

    async def _keep_called_off(self, homes: Sequence[tuple[Event, Turn]], reason: Reason) -> None:
        changes = [self._changes.of(one, State.CANCELLED, reason, turn) for one, turn in homes]
        # Another may speak for a turn from now on, and one may have nobody left.
        turns = list({id(turn): turn for _, turn in homes}.values())
        ended = [event for event, _ in homes]
        await persist(self._clock, partial(self._store.move, ended, changes, turns))
        self._changes.publish(changes)

    def _end(self, events: Sequence[Event], state: State, reason: Reason) -> None:
        now = self._clock.time()
        for event in events:
            self._turns.pop(event.message_id, None)
            event.state, event.reason, event.ended_at = state, reason, now
            event.context = NO_CONTEXT
