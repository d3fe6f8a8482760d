"""What can be done to the ledger's tables; every function runs in the writer's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import apsw

from ..model import Change, Turn
from . import EVERYWHERE, LedgerError, Where
from .backlog import recovered
from .rows import (
    CHANGES,
    INSERT_CHANGE,
    INSERT_EVENT,
    KEEP_TURN,
    MOVE_EVENT,
    REVIVE_EVENT,
    SENT,
    TURN,
    UNFINISHED,
    UNFINISHED_TURNS,
    UPDATE_EVENT,
    UPDATE_TURN,
    WITH_CONTEXT,
    Row,
    event_of,
    recent,
    sql,
    turn_of,
    turn_row,
)
from .trouble import explained

log = logging.getLogger("red.aurora.ledger")


class Tables:
    """The open ledger. Its operations run inside a transaction that the writer has begun.

    `connect` opens the file that stands at the path, as it was opened for this one.
    """

    def __init__(
        self, path: Path, db: apsw.Connection, connect: Callable[[], apsw.Connection]
    ) -> None:
        self.path = path
        self._connect = connect
        self._use(db)
        self._changed: list[Row] = []
        self.erased = False
        """Whether content was erased that the WAL may still hold."""

    def reconnect(self) -> None:
        """Go on with the file that stands at the path now; all that is kept must be in it."""
        db, before = self._connect(), self.db
        try:
            # It is locked, and has its log, from the first look into it on.
            db.execute("BEGIN IMMEDIATE; ROLLBACK")
        except BaseException:
            db.close()
            raise
        self._use(db)
        before.close()
        self.erased = False

    def _use(self, db: apsw.Connection) -> None:
        self.db = db
        # Rows are whatever the query says, which its stubs can't know.
        self.run: Callable[..., Any] = db.cursor().execute

    def keep_changes(self) -> None:
        """Write the changes that came with what was done; all at once is a third faster."""
        if self._changed:
            self.db.cursor().executemany(INSERT_CHANGE, self._changed)
            self._changed.clear()

    def undo(self) -> None:
        """Undo the transaction that is open, if SQLite has not done so by itself."""
        self._changed.clear()
        if self.db.in_transaction:
            self.run("ROLLBACK")

    def undo_one(self) -> None:
        """Undo an operation back to its savepoint."""
        self._changed.clear()
        self.run("ROLLBACK TO one")

    def truncate(self) -> None:
        """Move all there is in the WAL into the file, and leave the WAL empty."""
        self.run("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.erased = False

    def copy(self, path: Path) -> None:
        """Write all that is kept into another file."""
        path.unlink(missing_ok=True)
        try:
            self.run("VACUUM INTO ?", (str(path),))
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def touch(self) -> None:
        """Write what is there anew, to see whether the disk takes it."""
        version = self.db.pragma("user_version")
        self.run(f"PRAGMA user_version={version}")

    def explained(self, error: Exception) -> LedgerError:
        """Return the error that tells the owner what is wrong and what to do."""
        return explained(self.path, error, self.db.system_errno)

    def close(self) -> None:
        """Close the file, leaving nothing beside it."""
        try:
            self.truncate()
        except apsw.Error:
            log.exception("The ledger could not be tidied up; the next start does it")
        self.db.close()

    # -- events and turns

    def recover(self) -> list[Turn]:
        """Let what was running wait, one crash older, and return all that waits."""
        kept = {row[0]: turn_of(row) for row in self.run(UNFINISHED_TURNS)}
        turns = recovered(map(event_of, self.run(UNFINISHED)), kept)
        self.run("UPDATE events SET state = 'waiting' WHERE state = 'running'")
        for turn in turns:
            if turn.id and turn.interrupted:
                self.run(KEEP_TURN, turn_row(turn))
        return turns

    def starts(self, since: float) -> dict[int, float]:
        """Return the latest starts by channel."""
        return dict(self.run("SELECT channel_id, at FROM starts WHERE at > ?", (since,)))

    def add(self, row: Row, context: str, change: Change) -> bool:
        """Keep a new event, unless its message is known."""
        self.run(INSERT_EVENT, row)
        if not self.db.changes():
            return False
        self.run("INSERT INTO contexts VALUES (last_insert_rowid(), ?)", (context,))
        self._changed.append(change)
        return True

    def start(
        self,
        turn: Row,
        channel_id: int,
        at: float,
        events: Sequence[Row],
        changes: Sequence[Change],
    ) -> list[str | None]:
        """Keep that a turn runs; return the contexts of its events."""
        self.run(
            "INSERT INTO starts VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
            (channel_id, at),
        )
        if self._move(events, changes):
            self.run(KEEP_TURN, turn)
        return [self._context(row[-1]) for row in events]

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

    def _move(self, events: Sequence[Row], changes: Sequence[Change]) -> bool:
        """Move the events that are known; tell whether there are any."""
        run, changed, known = self.run, self.db.changes, False
        for row, change in zip(events, changes, strict=True):
            run(MOVE_EVENT, (*row, change.id))
            if changed():
                self._changed.append(change)
                known = True
        return known

    def save_turns(self, turns: Sequence[Row]) -> None:
        """Keep what changed in turns."""
        self.erased = True
        for row in turns:
            self.run(UPDATE_TURN, row)

    def save_events(self, events: Sequence[Row]) -> None:
        """Keep what changed in events."""
        for row in events:
            self.run(UPDATE_EVENT, row)

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
        self._changed.append(change)

    def find(self, column: str, value: str | int) -> Row | None:
        """Return the row of an event and its context."""
        return self._one(sql(WITH_CONTEXT, "WHERE", column, "= ?"), (value,))

    def turn(self, turn_id: str) -> Row | None:
        """Return the row of a turn and its speaker."""
        return self._one(TURN, (turn_id,))

    def recent(self, where: Where, states: Sequence[str], limit: int) -> list[Row]:
        """Return the rows of the latest events, each with what `Listed` adds."""
        wanted, values = _within(where)
        if states:
            wanted += f" AND state IN ({', '.join('?' * len(states))})"
        rows: list[Row] = self.run(recent(wanted), (*values, *states, limit)).fetchall()
        return rows

    def counts(self, where: Where) -> list[Row]:
        """Count events by state."""
        wanted, values = _within(where)
        query = sql("SELECT state, count(*) FROM events WHERE", wanted, "GROUP BY state")
        rows: list[Row] = self.run(query, values).fetchall()
        return rows

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
    ) -> None:
        """Keep a send of a known event, in the place of the one with its key, and its messages."""
        self.run(
            "INSERT INTO sends (event, key, kind, sent_by, channel_id, text_hash, reply_to, "
            "message_ids) SELECT seq, ?, ?, ?, ?, ?, ?, ? FROM events WHERE id = ? "
            "ON CONFLICT (event, key) DO UPDATE SET kind = excluded.kind, "
            "sent_by = excluded.sent_by, channel_id = excluded.channel_id, "
            "text_hash = excluded.text_hash, reply_to = excluded.reply_to, "
            "message_ids = excluded.message_ids",
            (*row, event_id),
        )
        for part, message_id in enumerate(message_ids):
            # What a message was first sent for is what it was sent for.
            self.run(
                "INSERT OR IGNORE INTO sent_messages SELECT ?, seq, ?, ? FROM events WHERE id = ?",
                (message_id, turn_id, part, event_id),
            )

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

    def note(self, key: str, value: str) -> None:
        """Keep a fact."""
        self.run("INSERT OR REPLACE INTO notes VALUES (?, ?)", (key, value))

    def noted(self, key: str) -> str | None:
        """Return a fact."""
        return self._text("SELECT value FROM notes WHERE key = ?", (key,))

    def dm_channels(self, since: float) -> list[int]:
        """Return the channels of DMs since then."""
        rows = self.run(
            "SELECT channel_id FROM events WHERE guild_id IS NULL AND accepted_at >= ? "
            "GROUP BY channel_id ORDER BY max(seq)",
            (since,),
        )
        return [channel_id for (channel_id,) in rows]

    # -- helpers

    def _context(self, event_id: str) -> str | None:
        return self._text(
            "SELECT context FROM contexts WHERE event = (SELECT seq FROM events WHERE id = ?)",
            (event_id,),
        )

    def _one(self, query: str, values: Row) -> Row | None:
        rows = self.run(query, values).fetchall()
        return rows[0] if rows else None

    def _text(self, query: str, values: Row) -> str | None:
        row = self._one(query, values)
        return str(row[0]) if row else None


def _within(where: Where) -> tuple[str, Row]:
    if where == EVERYWHERE:
        return "true", ()
    return "guild_id IS ?", (where,)
