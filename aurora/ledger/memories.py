"""Changes to agents' memories, as the stores keep them: in SQLite, and in this process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from ..ids import person_folder
from ..model import MemoryChange
from .memory_log import KEPT_OF_A_FILE
from .rows import Row, sql
from .tables import Tables

_COLUMNS = ", ".join(MemoryChange._fields)
_INSERT = sql(
    "INSERT INTO memory_changes (", ", ".join(MemoryChange._fields[:-1]), ") VALUES (",
    ", ".join("?" * (len(MemoryChange._fields) - 1)), ") RETURNING number",
)  # fmt: skip
OF_A_FILE = sql(
    "SELECT", _COLUMNS, "FROM memory_changes WHERE agent_id = ? AND path = ? "
    "ORDER BY number DESC LIMIT ?",
)  # fmt: skip
_BY_NUMBER = sql("SELECT", _COLUMNS, "FROM memory_changes WHERE number = ?")
_LATEST = sql("SELECT", _COLUMNS, "FROM memory_changes ORDER BY number DESC LIMIT ?")
_LATEST_THERE = sql(
    "SELECT", _COLUMNS, "FROM memory_changes WHERE guild_id = ? ORDER BY number DESC LIMIT ?"
)
# With max() SQLite takes the other columns from the row that has it.
PLACES = (
    "SELECT path, channel_id, act, max(number) FROM memory_changes WHERE agent_id = ? "
    "GROUP BY path"
)
_AGENTS = "SELECT DISTINCT agent_id FROM memory_changes"
_DROP_OLD = (
    "DELETE FROM memory_changes WHERE agent_id = ? AND path = ? AND number <= "
    "(SELECT number FROM memory_changes WHERE agent_id = ? AND path = ? "
    "ORDER BY number DESC LIMIT 1 OFFSET ?)"
)


class StoredMemories:
    """The part of the SQLite store that keeps them."""

    _do: Callable[..., Awaitable[Any]]

    async def record_memory(self, change: MemoryChange) -> int:
        """Keep a change that is about to be made."""
        number: int = await self._do(_record, change)
        return number

    async def settle_memory(
        self, number: int, version: str | None, place: tuple[int | None, int | None] | None = None
    ) -> None:
        """Keep what a change came to."""
        await self._do(_settle, number, version, place)

    async def memory_change(self, number: int) -> MemoryChange | None:
        """Return a change by its number."""
        found = _changes(await self._do(_rows, _BY_NUMBER, number))
        return found[0] if found else None

    async def memory_changes(self, agent_id: str, path: str) -> Sequence[MemoryChange]:
        """Return the latest changes of a file."""
        return _changes(await self._do(_rows, OF_A_FILE, agent_id, path, KEPT_OF_A_FILE))

    async def memory_places(self, agent_id: str) -> Mapping[str, int | None]:
        """Return in which channel each file was changed last."""
        rows = await self._do(_rows, PLACES, agent_id)
        return {path: place for path, place, act, _ in rows if act != "delete"}

    async def memory_agents(self) -> Collection[str]:
        """Return the agents of whose memory changes are known."""
        return {agent_id for (agent_id,) in await self._do(_rows, _AGENTS)}

    async def memory_log(self, limit: int, guild_id: int | None = None) -> Sequence[MemoryChange]:
        """Return the latest changes of all, or those of a guild."""
        if guild_id is None:
            return _changes(await self._do(_rows, _LATEST, limit))
        return _changes(await self._do(_rows, _LATEST_THERE, guild_id, limit))


def forget(tables: Tables, user_id: int) -> None:
    """Drop a person's part in the changes; where a file of others was written stays known."""
    tables.run(
        "DELETE FROM memory_changes WHERE path >= ?1 AND path < ?1 || char(0x10ffff) "
        "OR author_id = ?2 AND guild_id IS NULL",
        (person_folder(user_id), user_id),
    )
    tables.run(
        "UPDATE memory_changes SET author_id = NULL, turn_id = '' WHERE author_id = ?", (user_id,)
    )


def _record(tables: Tables, change: MemoryChange) -> int:
    ((number,),) = tables.run(_INSERT, change[:-1]).fetchall()
    file = (change.agent_id, change.path)
    tables.run(_DROP_OLD, (*file, *file, KEPT_OF_A_FILE))
    return int(number)


def _settle(
    tables: Tables,
    number: int,
    version: str | None,
    place: tuple[int | None, int | None] | None,
) -> None:
    if version is None:
        tables.run("DELETE FROM memory_changes WHERE number = ?", (number,))
        return
    tables.run("UPDATE memory_changes SET version = ? WHERE number = ?", (version, number))
    if place is not None:
        tables.run(
            "UPDATE memory_changes SET channel_id = ?, guild_id = ? WHERE number = ?",
            (*place, number),
        )


def _rows(tables: Tables, query: str, *values: object) -> list[Row]:
    rows: list[Row] = tables.run(query, values).fetchall()
    return rows


def _changes(rows: Sequence[Row]) -> list[MemoryChange]:
    return [MemoryChange(*row) for row in rows]


class KeptMemories:
    """The part of the reference store that keeps them."""

    def __init__(self) -> None:
        super().__init__()
        self._memories: dict[int, MemoryChange] = {}
        self._memory_number = 0

    async def record_memory(self, change: MemoryChange) -> int:
        """Keep a change that is about to be made."""
        self._memory_number += 1
        self._memories[self._memory_number] = change._replace(number=self._memory_number)
        old = self._of(change.agent_id, change.path)[KEPT_OF_A_FILE:]
        for one in old:
            del self._memories[one.number]
        return self._memory_number

    async def settle_memory(
        self, number: int, version: str | None, place: tuple[int | None, int | None] | None = None
    ) -> None:
        """Keep what a change came to."""
        found = self._memories.pop(number, None)
        if found is None or version is None:
            return
        channel_id, guild_id = place or (found.channel_id, found.guild_id)
        self._memories[number] = found._replace(
            version=version, channel_id=channel_id, guild_id=guild_id
        )

    async def memory_change(self, number: int) -> MemoryChange | None:
        """Return a change by its number."""
        return self._memories.get(number)

    async def memory_changes(self, agent_id: str, path: str) -> Sequence[MemoryChange]:
        """Return the latest changes of a file."""
        return self._of(agent_id, path)

    async def memory_places(self, agent_id: str) -> Mapping[str, int | None]:
        """Return in which channel each file was changed last."""
        latest = {one.path: one for one in self._in_order() if one.agent_id == agent_id}
        return {path: one.channel_id for path, one in latest.items() if one.act != "delete"}

    async def memory_agents(self) -> Collection[str]:
        """Return the agents of whose memory changes are known."""
        return {one.agent_id for one in self._memories.values()}

    async def memory_log(self, limit: int, guild_id: int | None = None) -> Sequence[MemoryChange]:
        """Return the latest changes of all, or those of a guild."""
        found = self._in_order()[::-1]
        return [one for one in found if guild_id in (None, one.guild_id)][:limit]

    def _forget_memories(self, user_id: int) -> None:
        """Drop a person's part in the changes."""
        for one in self._in_order():
            about = one.path.startswith(person_folder(user_id))
            theirs = one.author_id == user_id
            if about or (theirs and one.guild_id is None):
                del self._memories[one.number]
            elif theirs:
                self._memories[one.number] = one._replace(author_id=None, turn_id="")

    def _in_order(self) -> list[MemoryChange]:
        return sorted(self._memories.values(), key=lambda one: one.number)

    def _of(self, agent_id: str, path: str) -> list[MemoryChange]:
        found = [one for one in self._in_order() if (one.agent_id, one.path) == (agent_id, path)]
        return found[::-1]
