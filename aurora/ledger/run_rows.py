"""The runs of one person, and those with a short name: in SQLite, and in this process."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..model import NO_CONTEXT, Event, State
from . import EVERYWHERE, Listed, Where
from .backlog import Kept
from .lists import COUNTED, LOOKED_AT, NEWEST, SHOWN, show
from .rows import EVENTS, Row, event_of, sql
from .run_lists import LOOKED_BACK, OfAuthor
from .tables import Tables

# All that ids consist of stands before the letter g.
BY_PREFIX = sql("SELECT", EVENTS, "FROM events WHERE id > ? AND id < ? || 'g' LIMIT 2")
ENDED_OF_AUTHOR = sql(
    "SELECT seq, guild_id, state FROM events INDEXED BY events_by_author WHERE author_id = ?",
    "AND", COUNTED, "AND seq < ? ORDER BY seq DESC LIMIT ?",
)  # fmt: skip


class StoredRuns:
    """The part of the SQLite store that finds them."""

    _do: Callable[..., Awaitable[Any]]

    async def beginning(self, prefix: str) -> Sequence[Event]:
        """Return two at most of the events whose ids begin so."""
        return [event_of(row) for row in await self._do(_beginning, prefix)]

    async def of_author(
        self, author_id: int, where: Where, *, states: Collection[State] = (), limit: int = 20
    ) -> OfAuthor:
        """Return what a person asked somewhere.

        The writer does it a little at a time: others come in between.
        """
        wanted = frozenset(states) or frozenset(State)
        # What is unfinished is little: of each person only so much may wait.
        unfinished = _listed(await self._do(_open, author_id))
        found = {seq: one for seq, one in unfinished.items() if _is_in(one.event.guild_id, where)}
        counts = Counter(one.event.state for one in found.values())
        found = {seq: one for seq, one in found.items() if one.event.state in wanted}
        ended: list[int] = []
        before, looked_at = NEWEST, 0
        while before and looked_at < LOOKED_BACK:
            rows = await self._do(_ended, author_id, before)
            for seq, guild_id, state in rows:
                # One may have ended since.
                if _is_in(guild_id, where) and seq not in unfinished:
                    counts[State(state)] += 1
                    if state in wanted and len(ended) < limit:
                        ended.append(seq)
            looked_at += len(rows)
            before = rows[-1][0] if len(rows) == LOOKED_AT else 0
        for first in range(0, len(ended), SHOWN):
            found |= _listed(await self._do(_rows, ended[first : first + SHOWN]))
        latest = [found[seq] for seq in sorted(found, reverse=True)[:limit]]
        return OfAuthor(latest, counts, before > 0)


def _listed(rows: Mapping[int, Row]) -> dict[int, Listed]:
    return {seq: Listed(event_of(row), row[-2], row[-1] == 1) for seq, row in rows.items()}


def _is_in(guild_id: int | None, where: Where) -> bool:
    return where in (EVERYWHERE, guild_id)


def _beginning(tables: Tables, prefix: str) -> list[Row]:
    rows: list[Row] = tables.run(BY_PREFIX, (prefix, prefix)).fetchall()
    return rows


def _open(tables: Tables, author_id: int) -> dict[int, Row]:
    """Return what a person has waiting or running; and enter what has ended into the index."""
    tables.count_ended()
    return _rows(tables, tables.unfinished.of_author(author_id))


def _rows(tables: Tables, numbers: Sequence[int]) -> dict[int, Row]:
    """Return the rows of those that are still there, by number."""
    return {seq: row for seq in numbers for row in show(tables, [seq])}


def _ended(tables: Tables, author_id: int, before: int) -> list[Row]:
    rows: list[Row] = tables.run(ENDED_OF_AUTHOR, (author_id, before, LOOKED_AT)).fetchall()
    return rows


class KeptRuns:
    """The part of the reference store that finds them."""

    _events: OrderedDict[str, Event]
    _turns: OrderedDict[str, Kept]

    async def recent(
        self, where: Where, *, states: Collection[State] = (), limit: int = 20
    ) -> Sequence[Listed]:
        """Return the latest events, newest first."""
        found = [
            self._listed(event)
            for event in reversed(self._events.values())
            if _is_in(event.guild_id, where) and (not states or event.state in states)
        ]
        return found[:limit]

    async def beginning(self, prefix: str) -> Sequence[Event]:
        """Return two at most of the events whose ids begin so."""
        found = [one for one in self._events.values() if one.id.startswith(prefix)]
        return [self._listed(one).event for one in found[:2]]

    async def of_author(
        self, author_id: int, where: Where, *, states: Collection[State] = (), limit: int = 20
    ) -> OfAuthor:
        """Return what a person asked somewhere."""
        mine = [
            event
            for event in reversed(self._events.values())
            if event.author_id == author_id and _is_in(event.guild_id, where)
        ]
        latest = [self._listed(one) for one in mine if not states or one.state in states]
        return OfAuthor(latest[:limit], Counter(event.state for event in mine))

    def _listed(self, event: Event) -> Listed:
        speaker, turn = self._turns.get(event.turn_id or "", (event.id, None))
        tries = turn.attempts + turn.misses if turn else 0
        return Listed(replace(event, context=NO_CONTEXT), tries, speaker == event.id)
