"""The embedded store: one SQLite file, one connection, one thread, many operations a commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..clock import Clock
from ..model import (
    Change,
    Event,
    EventContext,
    Send,
    State,
)
from . import (
    REFUSAL_SECONDS,
    Backlog,
    LedgerError,
    Where,
)
from .opening import open_ledger
from .rows import (
    change_row,
    decoded,
    encoded,
    envelope_of,
    moved_row,
    new_row,
    send_row,
    sends_of,
    whole_event_of,
)
from .tables import Tables
from .writer import CLOSED, Writer


class SqliteStore:
    """A Store whose every answer is on disk before it is given (promise 1).

    `retention` is asked for the seconds that final events are kept, at each sweep; it is called
    in the writer's thread. `vfs` names the SQLite VFS to use, for tests of failing disks. What a
    cancelled call asked for is done all the same.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        retention: Callable[[], float],
        vfs: str | None = None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._retention = retention
        self._vfs = vfs
        self._writer: Writer | None = None
        self._conversations: dict[tuple[str, str], str] = {}

    async def open(self) -> Backlog:
        """Open the file; one that can't be read is set aside. Raises LedgerError."""
        if self._writer is not None:
            raise LedgerError(f"The ledger {self._path} is open already.")
        opener = partial(open_ledger, self._path, self._clock, self._vfs)
        writer = self._writer = Writer(opener, self._clock, self._retention)
        try:
            return await writer.start()
        except BaseException:
            self._writer = None
            raise

    async def close(self) -> None:
        """Finish what was asked for and release the file; further calls fail."""
        if self._writer is not None:
            await self._writer.stop()
            self._writer = None

    async def add(self, event: Event, change: Change) -> bool:
        """Keep a new event and its context; False if its message is known."""
        row, context = new_row(event), encoded(event.context)
        return bool(await self._do(Tables.add, row, context, change_row(event, change)))

    async def start(self, event: Event, changes: Sequence[Change]) -> None:
        """Keep that a turn runs, and fill in the contexts of its members."""
        members = event.members
        rows, at = _moved(members, changes), event.started_at or self._clock.time()
        contexts = await self._do(Tables.start, event.channel_id, at, *rows)
        for member, context in zip(members, contexts, strict=True):
            member.context = decoded(member.id, context)

    async def move(self, events: Sequence[Event], changes: Sequence[Change]) -> None:
        """Keep new states; the content of what is final is forgotten."""
        await self._do(Tables.move, *_moved(events, changes))

    async def save(self, *events: Event) -> None:
        """Keep what changed in events, apart from their contexts."""
        await self._do(Tables.save, [moved_row(event) for event in events])

    async def edit(self, event_id: str, context: EventContext) -> None:
        """Replace the context of an event that is not final."""
        await self._do(Tables.edit, event_id, encoded(context))

    async def revive(self, event: Event, change: Change) -> None:
        """Let a final event wait again, without its notices."""
        row, context = moved_row(event), encoded(event.context)
        await self._do(Tables.revive, row, context, change_row(event, change))

    async def get(self, event_id: str) -> Event | None:
        """Return an event with its context, final or not."""
        row = await self._do(Tables.find, "id", event_id)
        return whole_event_of(row) if row else None

    async def find(self, message_id: int) -> Event | None:
        """Return the event of a message."""
        row = await self._do(Tables.find, "message_id", message_id)
        return whole_event_of(row) if row else None

    async def recent(
        self, where: Where, *, states: Collection[State] = (), limit: int = 20
    ) -> Sequence[Event]:
        """Return the latest events, newest first."""
        events: list[Event] = await self._do(Tables.recent, where, tuple(states), limit)
        return events

    async def counts(self, where: Where) -> Mapping[State, int]:
        """Count the events by state."""
        return {State(state): count for state, count in await self._do(Tables.counts, where)}

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

    async def set_conversation(self, agent_id: str, lane: str, conversation_id: str) -> None:
        """Point a lane to a conversation."""
        await self._do(Tables.set_conversation, agent_id, lane, conversation_id)
        self._conversations[agent_id, lane] = conversation_id

    async def record_send(self, event_id: str, send: Send) -> None:
        """Keep a send of an event; one with the same key is replaced."""
        await self._do(Tables.record_send, event_id, send_row(send))

    async def sends(self, event_id: str) -> Sequence[Send]:
        """Return what was sent for an event, oldest first."""
        return sends_of(await self._do(Tables.sends, event_id))

    async def note(self, key: str, value: str) -> None:
        """Keep a small fact about Aurora itself."""
        await self._do(Tables.note, key, value)

    async def noted(self, key: str) -> str | None:
        """Return such a fact."""
        value: str | None = await self._do(Tables.noted, key)
        return value

    async def dm_channels(self, since: float) -> Sequence[int]:
        """Return the DM channels in which an event was accepted since then."""
        channels: list[int] = await self._do(Tables.dm_channels, since)
        return channels

    async def forget_user(self, user_id: int) -> None:
        """Drop everything about a person."""
        await self._do(Tables.forget_user, user_id)

    def _do(self, operation: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        if self._writer is None:
            raise LedgerError(CLOSED)
        return self._writer.submit(operation, *args)


def _moved(events: Sequence[Event], changes: Sequence[Change]) -> tuple[list[Any], list[Any]]:
    """Return the rows of events and changes as they are now; they may differ when written."""
    rows = [moved_row(event) for event in events]
    return rows, [change_row(event, change) for event, change in zip(events, changes, strict=True)]
