"""What is counted and listed of the ledger, however much has ended; in the writer's thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Protocol

from ..model import State
from . import EVERYWHERE, Where
from .rows import LISTED, Row, sql
from .tables import Tables

LOOKED_AT = 1000
"""Rows that a list passes at a time, so that nobody waits for it."""
SHOWN = 25
"""Rows that are fetched at a time; each may stand somewhere else in the file."""

# As the indexes have it: SQLite compares the two by their text.
COUNTED = "state < 'running' AND uncounted IS NULL"
_RARE = "state < 'running' AND state > 'answered'"
TALLY = "SELECT state, number FROM tallies WHERE guild = ? AND number > 0"
TALLY_OF_ALL = "SELECT state, sum(number) FROM tallies GROUP BY state HAVING sum(number) > 0"
ENDED = sql(
    "SELECT seq FROM events INDEXED BY events_ended WHERE guild_id IS ? AND state = ?",
    "AND", COUNTED, "ORDER BY seq DESC LIMIT ?",
)  # fmt: skip
UNANSWERED = sql(
    "SELECT seq FROM events INDEXED BY events_unanswered WHERE state = ? AND", _RARE,
    "ORDER BY seq DESC LIMIT ?",
)  # fmt: skip
ANY = "SELECT seq, guild_id, state FROM events WHERE seq < ? ORDER BY seq DESC LIMIT ?"
ANY_OPEN = (
    "SELECT seq, guild_id, state FROM contexts CROSS JOIN events ON seq = event "
    "WHERE event < ? ORDER BY event DESC LIMIT ?"
)
# From channel to channel, over however many events lie between.
DM_CHANNELS = """
WITH RECURSIVE dms (channel) AS (
    SELECT min(channel_id) FROM events WHERE guild_id IS NULL
    UNION ALL
    SELECT (SELECT min(channel_id) FROM events WHERE guild_id IS NULL AND channel_id > channel)
    FROM dms WHERE channel IS NOT NULL
), latest (channel, last) AS (
    SELECT channel, (SELECT max(seq) FROM events WHERE guild_id IS NULL AND channel_id = channel)
    FROM dms WHERE channel IS NOT NULL
)
SELECT channel FROM latest CROSS JOIN events ON seq = last WHERE accepted_at >= ? ORDER BY last
"""

NEWEST = (1 << 63) - 1
_STATES = frozenset(map(str, State))
_OPEN = frozenset(str(state) for state in State if not state.final)


class _Do(Protocol):
    """Has something done in the writer's thread."""

    def __call__(self, operation: Callable[..., Any], *args: Any) -> Awaitable[Any]: ...


async def recent(do: _Do, where: Where, states: Collection[str], limit: int) -> list[Row]:
    """Return the rows of the latest events, newest first, each with what `Listed` adds.

    The writer does it a little at a time: others come in between.
    """
    wanted = frozenset(states) or _STATES
    found = await do(_indexed, where, wanted, limit)
    if found is None:
        found = await _passed(do, where, wanted, limit)
    rows: list[Row] = []
    for first in range(0, len(found), SHOWN):
        rows += await do(show, found[first : first + SHOWN])
    return [row for row in rows if row[9] in wanted]


def counts(tables: Tables, where: Where) -> dict[str, int]:
    """Count events by state."""
    tables.count_ended()
    query, values = (TALLY_OF_ALL, ()) if where == EVERYWHERE else (TALLY, (where or 0,))
    ended = dict(tables.run(query, values))
    return tables.unfinished.counts(where) | ended


def dm_channels(tables: Tables, since: float) -> list[int]:
    """Return the DM channels whose latest event was accepted since then, the latest last."""
    return [channel_id for (channel_id,) in tables.run(DM_CHANNELS, (since,))]


def _indexed(tables: Tables, where: Where, wanted: frozenset[str], limit: int) -> list[int] | None:
    """Return the numbers of the latest events; None if no index tells them."""
    unfinished = tables.unfinished.counts(where)
    many = sum(unfinished.get(state, 0) for state in wanted) > LOOKED_AT
    if many or (where == EVERYWHERE and State.ANSWERED in wanted):
        return None
    tables.count_ended()
    found = tables.unfinished.seqs(where, wanted)
    for state in wanted - _OPEN:
        if where == EVERYWHERE:
            ended = tables.run(UNANSWERED, (state, limit))
        else:
            ended = tables.run(ENDED, (where, state, limit))
        found += (seq for (seq,) in ended)
    return sorted(found, reverse=True)[:limit]


async def _passed(do: _Do, where: Where, wanted: Collection[str], limit: int) -> list[int]:
    """Walk back from the newest event; most of those that are passed are wanted."""
    query = ANY_OPEN if _OPEN.issuperset(wanted) else ANY
    all_of_them = where == EVERYWHERE and wanted == _STATES
    bite = min(limit, LOOKED_AT) if all_of_them else LOOKED_AT
    found: list[int] = []
    before = NEWEST
    while before and len(found) < limit:
        rows = await do(_before, query, before, bite)
        found += (
            seq
            for seq, guild_id, state in rows
            if state in wanted and where in (EVERYWHERE, guild_id)
        )
        before = rows[-1][0] if len(rows) == bite else 0
    return found[:limit]


def _before(tables: Tables, query: str, before: int, count: int) -> list[Row]:
    rows: list[Row] = tables.run(query, (before, count)).fetchall()
    return rows


def show(tables: Tables, numbers: Sequence[int]) -> list[Row]:
    """Return the rows of some events, each with what `Listed` adds."""
    return [row for seq in numbers for row in tables.run(LISTED, (seq,))]
