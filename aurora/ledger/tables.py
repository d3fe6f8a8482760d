"""What can be done to the ledger's tables; every function runs in the writer's thread."""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from ..model import Change, State, Turn
from . import Asked
from .backlog import recovered
from .database import Database
from .place import Place
from .rows import (
    ADDED_STATE,
    ASKED,
    CHANGES,
    INSERT_CHANGE,
    INSERT_EVENT,
    KEEP_TURN,
    MOVE_EVENT,
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
from .unfinished import Unfinished


class Tables(Database):
    """The open ledger. Its operations run inside a transaction that the writer has begun."""

    def __init__(self, place: Place, db: apsw.Connection) -> None:
        super().__init__(place, db)
        self._changed: list[Row] = []
        self._unfinished = Unfinished()
        self._counted = False

    def keep_changes(self) -> None:
        """Write the changes that came with what was done; all at once is a third faster."""
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
        if self.db.in_transaction:
            self.run("ROLLBACK")

    def undo_one(self) -> None:
        """Undo an operation back to its savepoint."""
        self._changed.clear()
        self._counted = False
        self.run("ROLLBACK TO one")

    # -- events and turns

    def recover(self) -> list[Turn]:
        """Let what was running wait, one crash older, and return all that waits."""
        kept = {row[0]: turn_of(row) for row in self.run(UNFINISHED_TURNS)}
        events = list(map(event_of, self.run(UNFINISHED)))
        for event in events:
            if event.state is State.RUNNING:
                self.run("UPDATE events SET state = 'waiting' WHERE id = ?", (event.id,))
        turns = recovered(events, kept)
        self._unfinished.fill((event.id, event.guild_id, event.state) for event in events)
        self._counted = True
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
        self.run("INSERT INTO contexts VALUES (last_insert_rowid(), ?)", (context,))
        self._noted(change, row[ADDED_STATE])
        return True

    def start(
        self,
        turn: Row,
        channel_id: int,
        at: float,
        events: Sequence[Row],
        changes: Sequence[Change],
    ) -> tuple[list[str | None], list[Row] | None]:
        """Keep that a turn runs; return the contexts of its events and the speaker's sends.

        There are none, not even an empty list, of a speaker that is not known.
        """
        self.run(
            "INSERT INTO starts VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
            (channel_id, at),
        )
        if moved := self._move(events, changes):
            self.run(KEEP_TURN, turn)
        speaker = events[-1][-1]
        known = speaker in moved or self._one("SELECT 1 FROM events WHERE id = ?", (speaker,))
        sends = self.sends(speaker) if known else None
        return [self._context(row[-1]) for row in events], sends

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

    def _move(self, events: Sequence[Row], changes: Sequence[Change]) -> list[str]:
        """Move the events that are known, once; return the ids of those that were."""
        run, changed, moved = self.run, self.db.changes, []
        for row, change in zip(events, changes, strict=True):
            run(MOVE_EVENT, (*row, change.id))
            if changed():
                self._noted(change, row[MOVED_STATE])
                moved.append(row[-1])
        return moved

    def _noted(self, change: Change, state: str) -> None:
        """Keep a change, and where its event stands since."""
        self._changed.append(change)
        self._unfinished.put(change.event_id, change.guild_id, state)

    def save_turns(self, turns: Sequence[Row]) -> None:
        """Keep what changed in turns."""
        self.erased = True
        for row in turns:
            self.run(UPDATE_TURN, row)

    def save_events(self, events: Sequence[Row]) -> None:
        """Keep what changed in events."""
        for row in events:
            for (guild_id,) in self.run(SAVE_EVENT, row):
                self._unfinished.put(row[-1], guild_id, row[MOVED_STATE])

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
        self.erased = True
        event_id = row[-1]
        self.run(REVIVE_EVENT, row)
        if not self.db.changes():
            return
        self.run(
            "INSERT OR REPLACE INTO contexts SELECT seq, ? FROM events WHERE id = ?",
            (context, event_id),
        )
        self.run(
            "DELETE FROM sends WHERE sent_by = 'notice' "
            "AND event = (SELECT seq FROM events WHERE id = ?)",
            (event_id,),
        )
        self._noted(change, row[1 + MOVED_STATE])

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
        self.erased = True
        self.run(
            "DELETE FROM turns WHERE speaker IN (SELECT id FROM events WHERE author_id = ?)",
            (user_id,),
        )
        self.run("DELETE FROM events WHERE author_id = ?", (user_id,))
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

    def set_conversation(self, agent_id: str, lane: str, conversation_id: str) -> None:
        """Keep it."""
        self.run(
            "INSERT OR REPLACE INTO conversations VALUES (?, ?, ?)",
            (agent_id, lane, conversation_id),
        )

    def record_send(
        self, event_id: str, row: Row, turn_id: str | None, message_ids: Sequence[int]
    ) -> bool:
        """Keep a send in the place of the one with its key, and its messages.

        False if the event is not known; then nothing is kept.
        """
        self.run(
            "INSERT INTO sends (event, key, kind, sent_by, channel_id, text_hash, reply_to, "
            "message_ids) SELECT seq, ?, ?, ?, ?, ?, ?, ? FROM events WHERE id = ? "
            "ON CONFLICT (event, key) DO UPDATE SET kind = excluded.kind, "
            "sent_by = excluded.sent_by, channel_id = excluded.channel_id, "
            "text_hash = excluded.text_hash, reply_to = excluded.reply_to, "
            "message_ids = excluded.message_ids",
            (*row, event_id),
        )
        if not self.db.changes():
            return False
        for part, message_id in enumerate(message_ids):
            # What a message was first sent for is what it was sent for.
            self.run(
                "INSERT OR IGNORE INTO sent_messages SELECT ?, seq, ?, ? FROM events WHERE id = ?",
                (message_id, turn_id, part, event_id),
            )
        return True

    def sent(self, message_id: int) -> Row | None:
        """Return the row of a message that was sent."""
        return self._one(SENT, (message_id,))

    def sends(self, event_id: str) -> list[Row]:
        """Return the sends of an event, oldest first."""
        rows: list[Row] = self.run(
            "SELECT key, sends.kind, sent_by, sends.channel_id, text_hash, reply_to, message_ids "
            "FROM sends JOIN events ON events.seq = sends.event WHERE id = ? ORDER BY sends.seq",
            (event_id,),
        ).fetchall()
        return rows

    # -- helpers

    def _context(self, event_id: str) -> str | None:
        return self._text(
            "SELECT context FROM contexts WHERE event = (SELECT seq FROM events WHERE id = ?)",
            (event_id,),
        )
