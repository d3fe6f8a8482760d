"""What can be done to the ledger's tables; every function runs in the writer's thread."""

from __future__ import annotations

import math
from collections.abc import Sequence

import apsw

from ..model import Change, State, Turn, apart
from . import Asked, read_into
from .backlog import recovered
from .database import Database
from .datafile import DataFile
from .rows import (
    ADDED_STATE,
    ASKED,
    CHANGES,
    COUNT_ENDED,
    INSERT_CHANGE,
    INSERT_EVENT,
    KEEP_SENT,
    KEEP_TURN,
    MOVE_EVENT,
    MOVE_UNFINISHED,
    MOVED_STATE,
    OPEN_STATES,
    REVIVE_EVENT,
    SAVE_EVENT,
    SENT,
    TURN,
    UNFINISHED,
    UNFINISHED_TURNS,
    UPDATE_TURN,
    WITH_CONTEXT,
    Row,
    event_of,
    sql,
    turn_of,
    turn_row,
)
from .sends import RECORD_SEND, SENDS
from .unfinished import Unfinished

COUNTED_AT_ONCE = 256
"""How many events end before they are counted; it takes a millisecond or two."""
_OPEN = frozenset(str(state) for state in State if not state.final)


class Tables(Database):
    """The open ledger. Its operations run inside a transaction that the writer has begun."""

    def __init__(self, file: DataFile, db: apsw.Connection) -> None:
        super().__init__(file, db)
        self._changed: list[Row] = []
        self._unfinished = Unfinished()
        self._counted = False
        # How many have ended and may be uncounted.
        self._ended = COUNTED_AT_ONCE
        # Up to here nobody knows without looking for what was sent.
        self._last_before = math.inf

    def count_ended(self) -> None:
        """Enter what has ended into the tallies, the lists and the sums of what runs cost."""
        if self._ended:
            for statement in COUNT_ENDED:
                self.run(statement)
            self._ended = 0

    def keep_changes(self) -> None:
        """Write the changes that came with what was done; all at once is a third faster."""
        if self._ended >= COUNTED_AT_ONCE:
            self.count_ended()
        if self._changed:
            self.db.cursor().executemany(INSERT_CHANGE, self._changed)
            self._changed.clear()

    @property
    def unfinished(self) -> Unfinished:
        """What waits and runs; read anew where something was undone."""
        if not self._counted:
            self._unfinished.fill(self.run(OPEN_STATES))
            self._counted = True
        return self._unfinished

    def undo(self) -> None:
        """Undo the transaction that is open, if SQLite has not done so by itself."""
        self._changed.clear()
        self._counted = False
        self._ended = COUNTED_AT_ONCE
        if self.db.in_transaction:
            self.run("ROLLBACK")

    def undo_one(self) -> None:
        """Undo an operation back to its savepoint."""
        self._changed.clear()
        self._counted = False
        self._ended = COUNTED_AT_ONCE
        self.run("ROLLBACK TO one")

    # -- events and turns

    def recover(self) -> list[Turn]:
        """Let what was running wait, one crash older, and return all that waits."""
        kept = {row[0]: turn_of(row) for row in self.run(UNFINISHED_TURNS)}
        rows = self.run(UNFINISHED).fetchall()
        events = list(map(event_of, rows))
        for event in events:
            if event.state is State.RUNNING:
                self.run("UPDATE events SET state = 'waiting' WHERE id = ?", (event.id,))
        turns = recovered(events, kept)
        self._unfinished.fill(
            (event.id, row[-1], event.guild_id, event.author_id, event.state)
            for event, row in zip(events, rows, strict=True)
        )
        self._counted = True
        self._last_before = self.run("SELECT coalesce(max(seq), 0) FROM events").fetchall()[0][0]
        for turn in turns:
            if turn.id and turn.interrupted:
                self.run(KEEP_TURN, turn_row(turn))
        return turns

    def starts(self, since: float) -> dict[int, float]:
        """Return the latest starts by channel."""
        return dict(self.run("SELECT channel_id, at FROM starts WHERE at > ?", (since,)))

    def asked(self, since: float, until: float) -> list[Asked]:
        """Return the turns that people were given between two times, oldest first."""
        return [Asked(*row) for row in self.run(ASKED, (since, until))]

    def add(self, row: Row, context: str, change: Change) -> bool:
        """Keep a new event, unless its message is known."""
        self.run(INSERT_EVENT, row)
        if not self.db.changes():
            return False
        seq = self.db.last_insert_rowid()
        self.run("INSERT INTO contexts VALUES (?, ?)", (seq, context))
        self._noted(change, seq, row[ADDED_STATE])
        return True

    def start(
        self,
        turn: Row,
        channel_id: int,
        at: float,
        events: Sequence[Row],
        changes: Sequence[Change],
        sent: bool,
    ) -> tuple[list[str | None], list[Row] | None]:
        """Keep that a turn runs; return the contexts of its events and the speaker's sends.

        There are none, not even an empty list, of a speaker that is not known. They are looked
        for if something was `sent`, or may have been, before the ledger was opened or the speaker
        had ended.
        """
        self.run(
            "INSERT INTO starts VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
            (channel_id, at),
        )
        ended = self.unfinished.seq(events[-1][-1], changes[-1].guild_id) is None
        if moved := self._move(events, changes):
            self.run(KEEP_TURN, turn)
        seqs = [moved.get(row[-1]) or self._seq(row[-1]) for row in events]
        contexts = [self._context(seq) for seq in seqs]
        if seqs[-1] is None:
            return contexts, None
        looked_for = sent or ended or seqs[-1] <= self._last_before
        return contexts, self.sends(events[-1][-1]) if looked_for else []

    def move(
        self,
        events: Sequence[Row],
        changes: Sequence[Change],
        turns: Sequence[Row],
        over: Sequence[Row],
    ) -> None:
        """Keep the new states of the events that are known, their changes, and their turns.

        `over` names turns that are not among these, and events that end for which they speak.
        """
        self._move(events, changes)
        self.save_turns(turns)
        for row in over:
            self.run("UPDATE turns SET answer = NULL WHERE id = ? AND speaker = ?", row)

    def _move(self, events: Sequence[Row], changes: Sequence[Change]) -> dict[str, int]:
        """Move the events that are known, once; return the numbers of those that were."""
        moved: dict[str, int] = {}
        for row, change in zip(events, changes, strict=True):
            *values, event_id = row
            seq = self.unfinished.seq(event_id, change.guild_id)
            if seq is None:
                self.run(MOVE_EVENT, (*row, change.id))
            else:
                self.run(MOVE_UNFINISHED, (*values, seq, change.id))
            if self.db.changes():
                moved[event_id] = seq = seq or self._seq(event_id) or 0
                self._noted(change, seq, row[MOVED_STATE])
        return moved

    def _noted(self, change: Change, seq: int, state: str) -> None:
        """Keep a change, and where its event stands since."""
        self._changed.append(change)
        self._unfinished.put(change.event_id, seq, change.guild_id, change.author_id, state)
        self._ended += state not in _OPEN

    def save_turns(self, turns: Sequence[Row]) -> None:
        """Keep what changed in turns."""
        self.erased = True
        for row in turns:
            self.run(UPDATE_TURN, row)

    def save_events(self, events: Sequence[Row]) -> None:
        """Keep what changed in events."""
        for row in events:
            for seq, guild_id, author_id in self.run(SAVE_EVENT, row):
                self._unfinished.put(row[-1], seq, guild_id, author_id, row[MOVED_STATE])
                self._ended += row[MOVED_STATE] not in _OPEN

    def edit(self, event_id: str, context: str) -> None:
        """Replace the context of an event that is not final."""
        self.erased = True
        self.run(
            "INSERT OR REPLACE INTO contexts SELECT seq, ? FROM events "
            "WHERE id = ? AND state IN ('waiting', 'running')",
            (context, event_id),
        )

    def revive(self, row: Row, context: str, change: Change) -> None:
        """Let an event wait again, with a new context and without its notices."""
        # It leaves the turn that it spoke for.
        self.count_ended()
        self.erased = True
        event_id = row[-1]
        self.run(REVIVE_EVENT, row)
        if not self.db.changes():
            return
        seq = self._seq(event_id) or 0
        self.run("INSERT OR REPLACE INTO contexts VALUES (?, ?)", (seq, context))
        self.run("DELETE FROM sends WHERE sent_by = 'notice' AND event = ?", (seq,))
        self._noted(change, seq, row[1 + MOVED_STATE])

    def keep_anchor(self, event_id: str, message_id: int) -> None:
        """Keep which message stands for an event."""
        self.run("UPDATE events SET anchor_id = ? WHERE id = ?", (message_id, event_id))
        self.run(KEEP_SENT, (message_id, None, 0, event_id))

    def find(self, column: str, value: str | int) -> Row | None:
        """Return the row of an event and its context."""
        return self._one(sql(WITH_CONTEXT, "WHERE", column, "= ?"), (value,))

    def turn(self, turn_id: str) -> Row | None:
        """Return the row of a turn and its speaker."""
        return self._one(TURN, (turn_id,))

    def changes(self, after: int, limit: int) -> list[Row]:
        """Return the rows of changes, in order."""
        self.keep_changes()
        rows: list[Row] = self.run(CHANGES, (after, limit)).fetchall()
        return rows

    def forget_user(self, user_id: int) -> None:
        """Drop what a person has caused."""
        self.keep_changes()
        self.count_ended()
        self.erased = True
        self.run(
            "DELETE FROM turns WHERE speaker IN (SELECT id FROM events WHERE author_id = ?)",
            (user_id,),
        )
        self.run("DELETE FROM events WHERE author_id = ?", (user_id,))
        read_into.forget(self, user_id)
        self._counted = False
        self.run("DELETE FROM changes WHERE author_id = ?", (user_id,))

    # -- what else is kept

    def refuse(self, message_id: int, at: float, reason: str) -> None:
        """Keep why a message was refused."""
        self.run("INSERT OR REPLACE INTO refusals VALUES (?, ?, ?)", (message_id, at, reason))

    def refusal(self, message_id: int, since: float) -> str | None:
        """Return why a message was refused."""
        return self._text(
            "SELECT reason FROM refusals WHERE message_id = ? AND at > ?", (message_id, since)
        )

    def conversation(self, agent_id: str, lane: str) -> str | None:
        """Return the conversation of an agent in a lane."""
        return self._text(
            "SELECT conversation_id FROM conversations WHERE agent_id = ? AND lane = ?",
            (agent_id, lane),
        )

    def take_dm_conversations(self, user_id: int, channel_id: int | None) -> list[tuple[str, str]]:
        """Drop the conversations of a person's direct messages, and return agents with them."""
        found = self.run(
            "DELETE FROM conversations WHERE lane IN ("
            "SELECT 'channel:' || channel_id FROM events WHERE author_id = ? AND guild_id IS NULL "
            "UNION SELECT 'channel:' || ?) RETURNING agent_id, conversation_id",
            (user_id, channel_id),
        ).fetchall()
        return [(str(agent_id), str(conversation_id)) for agent_id, conversation_id in found]

    def take_conversations(self, lane: str) -> list[tuple[str, str]]:
        """Drop the conversations of a lane, and return agents with them."""
        mine = (lane, f"{apart(lane)}*")
        self.run("DELETE FROM sources WHERE lane = ? OR lane GLOB ?", mine)
        found = self.run(
            "DELETE FROM conversations WHERE lane = ? OR lane GLOB ? "
            "RETURNING agent_id, conversation_id",
            mine,
        ).fetchall()
        return [(str(agent_id), str(conversation_id)) for agent_id, conversation_id in found]

    def set_conversation(
        self, agent_id: str, lane: str, conversation_id: str, fresh: bool
    ) -> None:
        """Keep it."""
        self.run(
            "INSERT OR REPLACE INTO conversations VALUES (?, ?, ?)",
            (agent_id, lane, conversation_id),
        )
        if fresh:
            self.run("DELETE FROM sources WHERE agent_id = ? AND lane = ?", (agent_id, lane))

    def record_send(
        self, event_id: str, row: Row, turn_id: str | None, message_ids: Sequence[int]
    ) -> bool:
        """Keep a send in the place of the one with its key, and its messages.

        False if the event is not known; then nothing is kept.
        """
        self.run(RECORD_SEND, (*row, event_id))
        if not self.db.changes():
            return False
        for part, message_id in enumerate(message_ids):
            # What a message was first sent for is what it was sent for.
            self.run(KEEP_SENT, (message_id, turn_id, part, event_id))
        return True

    def sent(self, message_id: int) -> Row | None:
        """Return the row of a message that was sent."""
        return self._one(SENT, (message_id,))

    def sends(self, event_id: str) -> list[Row]:
        """Return the sends of an event, oldest first."""
        rows: list[Row] = self.run(SENDS, (event_id,)).fetchall()
        return rows

    # -- helpers

    def _seq(self, event_id: str) -> int | None:
        row = self._one("SELECT seq FROM events WHERE id = ?", (event_id,))
        return row[0] if row else None

    def _context(self, seq: int | None) -> str | None:
        return self._text("SELECT context FROM contexts WHERE event = ?", (seq,))
