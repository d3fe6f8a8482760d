"""Dropping what has been kept long enough, a little at a time."""

from __future__ import annotations

from itertools import takewhile

from ..clock import Clock
from ..ids import oldest_turn_id
from . import PACE_SECONDS, REFUSAL_SECONDS
from .rows import sql
from .tables import Tables

BITE = 500
"""Rows looked at in one transaction, so that nobody waits for the sweep."""
_BELIEVED_SECONDS = 24 * 3600.0
"""How long a clock that was set forward must have gone on for rows to be dropped by it."""

_STEP_SECONDS = 60.0
"""By how much a clock may be set forward as one does that was a little wrong."""

OLD_TURNS = "SELECT id FROM turns WHERE id > ? AND id < ? ORDER BY id LIMIT ?"
DROP_TURNS = (
    "DELETE FROM turns WHERE id > ? AND id <= ? AND NOT EXISTS (SELECT 1 FROM events "
    "WHERE events.id = speaker AND state IN ('waiting', 'running'))"
)
_OLD_EVENTS = (
    "seq > ? AND seq <= ? AND (accepted_at <= ? OR accepted_at > ?) "
    "AND state NOT IN ('waiting', 'running')"
)
_DROP_EARLY_TURNS = sql(
    "DELETE FROM turns WHERE id > ? AND speaker IN (SELECT id FROM events WHERE", _OLD_EVENTS, ")"
)
_DROP_EVENTS = sql("DELETE FROM events WHERE", _OLD_EVENTS)
_DROP_CHANGES = "DELETE FROM changes WHERE seq > ? AND seq <= ? AND (at <= ? OR at > ?)"


class Sweep:
    """One walk through the ledger, oldest rows first, in bites.

    Rows age by their place as well as by their time: one that comes from the future, as a clock
    that was wrong says, is as old as those that were written after it.
    """

    def __init__(self) -> None:
        self._time = _Time()
        self._events = _Walk("events", "accepted_at")
        self._changes = _Walk("changes", "at")
        self._after_turn = ""
        self.unfinished = False

    def bite(self, tables: Tables, clock: Clock, retention: float) -> bool:
        """Drop old rows; True if more of them may follow. `retention` is in seconds."""
        told, now = clock.time(), self._time.now(clock)
        limit = now - retention
        span = self._events.bite(tables, now, limit)
        if span is not None:
            tables.run(_DROP_EARLY_TURNS, (oldest_turn_id(now), *span, limit, now))
            tables.run(_DROP_EVENTS, (*span, limit, now))
        span = self._changes.bite(tables, now, limit)
        if span is not None:
            tables.run(_DROP_CHANGES, (*span, limit, now))
        more = self._turns(tables, limit) | _refusals(tables, told, now)
        tables.run("UPDATE starts SET at = ? WHERE at > ?", (told, told + PACE_SECONDS))
        tables.run("DELETE FROM starts WHERE at <= ?", (told - PACE_SECONDS,))
        self.unfinished = more or self._events.unfinished or self._changes.unfinished
        return self.unfinished

    def _turns(self, tables: Tables, limit: float) -> bool:
        """Drop turns that first started before the limit, unless their speaker is unfinished."""
        first = oldest_turn_id(limit)
        old = tables.run(OLD_TURNS, (self._after_turn, first, BITE)).fetchall()
        if old:
            tables.run(DROP_TURNS, (self._after_turn, old[-1][0]))
        self._after_turn = old[-1][0] if len(old) == BITE else ""
        return self._after_turn != ""


class _Walk:
    """A walk along the rows of a table, in the order in which they were written.

    Where rows from the future are the last, it is noted up to where they were and when, so that
    they age even if nothing comes after them.
    """

    def __init__(self, table: str, at: str) -> None:
        self._query = sql("SELECT seq,", at, "FROM", table, "WHERE seq > ? ORDER BY seq LIMIT ?")
        self._note = f"{table} from the future"
        self._end()

    def _end(self) -> None:
        self.unfinished = False
        self._after = 0
        # Up to where all is old, and after what place stands what is old only if more is proven.
        self._proven: int | None = None
        self._doubted: int | None = None

    def bite(self, tables: Tables, now: float, limit: float) -> tuple[int, int] | None:
        """Go on by one bite; return after and up to which row is what may be dropped.

        In between it is what is from before the limit, or from after now.
        """
        proven = self._remembered(tables, limit) if self._proven is None else self._proven
        rows = tables.run(self._query, (self._after, BITE)).fetchall()
        # The walk ends at the first row that is young enough: those after it are younger still.
        seen = list(takewhile(lambda row: not limit < row[1] <= now, rows))
        old = [seq for seq, at in seen if at <= limit]
        self._proven = max([proven, *old[-1:]])
        self.unfinished = len(seen) == BITE
        if old and self._doubted is not None:
            self._after, self._doubted, self.unfinished = self._doubted, None, True
            return None
        after, gone = self._after, [seq for seq, _ in seen if seq <= self._proven]
        if seen:
            self._after = seen[-1][0]
        if self._doubted is None and len(gone) < len(seen):
            self._doubted = gone[-1] if gone else after
        if not self.unfinished:
            self._remember(tables, now, limit)
            self._end()
        return (after, gone[-1]) if gone else None

    def _remembered(self, tables: Tables, limit: float) -> int:
        """Return up to which row all was there before the limit, as was noted."""
        seq, at = self._noted(tables)
        return seq if at <= limit else 0

    def _remember(self, tables: Tables, now: float, limit: float) -> None:
        """Note up to where doubtful rows are there now, unless an earlier note is still of use."""
        seq, at = self._noted(tables)
        if seq and limit < at <= now:
            return
        if self._doubted is not None:
            tables.note(self._note, f"{self._after} {now}")
        elif seq:
            tables.run("DELETE FROM notes WHERE key = ?", (self._note,))

    def _noted(self, tables: Tables) -> tuple[int, float]:
        seq, at = (tables.noted(self._note) or "0 0").split()
        return int(seq), float(at)


class _Time:
    """The time that rows are dropped by: a clock that is set forward is not believed at once."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._ahead_since = 0.0

    def now(self, clock: Clock) -> float:
        """Return the time, in seconds since the epoch."""
        monotonic = clock.monotonic()
        # When the clock that can't be set was zero, as the other one tells.
        began = clock.time() - monotonic
        ahead = began - self._began if self._began is not None else 0.0
        lasting = monotonic - self._ahead_since >= _BELIEVED_SECONDS
        if self._began is None or ahead < _STEP_SECONDS or lasting:
            self._began, self._ahead_since = began, monotonic
        return self._began + monotonic


def _refusals(tables: Tables, told: float, now: float) -> bool:
    # They have no place in a sequence: what comes from the future begins to age.
    tables.run(
        "UPDATE refusals SET at = ? WHERE message_id IN "
        "(SELECT message_id FROM refusals WHERE at > ? LIMIT ?)",
        (told, told + REFUSAL_SECONDS, BITE),
    )
    tables.run(
        "DELETE FROM refusals WHERE message_id IN "
        "(SELECT message_id FROM refusals WHERE at <= ? ORDER BY at LIMIT ?)",
        (now - REFUSAL_SECONDS, BITE),
    )
    return tables.db.changes() == BITE
