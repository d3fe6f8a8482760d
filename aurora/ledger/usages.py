"""What runs cost, as the stores keep it: in SQLite, and in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..model import Event, State, Turn, Used
from ..model.usage import day_of
from .backlog import Kept
from .rows import Row, sql
from .tables import Tables
from .where import EVERYWHERE, Where

NOBODY, ALL_GUILDS = 0, -1
"""What stands in the place of the person in a guild's sums, and of the guild in those of all."""
LOOKED_AT = 500
"""Rows that are read at a time, so that nobody waits for them."""

_NUMBERS = Used._fields[Used._fields.index("runs") :]
_COLUMNS = ", ".join(("day, nullif(guild, 0), channel, agent, model", *_NUMBERS))
_SUMS = ", ".join(f"sum({one})" for one in _NUMBERS)
# From key to key, in the order of the index.
PAGE = sql(
    "SELECT", _COLUMNS, "FROM usage WHERE person = ? "
    "AND (guild, day, channel, agent, model) > (?, ?, ?, ?, ?) AND guild <= ? "
    "ORDER BY guild, day, channel, agent, model LIMIT ?",
)  # fmt: skip
SPENT = sql(
    "SELECT day, model,", _SUMS, "FROM usage",
    "WHERE person = ? AND guild = ? AND day >= ? GROUP BY day, model ORDER BY day, model",
)  # fmt: skip
SPENT_ANYWHERE = SPENT.replace("AND guild = ?", "")
COSTS = (
    "SELECT agent_id, prompt_tokens + completion_tokens, unmetered, attempts, ended_at "
    "FROM turns ORDER BY id DESC LIMIT ?"
)
DROP_OLD = (
    "DELETE FROM usage WHERE seq IN (SELECT seq FROM usage ORDER BY seq LIMIT ?) "
    "AND (day < ? OR day > ?)"
)


class StoredUsage:
    """The part of the SQLite store that tells of it; `Tables.count_ended` is what enters it."""

    _do: Callable[..., Awaitable[Any]]

    async def usage(
        self, where: Where, since: int, person: int | None = None
    ) -> AsyncIterator[Sequence[Used]]:
        """Yield the sums since a day, some at a time."""
        guild = _guild(where)
        # Of a person everywhere: all guilds, one after the other.
        theirs = person is not None and where == EVERYWHERE
        first, last = (ALL_GUILDS, _MOST) if theirs else (guild, guild)
        after: Row = (first, since - 1, _MOST, "", "")
        while True:
            rows = await self._do(_page, (person or NOBODY, *after, last, LOOKED_AT))
            used = (_used(row) for row in rows)
            yield [one for one in used if one.day >= since]
            if len(rows) < LOOKED_AT:
                return
            day, guild_id, *rest = rows[-1][:5]
            after = (guild_id or 0, day, *rest)

    async def spent(self, where: Where, since: int, person: int | None = None) -> Sequence[Used]:
        """Return the sums since a day by day and model."""
        rows = await self._do(_spent, where, since, person)
        return [Used(day, None, 0, "", model, *sums) for day, model, *sums in rows]

    async def costs(self, limit: int) -> Sequence[tuple[str, int]]:
        """Return the agents of the latest turns with their tokens."""
        rows = await self._do(_rows, COSTS, (limit,))
        return [
            (agent_id, tokens)
            for agent_id, tokens, unmetered, attempts, ended_at in rows
            if agent_id is not None and ended_at is not None and attempts and not unmetered
        ]


_MOST = (1 << 63) - 1


def _guild(where: Where) -> int:
    """Return what stands for a place; a guild's id, 0 for direct messages."""
    return ALL_GUILDS if where == EVERYWHERE else int(where or 0)


def _used(row: Row) -> Used:
    day, guild_id, *rest = row
    return Used(day, None if guild_id == ALL_GUILDS else guild_id, *rest)


def _page(tables: Tables, values: Row) -> list[Row]:
    tables.count_ended()
    return _rows(tables, PAGE, values)


def _spent(tables: Tables, where: Where, since: int, person: int | None) -> list[Row]:
    tables.count_ended()
    if person is not None and where == EVERYWHERE:
        return _rows(tables, SPENT_ANYWHERE, (person, since))
    return _rows(tables, SPENT, (person or NOBODY, _guild(where), since))


def _rows(tables: Tables, query: str, values: Row) -> list[Row]:
    rows: list[Row] = tables.run(query, values).fetchall()
    return rows


def drop_old(tables: Tables, now: float, limit: float, bite: int) -> bool:
    """Drop the sums of days that are too old, or have not been yet; True if more may follow."""
    tables.run(DROP_OLD, (bite, day_of(limit), day_of(now) + 1))
    return tables.db.changes() == bite


def forget(tables: Tables, user_id: int) -> None:
    """Drop a person's sums; those of the guild stay, in which nobody is named."""
    tables.run("DELETE FROM usage WHERE person = ?", (user_id,))


@dataclass(slots=True)
class _Kept:
    """The sums, by what they are of."""

    sums: dict[tuple[Any, ...], Used] = field(default_factory=dict)

    def add(self, person: int, guild: int, used: Used) -> None:
        key = (person, guild, *used[:5])
        known = self.sums.get(key)
        self.sums[key] = used if known is None else known.plus(used)


class KeptUsage:
    """The part of the reference store that keeps it."""

    _events: Mapping[str, Event]
    _turns: Mapping[str, Kept]

    def __init__(self) -> None:
        super().__init__()
        self._used = _Kept()
        self._uncounted: dict[str, None] = {}

    async def usage(
        self, where: Where, since: int, person: int | None = None
    ) -> AsyncIterator[Sequence[Used]]:
        """Yield the sums since a day."""
        yield list(self._found(where, since, person))

    async def spent(self, where: Where, since: int, person: int | None = None) -> Sequence[Used]:
        """Return the sums since a day by day and model."""
        found: dict[tuple[int, str], Used] = {}
        for one in self._found(where, since, person):
            key = one.day, one.model
            found[key] = found.get(key, Used(one.day, None, 0, "", one.model)).plus(one)
        return [found[key] for key in sorted(found)]

    async def costs(self, limit: int) -> Sequence[tuple[str, int]]:
        """Return the agents of the latest turns with their tokens."""
        latest = sorted(self._turns.items(), reverse=True)[:limit]
        return [
            (turn.agent_id, turn.prompt_tokens + turn.completion_tokens)
            for _, (_, turn) in latest
            if turn.agent_id and turn.ended_at is not None
            if turn.attempts and not turn.unmetered
        ]

    def _count_usage(self) -> None:
        """Enter what has ended, as the SQLite store does before it is asked."""
        ended = [one for one in map(self._events.get, self._uncounted) if one and one.state.final]
        for event in ended:
            del self._uncounted[event.id]
            speaker, turn = self._turns.get(event.turn_id or "", ("", None))
            if turn is not None and speaker == event.id:
                self._count_turn(event, turn)

    def _found(self, where: Where, since: int, person: int | None) -> Iterator[Used]:
        self._count_usage()
        theirs = person is not None and where == EVERYWHERE
        for key in sorted(self._used.sums):
            there = theirs or key[1] == _guild(where)
            if there and key[0] == (person or NOBODY) and key[2] >= since:
                yield self._used.sums[key]

    def _count_turn(self, event: Event, turn: Turn) -> None:
        """Enter a turn that has ended, by the event that spoke for it."""
        if not turn.attempts and not turn.unmetered:
            return
        used = Used(
            day_of(event.accepted_at if turn.started_at is None else turn.started_at),
            event.guild_id,
            event.channel_id,
            turn.agent_id or "",
            turn.model or "",
            1,
            int(event.state is State.ANSWERED),
            int(event.state in (State.FAILED, State.EXPIRED)),
            int(turn.unmetered > 0),
            turn.prompt_tokens,
            turn.cached_tokens,
            turn.completion_tokens,
            turn.seconds,
        )
        guild = event.guild_id or 0
        self._used.add(event.author_id, guild, used)
        self._used.add(NOBODY, guild, used)
        self._used.add(NOBODY, ALL_GUILDS, used._replace(guild_id=None, channel_id=0))

    def _forget_usage(self, user_id: int) -> None:
        sums = self._used.sums
        self._used.sums = {key: one for key, one in sums.items() if key[0] != user_id}

    def _drop_usage(self, now: float, limit: float) -> None:
        first, last, sums = day_of(limit), day_of(now) + 1, self._used.sums
        self._used.sums = {key: one for key, one in sums.items() if first <= key[2] <= last}
