"""The embedded store: one SQLite file, one connection, one thread, many operations a commit."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..clock import Clock
from ..model import (
    Change,
    Event,
    EventContext,
    Offer,
    Send,
    Sent,
    State,
    Turn,
)
from ..words import Phrase
from ..words import ledger as w
from . import (
    REFUSAL_SECONDS,
    Backlog,
    InUseError,
    LedgerError,
    Listed,
    Where,
    lists,
    read_into,
)
from .feedbacks import StoredFeedback, forget_feedback
from .memories import StoredMemories, forget
from .opening import open_ledger
from .rows import (
    decoded,
    encoded,
    envelope_of,
    event_of,
    moved_row,
    new_row,
    revived_row,
    turn_row,
    whole_event_of,
    whole_turn_of,
)
from .run_logs import StoredRunLog
from .run_rows import StoredRuns
from .schedules import StoredSchedules, forget_schedules
from .sends import put_send, send_row, sends_of
from .strains import StoredStrains
from .strains import forget as forget_strains
from .tables import Tables
from .usages import StoredUsage
from .usages import forget as forget_usage
from .writer import Writer

log = logging.getLogger("red.aurora.ledger")

_MISSING_SECONDS = 60.0
"""How long a file that another process had may be missing before it is begun anew."""


class SqliteStore(
    StoredFeedback,
    StoredMemories,
    StoredStrains,
    StoredRunLog,
    StoredRuns,
    StoredUsage,
    StoredSchedules,
):
    """A Store whose every answer is on disk before it is given (promise 1).

    `retention` is asked for the seconds that final events are kept, at each sweep; it is called
    in the writer's thread, as `opener` is, which tests replace. What a cancelled call asked for
    is done all the same.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        retention: Callable[[], float],
        opener: Callable[[Path, Clock], tuple[Tables, Backlog]] = open_ledger,
    ) -> None:
        super().__init__()
        self._path = path
        self._clock = clock
        self._retention = retention
        self._opener = opener
        self._writer: Writer | None = None
        self._hear: Callable[[Phrase], None] = lambda _what: None
        self._held_until = -math.inf
        self._conversations: dict[tuple[str, str], str] = {}
        self._sources: dict[tuple[str, str], Mapping[int, str]] = {}
        # Of the events that speak for the turns that run; nobody else writes the file.
        self._sends: dict[str, dict[str, Send]] = {}
        # The events that have sends and may run (again); of those before us only the file knows.
        self._sent: set[str] = set()

    def subscribe(self, hear: Callable[[Phrase], None]) -> None:
        """Let what happens to the file while it is open be heard, in words for the owner."""
        self._hear = hear

    async def open(self) -> Backlog:
        """Open the file; one that can't be read is set aside. Raises LedgerError."""
        if self._writer is not None:
            raise LedgerError(w.OPEN_ALREADY(path=self._path))
        writer = self._writer = Writer(self._opened, self._clock, self._retention, self._hear)
        try:
            return await writer.start()
        except BaseException:
            self._writer = None
            raise

    def _opened(self) -> tuple[Tables, Backlog]:
        """Open the file, in the writer's thread."""
        now = self._clock.monotonic()
        if now < self._held_until and not self._path.exists():
            # Whoever had it a moment ago and has lost it is about to write it anew.
            raise InUseError(w.IN_USE(path=self._path))
        try:
            return self._opener(self._path, self._clock)
        except InUseError:
            self._held_until = now + _MISSING_SECONDS
            raise

    async def close(self) -> None:
        """Finish what was asked for and release the file; further calls fail."""
        if self._writer is not None:
            await self._writer.stop()
            self._writer = None
            self._sends.clear()
            self._sources.clear()

    async def add(self, event: Event, change: Change) -> bool:
        """Keep a new event and its context; False if its message is known."""
        row, context = new_row(event), encoded(event.context)
        return bool(await self._do(Tables.add, row, context, change))

    async def start(self, turn: Turn, changes: Sequence[Change]) -> None:
        """Keep that a turn runs, and fill in the contexts of its events."""
        events, at = turn.events, turn.started_at or self._clock.time()
        rows = [moved_row(event) for event in events]
        speaker = turn.speaker
        sent = speaker.id in self._sent
        contexts, sends = await self._do(
            Tables.start, turn_row(turn), speaker.channel_id, at, rows, tuple(changes), sent
        )
        for event, context in zip(events, contexts, strict=True):
            event.context = decoded(event.id, context)
        # Of whom the file does not know it keeps nothing, and nothing may be remembered.
        self._sends.pop(speaker.id, None)
        if sends is not None:
            self._sends[speaker.id] = {send.key: send for send in sends_of(sends)}
        if sends:
            self._sent.add(speaker.id)

    async def move(
        self, events: Sequence[Event], changes: Sequence[Change], turns: Sequence[Turn] = ()
    ) -> None:
        """Keep new states; the content of what is final is forgotten."""
        self._write_noted()
        # As they are now: they may differ when they are written.
        rows = [moved_row(event) for event in events]
        for event in events:
            self._sends.pop(event.id, None)
        kept = [turn_row(turn) for turn in turns if turn.id]
        known = {None, *(turn.id for turn in turns)}
        over = [
            (event.turn_id, event.id)
            for event in events
            if event.state.final and event.turn_id not in known
        ]
        await self._do(Tables.move, rows, tuple(changes), kept, over)
        self._sent.difference_update(event.id for event in events if event.state.final)

    async def save_turn(self, turn: Turn, *, lazily: bool = False) -> None:
        """Keep what changed in a turn."""
        saved = self._do(Tables.save_turns, [turn_row(turn)], lazily=lazily)
        if lazily:
            saved.add_done_callback(_tell_of_failure)
        else:
            await saved

    async def save_events(self, events: Sequence[Event]) -> None:
        """Keep what changed in events, apart from their contexts."""
        await self._do(Tables.save_events, [moved_row(event) for event in events])

    async def edit(self, event_id: str, context: EventContext) -> None:
        """Replace the context of an event that is not final."""
        await self._do(Tables.edit, event_id, encoded(context))

    async def revive(self, event: Event, change: Change) -> None:
        """Let a final event wait again, without its notices."""
        row, context = revived_row(event), encoded(event.context)
        self._sends.pop(event.id, None)
        self._sent.add(event.id)
        await self._do(Tables.revive, row, context, change)

    async def keep_anchor(self, event: Event, message_id: int) -> None:
        """Keep which message of the bot's stands for an event."""
        await self._do(Tables.keep_anchor, event.id, message_id)

    async def get(self, event_id: str) -> Event | None:
        """Return an event with its context, final or not."""
        row = await self._do(Tables.find, "id", event_id)
        return whole_event_of(row) if row else None

    async def find(self, message_id: int) -> Event | None:
        """Return the event of a message."""
        row = await self._do(Tables.find, "message_id", message_id)
        return whole_event_of(row) if row else None

    async def turn(self, turn_id: str) -> Turn | None:
        """Return a turn with the event that speaks for it."""
        row = await self._do(Tables.turn, turn_id)
        return whole_turn_of(row) if row else None

    async def recent(
        self, where: Where, *, states: Collection[State] = (), limit: int = 20
    ) -> Sequence[Listed]:
        """Return the latest events, newest first."""
        rows = await lists.recent(self._do, where, states, limit)
        return [Listed(event_of(row), row[-2], row[-1] == 1) for row in rows]

    async def counts(self, where: Where) -> Mapping[State, int]:
        """Count the events by state."""
        found = await self._do(lists.counts, where)
        return {State(state): count for state, count in found.items()}

    async def changes(self, after: int = 0, limit: int = 100) -> Sequence[Mapping[str, Any]]:
        """Return envelopes in order."""
        return [envelope_of(row) for row in await self._do(Tables.changes, after, limit)]

    async def refuse(self, message_id: int, reason: str) -> None:
        """Remember for 24 h that a message was seen and why it was not accepted."""
        await self._do(Tables.refuse, message_id, self._clock.time(), reason)

    async def refusal(self, message_id: int) -> str | None:
        """Return the reason a message was refused for in the last 24 h, if it was."""
        since = self._clock.time() - REFUSAL_SECONDS
        reason: str | None = await self._do(Tables.refusal, message_id, since)
        return reason

    async def conversation(self, agent_id: str, lane: str) -> str | None:
        """Return the conversation in which an agent talks in a lane."""
        # Asked before each run, and nobody else writes the file.
        if (agent_id, lane) not in self._conversations:
            kept = await self._do(Tables.conversation, agent_id, lane)
            if kept is None:
                return None
            self._conversations[agent_id, lane] = kept
        return self._conversations[agent_id, lane]

    async def take_dm_conversations(
        self, user_id: int, channel_id: int | None
    ) -> list[tuple[str, str]]:
        """Forget in which conversations a person's direct messages are."""
        self._conversations.clear()
        try:
            found = await self._do(Tables.take_dm_conversations, user_id, channel_id)
        finally:
            # Also what was read meanwhile.
            self._conversations.clear()
        return list(found)

    async def take_conversations(self, lane: str) -> list[tuple[str, str]]:
        """Forget in which conversations a lane is."""
        try:
            found = await self._do(Tables.take_conversations, lane)
        finally:
            # Also what was read meanwhile.
            self._conversations.clear()
            self._sources.clear()
        return list(found)

    async def set_conversation(
        self, agent_id: str, lane: str, conversation_id: str, *, fresh: bool = False
    ) -> None:
        """Point a lane to a conversation."""
        await self._do(Tables.set_conversation, agent_id, lane, conversation_id, fresh)
        self._conversations[agent_id, lane] = conversation_id
        if fresh:
            self._sources[agent_id, lane] = {}

    async def add_source(self, agent_id: str, lane: str, place_id: int, gate: str) -> None:
        """Keep that a place was read into a lane's conversation."""
        known = await self.sources(agent_id, lane)
        if known.get(place_id) != gate:
            await self._do(read_into.add, agent_id, lane, place_id, gate)
            # Others may have been added meanwhile.
            self._sources[agent_id, lane] = {**self._sources[agent_id, lane], place_id: gate}

    async def sources(self, agent_id: str, lane: str) -> Mapping[int, str]:
        """Return the places that were read into a lane's conversation."""
        # Asked before each run, like the conversation itself.
        if (agent_id, lane) not in self._sources:
            self._sources[agent_id, lane] = await self._do(read_into.of, agent_id, lane)
        return self._sources[agent_id, lane]

    async def keep_offer(self, offer: Offer) -> None:
        """Keep a text that waits for a button's press."""
        await self._do(read_into.keep_offer, offer)

    async def take_offer(self, offer_id: str) -> Offer | None:
        """Return an offer, and forget it with all whose time is up."""
        found: Offer | None = await self._do(read_into.take_offer, offer_id, self._clock.time())
        return found

    async def record_send(self, event: Event, send: Send, *, lazily: bool = False) -> bool:
        """Keep a send of an event; one with the same key is replaced."""
        self._write_noted()
        # A reaction stands at a message of somebody's.
        messages = send.message_ids if send.kind == "message" else ()
        self._sent.add(event.id)
        asked = (Tables.record_send, event.id, send_row(send), event.turn_id, messages)
        recorded = self._do(*asked, lazily=lazily)
        try:
            if lazily:
                recorded.add_done_callback(_tell_of_failure)
            elif not await recorded:
                return False
        except BaseException:
            # Whether it is kept is for the file to say.
            self._sends.pop(event.id, None)
            raise
        if event.id in self._sends:
            put_send(self._sends[event.id], send)
        return True

    async def sends(self, event_id: str) -> Sequence[Send]:
        """Return what was sent for an event, oldest first."""
        if event_id in self._sends:
            return list(self._sends[event_id].values())
        return sends_of(await self._do(Tables.sends, event_id))

    async def sent(self, message_id: int) -> Sent | None:
        """Return what a message of the bot's was sent for."""
        row = await self._do(Tables.sent, message_id)
        return Sent(*row) if row else None

    async def note(self, key: str, value: str) -> None:
        """Keep a small fact about Aurora itself."""
        await self._do(Tables.note, key, value)

    async def noted(self, key: str) -> str | None:
        """Return such a fact."""
        value: str | None = await self._do(Tables.noted, key)
        return value

    async def dm_channels(self, since: float) -> Sequence[int]:
        """Return the DM channels in which an event was accepted since then."""
        channels: list[int] = await self._do(lists.dm_channels, since)
        return channels

    async def forget_user(self, user_id: int) -> None:
        """Drop everything about a person."""
        try:
            await self._do(_forget_user, user_id)
        finally:
            self._sends.clear()
            self._conversations.clear()
            self._sources.clear()
            self._forget_strains()

    def _do(
        self, operation: Callable[..., Any], *args: Any, lazily: bool = False
    ) -> asyncio.Future[Any]:
        if self._writer is None:
            raise LedgerError(w.CLOSED)
        return self._writer.submit(operation, *args, lazily=lazily)


def _forget_user(tables: Tables, user_id: int) -> None:
    forget_strains(tables, user_id)
    tables.forget_user(user_id)
    forget(tables, user_id)
    forget_usage(tables, user_id)
    forget_schedules(tables, user_id)
    forget_feedback(tables, user_id)


def _tell_of_failure(asked: asyncio.Future[Any]) -> None:
    """Say of what nobody waits for that it was not kept; what is written next fails aloud."""
    if not asked.cancelled() and (error := asked.exception()) is not None:
        log.warning("The ledger could not keep a part of a turn: %s", error)
