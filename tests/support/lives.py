"""One Aurora's life: every call to the world outside is a point at which something may happen."""

from __future__ import annotations

import asyncio
from typing import Any

from aurora.ledger import LedgerError, Store


class Life:
    """One Aurora, from its start to its death: each call to the world outside is a point in it.

    At the point number `at` happens `what`: it dies there, the task is cancelled, or the other
    side fails.
    """

    def __init__(self, at: int = 0, what: str = "") -> None:
        self.at = at
        self.what = what
        self.passed = 0
        self.reached = ""
        self.dead = False

    async def point(self, where: str, failure: Exception | None = None) -> None:
        """Pass a point; `failure` is how the other side may fail there."""
        if self.dead:
            raise asyncio.CancelledError
        self.passed += 1
        if self.passed != self.at:
            return
        self.reached = where
        task = asyncio.current_task()
        if self.what == "die":
            self.dead = True
            await asyncio.Event().wait()
        elif self.what == "cancel" and task is not None:
            task.cancel()
            await asyncio.sleep(0)
        elif self.what == "fail" and failure is not None:
            raise failure


class Disk:
    """The ledger as one Aurora sees it."""

    def __init__(self, store: Store, life: Life) -> None:
        self.store = store
        self.full = False
        self.idle = asyncio.Event()
        self.idle.set()
        self._busy = 0
        self._life = life

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self.store, name)

        async def carry_out(*arguments: Any, **options: Any) -> Any:
            await self._life.point(f"{name} is asked", LedgerError("disk full"))
            if self.full and name in _WRITING:
                raise LedgerError("disk full")
            self._busy += 1
            self.idle.clear()
            try:
                result = await operation(*arguments, **options)
            finally:
                self._busy -= 1
                if not self._busy:
                    self.idle.set()
            await self._life.point(f"{name} is done")
            return result

        return carry_out


_WRITING = {"add", "start", "move", "save", "record_send", "set_conversation"}
