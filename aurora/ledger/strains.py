"""The strains of lanes, as the stores keep them: in SQLite, and in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ..model import NO_STRAIN, Strain
from .tables import Tables


class StoredStrains:
    """The part of the SQLite store that keeps them; there are few, and it knows them all."""

    _do: Callable[..., asyncio.Future[Any]]

    def __init__(self) -> None:
        super().__init__()
        self._strains: dict[str, Strain] | None = None

    async def strain(self, lane: str) -> Strain:
        """Return a lane's strain."""
        if self._strains is None:
            found = await self._do(_all)
            self._strains = found if self._strains is None else self._strains
        return self._strains.get(lane, NO_STRAIN)

    async def set_strain(self, lane: str, strain: Strain) -> None:
        """Keep a lane's strain."""
        await self.strain(lane)
        if self._strains is not None:
            self._strains[lane] = strain
        self._do(_set, lane, strain, lazily=True).add_done_callback(_seen)

    def _forget_strains(self) -> None:
        self._strains = None


def forget(tables: Tables, user_id: int) -> None:
    """Drop those of a person's direct messages; called while their events are known."""
    tables.run(
        "DELETE FROM strains WHERE lane IN (SELECT 'channel:' || channel_id FROM events "
        "WHERE author_id = ? AND guild_id IS NULL)",
        (user_id,),
    )


def _all(tables: Tables) -> dict[str, Strain]:
    rows = tables.run("SELECT lane, strong, doubts FROM strains")
    return {lane: Strain(strong == 1, doubts) for lane, strong, doubts in rows}


def _set(tables: Tables, lane: str, strain: Strain) -> None:
    if strain == NO_STRAIN:
        tables.run("DELETE FROM strains WHERE lane = ?", (lane,))
    else:
        tables.run("INSERT OR REPLACE INTO strains VALUES (?, ?, ?)", (lane, *strain))


def _seen(asked: asyncio.Future[Any]) -> None:
    """Take an error that nobody waits for: what is asked for next fails aloud."""
    if not asked.cancelled():
        asked.exception()


class KeptStrains:
    """The part of the reference store that keeps them."""

    def __init__(self) -> None:
        super().__init__()
        self._strains: dict[str, Strain] = {}

    async def strain(self, lane: str) -> Strain:
        """Return a lane's strain."""
        return self._strains.get(lane, NO_STRAIN)

    async def set_strain(self, lane: str, strain: Strain) -> None:
        """Keep a lane's strain."""
        self._strains[lane] = strain
