"""Dropping what has been kept long enough, a little at a time."""

from __future__ import annotations

import time

from ..ids import oldest_turn_id
from . import PACE_SECONDS, REFUSAL_SECONDS
from .tables import Tables

BITE = 100
"""Rows of a kind looked at in one transaction, so that nobody waits for the sweep."""
_CHANGES = 3 * BITE
_PAGES = 16
_SECONDS = 0.001

OLD_TURNS = "SELECT id FROM turns WHERE id > ? AND id < ? ORDER BY id LIMIT ?"
DROP_TURNS = (
    "DELETE FROM turns WHERE id > ? AND id <= ? AND NOT EXISTS (SELECT 1 FROM events "
    "WHERE events.id = speaker AND state IN ('waiting', 'running'))"
)


class Sweep:
    """One walk through the ledger, oldest rows first, in bites."""

    def __init__(self) -> None:
        self._after_event = 0
        self._after_turn = ""
        self.unfinished = False

    def bite(self, tables: Tables, now: float, retention: float) -> bool:
        """Drop old rows; True if more of them may follow. Times are in seconds."""
        more = self._events(tables, now - retention)
        more |= self._turns(tables, now - retention)
        more |= _changes(tables, now - retention)
        more |= _refusals(tables, now - REFUSAL_SECONDS)
        tables.run("DELETE FROM starts WHERE at <= ?", (now - PACE_SECONDS,))
        self.unfinished = more or _shrink(tables)
        return self.unfinished

    def _events(self, tables: Tables, limit: float) -> bool:
        """Drop final events that were accepted before the limit, and with them their sends."""
        # A bite ends at the first event that is young enough: those after it are younger still.
        rows = tables.run(
            "SELECT seq, accepted_at FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
            (self._after_event, BITE),
        ).fetchall()
        old = [seq for seq, accepted_at in rows if accepted_at <= limit]
        if not old:
            self._after_event = 0
            return False
        tables.run(
            "DELETE FROM events WHERE seq > ? AND seq <= ? AND accepted_at <= ? "
            "AND state NOT IN ('waiting', 'running')",
            (self._after_event, old[-1], limit),
        )
        self._after_event = old[-1] if len(old) == BITE else 0
        return self._after_event > 0

    def _turns(self, tables: Tables, limit: float) -> bool:
        """Drop turns that first started before the limit, unless their speaker is unfinished."""
        first = oldest_turn_id(limit)
        old = tables.run(OLD_TURNS, (self._after_turn, first, BITE)).fetchall()
        if old:
            tables.run(DROP_TURNS, (self._after_turn, old[-1][0]))
        self._after_turn = old[-1][0] if len(old) == BITE else ""
        return self._after_turn != ""


def _changes(tables: Tables, limit: float) -> bool:
    tables.run(
        "DELETE FROM changes WHERE seq < (SELECT min(seq) FROM changes) + ? AND at <= ?",
        (_CHANGES, limit),
    )
    return tables.db.changes() == _CHANGES


def _shrink(tables: Tables) -> bool:
    """Give some free pages back, as many as that takes no time; True if more are left."""
    # How long one takes depends on how many there are.
    begun = time.monotonic()
    for _ in range(_PAGES):
        if not tables.shrink():
            return False
        if time.monotonic() - begun > _SECONDS:
            break
    return True


def _refusals(tables: Tables, limit: float) -> bool:
    tables.run(
        "DELETE FROM refusals WHERE message_id IN "
        "(SELECT message_id FROM refusals WHERE at <= ? ORDER BY at LIMIT ?)",
        (limit, BITE),
    )
    return tables.db.changes() == BITE
