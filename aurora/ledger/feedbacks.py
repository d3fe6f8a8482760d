"""Judgements, as the stores keep them: in SQLite, and in this process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from ..model import Judgement
from .feedback_log import KEPT_OF_A_LANE
from .rows import Row, sql
from .tables import Tables

_COLUMNS = ", ".join(Judgement._fields)
_KEEP = sql(
    "INSERT OR REPLACE INTO judgements (", _COLUMNS, ") VALUES (",
    ", ".join("?" * len(Judgement._fields)), ")",
)  # fmt: skip
# The ids of events are in the order of their time.
_OF_A_LANE = sql(
    "SELECT", _COLUMNS, "FROM judgements WHERE agent_id = ? AND lane = ? AND own ORDER BY event_id"
)
_ON = sql("SELECT", _COLUMNS, "FROM judgements WHERE event_id = ? ORDER BY person_id")
_DROP_OLD = (
    "DELETE FROM judgements WHERE agent_id = ?1 AND lane = ?2 AND event_id <= (SELECT event_id "
    "FROM judgements WHERE agent_id = ?1 AND lane = ?2 AND own ORDER BY event_id DESC "
    "LIMIT 1 OFFSET ?3)"
)


class StoredFeedback:
    """The part of the SQLite store that keeps them."""

    _do: Callable[..., Awaitable[Any]]

    async def judge(self, judgement: Judgement) -> None:
        """Keep a judgement."""
        await self._do(_keep, judgement)

    async def take_back(self, event_id: str, person_id: int, good: bool) -> None:
        """Drop a judgement, if it is still that one."""
        await self._do(
            _run,
            "DELETE FROM judgements WHERE event_id = ? AND person_id = ? AND good = ?",
            event_id,
            person_id,
            good,
        )

    async def judgements(self, agent_id: str, lane: str) -> Sequence[Judgement]:
        """Return what those who asked think of an agent's answers."""
        return _judgements(await self._do(_rows, _OF_A_LANE, agent_id, lane))

    async def judgements_on(self, event_id: str) -> Sequence[Judgement]:
        """Return what all think of the answer to an event."""
        return _judgements(await self._do(_rows, _ON, event_id))

    async def judged_lanes(self) -> Collection[tuple[str, str]]:
        """Return the agents and lanes of which anything is kept."""
        rows = await self._do(_rows, "SELECT DISTINCT agent_id, lane FROM judgements")
        return {(agent_id, lane) for agent_id, lane in rows}

    async def tell_judgements(self, agent_id: str, lane: str) -> None:
        """Keep that the agent knows all that there is."""
        told = "UPDATE judgements SET told = 1 WHERE agent_id = ? AND lane = ? AND NOT told"
        await self._do(_run, told, agent_id, lane)


def forget_feedback(tables: Tables, user_id: int) -> None:
    """Drop what a person thinks."""
    tables.run("DELETE FROM judgements WHERE person_id = ?", (user_id,))


def _keep(tables: Tables, judgement: Judgement) -> None:
    tables.run(_KEEP, judgement)
    tables.run(_DROP_OLD, (judgement.agent_id, judgement.lane, KEPT_OF_A_LANE))


def _run(tables: Tables, statement: str, *values: object) -> None:
    tables.run(statement, values)


def _rows(tables: Tables, query: str, *values: object) -> list[Row]:
    rows: list[Row] = tables.run(query, values).fetchall()
    return rows


def _judgements(rows: Sequence[Row]) -> list[Judgement]:
    return [
        Judgement(*row)._replace(good=row[4] == 1, own=row[5] == 1, told=row[7] == 1)
        for row in rows
    ]


class KeptFeedback:
    """The part of the reference store that keeps them."""

    def __init__(self) -> None:
        super().__init__()
        self._judgements: dict[tuple[str, int], Judgement] = {}

    async def judge(self, judgement: Judgement) -> None:
        """Keep a judgement."""
        self._judgements[judgement.event_id, judgement.person_id] = judgement
        own = await self.judgements(judgement.agent_id, judgement.lane)
        for old in own[:-KEPT_OF_A_LANE]:
            for key in [key for key in self._judgements if key[0] <= old.event_id]:
                if self._judgements[key][2:4] == judgement[2:4]:
                    del self._judgements[key]

    async def take_back(self, event_id: str, person_id: int, good: bool) -> None:
        """Drop a judgement, if it is still that one."""
        known = self._judgements.get((event_id, person_id))
        if known is not None and known.good == good:
            del self._judgements[event_id, person_id]

    async def judgements(self, agent_id: str, lane: str) -> Sequence[Judgement]:
        """Return what those who asked think of an agent's answers."""
        found = [one for one in self._judgements.values() if one[2:4] == (agent_id, lane)]
        return sorted((one for one in found if one.own), key=lambda one: one.event_id)

    async def judgements_on(self, event_id: str) -> Sequence[Judgement]:
        """Return what all think of the answer to an event."""
        found = [one for one in self._judgements.values() if one.event_id == event_id]
        return sorted(found, key=lambda one: one.person_id)

    async def judged_lanes(self) -> Collection[tuple[str, str]]:
        """Return the agents and lanes of which anything is kept."""
        return {(one.agent_id, one.lane) for one in self._judgements.values()}

    async def tell_judgements(self, agent_id: str, lane: str) -> None:
        """Keep that the agent knows all that there is."""
        for key, one in self._judgements.items():
            if one[2:4] == (agent_id, lane):
                self._judgements[key] = one._replace(told=True)

    def _forget_feedback(self, user_id: int) -> None:
        """Drop what a person thinks."""
        for key in [key for key in self._judgements if key[1] == user_id]:
            del self._judgements[key]
