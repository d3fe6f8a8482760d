"""Work that nobody waits for, and that unload ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger("red.aurora")


class Background:
    """The tasks of what goes on behind a command or a listener."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, object], name: str) -> asyncio.Task[Any]:
        """Run work in a task called `aurora <name>`; if it fails, that is logged."""
        task = asyncio.create_task(work, name=f"aurora {name}")
        # The event loop itself holds its tasks only weakly.
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self, grace: float) -> None:
        """Give what still runs `grace` seconds to end, then cancel it."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("Something in the background failed: %s", task.get_name(), exc_info=error)
