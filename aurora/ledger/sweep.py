"""Dropping what has been kept long enough, a little at a time."""

from __future__ import annotations

import time
from itertools import takewhile

from ..clock import Clock
from ..ids import oldest_turn_id
from . import PACE_SECONDS, REFUSAL_SECONDS, read_into, usages
from .rows import sql
from .tables import Tables
from .usage_log import USAGE_SECONDS

BITE = 100
"""Rows of a kind looked at in one transaction, so that nobody waits for the sweep."""
_CHANGES = 3 * BITE
_PAGES = 16
_SECONDS = 0.001
_BELIEVED_SECONDS = 24 * 3600.0
"""How long a clock that was set forward must have gone on for rows to be dropped by it."""
_STEP_SECONDS = 60.0
"""By how much a clock may be set forward as one does that was a little wrong."""

OLD_TURNS = "SELECT id FROM turns WHERE id > ? AND id < ? ORDER BY id LIMIT ?"
DROP_TURNS = (
    "DELETE FROM turns WHERE id > ? AND id <= ? AND NOT EXISTS (SELECT 1 FROM events "
    "WHERE events.id = speaker AND state IN ('waiting', 'running'))"
)
DROP_LONELY_TURNS = (
    "DELETE FROM turns WHERE id > ? AND id <= ? AND NOT EXISTS "
    "(SELECT 1 FROM events WHERE events.id = speaker)"
)
_BEHIND_ALL_TURNS = "turn_~"
_DROP_EVENTS = (
    "DELETE FROM events WHERE seq > ? AND seq <= ? AND (accepted_at <= ? OR accepted_at > ?) "
    "AND state NOT IN ('waiting', 'running')"
)
_DROP_CHANGES = "DELETE FROM changes WHERE seq > ? AND seq <= ? AND (at <= ? OR at > ?)"


class Sweep:
    """One walk through the ledger, oldest rows first, in bites.

    Rows age by their place as well as by their time: one that comes from the future, as a clock
    that was wrong says, is as old as those that were written after it.
    """

    def __init__(self) -> None:
        self._time = _Time()
        self._events = _Walk("events", "accepted_at", BITE)
        self._changes = _Walk("changes", "at", _CHANGES)
        self._turns = _Turns(DROP_TURNS)
        self._early_turns = _Turns(DROP_LONELY_TURNS)
        self.unfinished = False

    def bite(self, tables: Tables, clock: Clock, retention: float) -> bool:
        """Drop old rows; True if more of them may follow. `retention` is in seconds."""
        told, now = clock.time(), self._time.now(clock)
        limit = now - retention
        more = self._drop_events(tables, now, limit)
        span = self._changes.bite(tables, now, limit)
        if span is not None:
            tables.run(_DROP_CHANGES, (*span, limit, now))
        more |= self._turns.bite(tables, "", oldest_turn_id(limit))
        more |= _refusals(tables, told, now)
        more |= usages.drop_old(tables, now, min(limit, now - USAGE_SECONDS), BITE)
        read_into.drop_offers(tables, told)
        tables.run("UPDATE starts SET at = ? WHERE at > ?", (told, told + PACE_SECONDS))
        tables.run("DELETE FROM starts WHERE at <= ?", (told - PACE_SECONDS,))
        self.unfinished = more or self._changes.unfinished or _shrink(tables)
        return self.unfinished

    def _drop_events(self, tables: Tables, now: float, limit: float) -> bool:
        """Drop final events, and once they are gone the turns from the future that were theirs."""
        span = self._events.bite(tables, now, limit)
        if span is not None:
            # What they cost is not forgotten with them.
            tables.count_ended()
            tables.run(_DROP_EVENTS, (*span, limit, now))
        more = self._events.unfinished
        if not more and self._events.met_future:
            more = self._early_turns.bite(tables, oldest_turn_id(now), _BEHIND_ALL_TURNS)
            self._events.met_future = more
        return more


class _Turns:
    """A walk along the turns that began in some span of time."""

    def __init__(self, drop: str) -> None:
        self._drop = drop
        self._after = ""

    def bite(self, tables: Tables, first: str, behind: str) -> bool:
        """Go on by one bite between two ids; True if more may follow."""
        after = max(self._after, first)
        old = tables.run(OLD_TURNS, (after, behind, BITE)).fetchall()
        if old:
            tables.run(self._drop, (after, old[-1][0]))
        self._after = old[-1][0] if len(old) == BITE else ""
        return self._after != ""


class _Walk:
    """A walk along the rows of a table, in the order in which they were written.

    Where rows from the future are the last, it is noted up to where they were and when, so that
    they age even if nothing comes after them.
    """

    def __init__(self, table: str, at: str, bite: int) -> None:
        self._bite = bite
        # As far as is known after a start: what was to be done about it may have been cut off.
        self.met_future = True
        """Whether rows from the future were found to be old."""
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
        rows = tables.run(self._query, (self._after, self._bite)).fetchall()
        # The walk ends at the first row that is young enough: those after it are younger still.
        seen = list(takewhile(lambda row: not limit < row[1] <= now, rows))
        old = [seq for seq, at in seen if at <= limit]
        self._proven = max([proven, *old[-1:]])
        self.unfinished = len(seen) == self._bite
        if old and self._doubted is not None:
            self._after, self._doubted, self.unfinished = self._doubted, None, True
            return None
        after, gone = self._after, [seq for seq, _ in seen if seq <= self._proven]
        self.met_future |= any(at > now for _, at in seen[: len(gone)])
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
