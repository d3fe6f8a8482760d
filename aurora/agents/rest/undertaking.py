"""Cancel the runs that were lost with their server, as soon as it is there again.

A server that was killed says "running" of its dead runs for ever, and one that was cut off may
even go on with them; either way they hold their conversation until somebody cancels them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ...clock import Clock, sleep
from ...reasons import AgentError
from ..protocol import ConversationKey
from .api import Api, CutError
from .outcomes import RefusedError

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between one look for the server and the next, which doubles."""
MOST_SECONDS = 3600.0
"""After that a server is not looked for any more; the next turn ends what it finds."""


class Undertaking:
    """The conversations in which a lost run may be left, and the task that ends those runs.

    Args:
        api: the server.
        clock: the source of time for waits.
        lock: the lock of a conversation; whoever holds it sees to the conversation.
        task_name: what the task is called.

    """

    def __init__(
        self,
        api: Api,
        clock: Clock,
        lock: Callable[[ConversationKey], asyncio.Lock],
        task_name: str,
    ) -> None:
        self._api = api
        self._clock = clock
        self._lock = lock
        self._task_name = task_name
        self._left: dict[ConversationKey, float] = {}
        self._task: asyncio.Task[None] | None = None

    def leave(self, key: ConversationKey) -> None:
        """Note that a run may be left in a conversation."""
        self._left[key] = self._clock.monotonic()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._see_to_all(), name=self._task_name)

    async def clear(self, key: ConversationKey) -> None:
        """End what is left in a conversation whose lock is held; raise CutError."""
        if key not in self._left:
            return
        try:
            await self._api.cancel(key)
        except RefusedError as error:
            if error.status >= 500:
                raise CutError(sent=True) from None
            # Nothing runs there, or it is gone.
        self._left.pop(key, None)

    async def close(self) -> None:
        """Leave them to the next turns."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _see_to_all(self) -> None:
        pause = FIRST_PAUSE
        while self._left:
            await sleep(self._clock, pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            try:
                for key in list(self._left):
                    await self._see_to(key)
            except (AgentError, CutError):
                continue

    async def _see_to(self, key: ConversationKey) -> None:
        lock = self._lock(key)
        if self._clock.monotonic() - self._left[key] > MOST_SECONDS:
            del self._left[key]
        elif not lock.locked():
            async with lock:
                await self.clear(key)
