"""How much work something is, counted and not timed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from aurora.ledger.sqlite import SqliteStore

_T = TypeVar("_T")
_EACH = 10


async def steps_of(store: SqliteStore, asked: Awaitable[Any]) -> int:
    """Return how many steps SQLite takes, to within ten, for what is asked of a store."""
    count = 0

    def step() -> bool:
        nonlocal count
        count += 1
        return False

    await store._do(lambda tables: tables.db.set_progress_handler(step, _EACH))
    before = count
    await asked
    taken = count - before
    await store._do(lambda tables: tables.db.set_progress_handler(None))
    return taken * _EACH


class Counter:
    """Counts what is done between two turns of the event loop."""

    def __init__(self) -> None:
        self.total = 0
        self.most = 0
        self._now = 0

    def add(self) -> None:
        """Count one."""
        self.total += 1
        self._now += 1
        self.most = max(self.most, self._now)

    async def watch(self, work: Awaitable[_T]) -> _T:
        """Do something; `most` is what was counted at most while nothing else could run."""
        self.total = self.most = self._now = 0
        task = asyncio.ensure_future(work)
        while not task.done():
            await asyncio.sleep(0)
            self._now = 0
        return task.result()
