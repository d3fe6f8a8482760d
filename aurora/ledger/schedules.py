"""Schedules, as the stores keep them: in SQLite, and in this process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import astuple, fields, replace
from typing import Any

from ..model import Schedule
from .rows import Row, sql
from .tables import Tables

_NAMES = [one.name for one in fields(Schedule)]
# A name of SQL's own.
_COLUMNS = ['"when"' if name == "when" else name for name in _NAMES]
_NEW = [name for name in _COLUMNS if name != "id"]
_ID = _NAMES.index("id")
_INSERT = sql(
    "INSERT INTO schedules (", ", ".join(_NEW), ") VALUES (", ", ".join("?" * len(_NEW)),
    ") RETURNING id",
)  # fmt: skip
_UPDATE = sql(
    "UPDATE schedules SET (", ", ".join(_NEW), ") = (", ", ".join("?" * len(_NEW)),
    ") WHERE id = ?",
)  # fmt: skip
_ALL = sql("SELECT", ", ".join(_COLUMNS), "FROM schedules ORDER BY id")


class StoredSchedules:
    """The part of the SQLite store that keeps them."""

    _do: Callable[..., Awaitable[Any]]

    async def keep_schedule(self, schedule: Schedule) -> Schedule:
        """Keep a schedule; a new one gets its number."""
        return replace(schedule, id=await self._do(_keep, schedule))

    async def drop_schedule(self, schedule_id: int) -> None:
        """Remove a schedule."""
        await self._do(_drop, schedule_id)

    async def schedules(self) -> Sequence[Schedule]:
        """Return all schedules."""
        return [_schedule(row) for row in await self._do(_all)]


def forget_schedules(tables: Tables, user_id: int) -> None:
    """Remove what a person has scheduled."""
    tables.erased = True
    tables.run("DELETE FROM schedules WHERE author_id = ?", (user_id,))


def _keep(tables: Tables, schedule: Schedule) -> int:
    values = [*astuple(schedule)]
    schedule_id = int(values.pop(_ID))
    if schedule_id:
        tables.run(_UPDATE, (*values, schedule_id))
        return schedule_id
    ((number,),) = tables.run(_INSERT, values).fetchall()
    return int(number)


def _drop(tables: Tables, schedule_id: int) -> None:
    tables.erased = True
    tables.run("DELETE FROM schedules WHERE id = ?", (schedule_id,))


def _all(tables: Tables) -> list[Row]:
    rows: list[Row] = tables.run(_ALL).fetchall()
    return rows


def _schedule(row: Row) -> Schedule:
    values = dict(zip(_NAMES, row, strict=True))
    flags = {name: bool(values[name]) for name in ("always", "unsettled")}
    return Schedule(**{**values, **flags})


class KeptSchedules:
    """The part of the reference store that keeps them."""

    def __init__(self) -> None:
        super().__init__()
        self._schedules: dict[int, Schedule] = {}
        self._schedule_number = 0

    async def keep_schedule(self, schedule: Schedule) -> Schedule:
        """Keep a schedule; a new one gets its number."""
        if not schedule.id:
            self._schedule_number += 1
            schedule = replace(schedule, id=self._schedule_number)
            self._schedules[schedule.id] = schedule
        elif schedule.id in self._schedules:
            self._schedules[schedule.id] = schedule
        return schedule

    async def drop_schedule(self, schedule_id: int) -> None:
        """Remove a schedule."""
        self._schedules.pop(schedule_id, None)

    async def schedules(self) -> Sequence[Schedule]:
        """Return all schedules."""
        return list(self._schedules.values())

    def _forget_schedules(self, user_id: int) -> None:
        """Remove what a person has scheduled."""
        theirs = [one.id for one in self._schedules.values() if one.author_id == user_id]
        for schedule_id in theirs:
            del self._schedules[schedule_id]
