"""Ledgers that an earlier version has left."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from aurora.ledger import Backlog
from aurora.ledger.sqlite import SqliteStore
from aurora.model import Event, Turn
from tests.support.clocks import FakeClock
from tests.support.house import ROOT
from tests.support.stores import sqlite_store

VERSION_1 = ROOT / "tests" / "ledger" / "version_1"


class Old:
    """A ledger of version 1 that was opened, and what was known of it."""

    def __init__(self, name: str, folder: Path) -> None:
        for suffix in ("sqlite3", "sqlite3-wal"):
            if (file := VERSION_1 / f"{name}.{suffix}").exists():
                shutil.copy(file, folder / f"ledger.{suffix}")
        self.known: dict[str, Any] = json.loads((VERSION_1 / f"{name}.json").read_text())
        self.clock = FakeClock(epoch=self.known["at"])
        self.store: SqliteStore = sqlite_store(self.clock, folder)
        self.backlog = Backlog((), {})

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was known of each event; what is not mentioned is empty."""
        return [{"reason": "", **one} for one in self.known["events"]]

    def named(self, name: str) -> str:
        """Return the id of an event."""
        found: str = self.known["names"][name]
        return found

    async def get(self, event_id: str) -> Event:
        """Return an event that must be there."""
        event = await self.store.get(event_id)
        assert event is not None
        return event

    async def turn_of(self, event_id: str) -> Turn:
        """Return the turn of an event, which must have one."""
        turn = await self.store.turn((await self.get(event_id)).turn_id or "")
        assert turn is not None
        return turn
