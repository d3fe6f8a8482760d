"""Looking at a local Discord while things happen in it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from .model import Payload
from .world import Event, World

T = TypeVar("T")


@dataclass(slots=True, frozen=True)
class Call:
    """One request of the bot; `route` is the template, `at` monotonic seconds."""

    method: str
    route: str
    path: str
    status: int
    at: float
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status}"


class Watching:
    """What was seen lately, and who waits for more."""

    def __init__(self, world: World) -> None:
        self.calls: list[Call] = []
        self.unknown_routes: list[str] = []
        self.crashes: list[str] = []
        self._events: deque[str] = deque(maxlen=8)
        self._waiting: set[asyncio.Future[None]] = set()
        self._queues: list[asyncio.Queue[tuple[str, Payload]]] = []
        world.listeners.append(self._hear)

    def subscribe(self) -> asyncio.Queue[tuple[str, Payload]]:
        """Return a queue that gets every event, whatever the bot asked to hear."""
        queue: asyncio.Queue[tuple[str, Payload]] = asyncio.Queue()
        self._queues.append(queue)
        return queue

    def unsubscribe(self, queue: asyncio.Queue[tuple[str, Payload]]) -> None:
        """Stop filling a queue."""
        if queue in self._queues:
            self._queues.remove(queue)

    def tell(self, name: str, data: Payload) -> None:
        """Tell the subscribers of something that is no gateway event."""
        for queue in self._queues:
            queue.put_nowait((name, data))
        self.wake()

    def wake(self) -> None:
        """Let everybody who waits look again."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def wait_for(
        self, predicate: Callable[[], T | None], timeout: float = 20.0, *, recheck: float = 0.01
    ) -> T:
        """Return the predicate's value as soon as it is true.

        Args:
            predicate: Looked at again whenever anything changes.
            timeout: Seconds.
            recheck: Seconds after which it is looked at though nothing has changed in here: some
                predicates look at the bot, which tells nobody of its changes.

        Raises:
            TimeoutError: It never was; says what was last seen.

        """
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while True:
            value = predicate()
            if value:
                return value
            left = end - loop.time()
            if left <= 0:
                raise TimeoutError(f"nothing after {timeout} s; {self._last_seen(value)}")
            future: asyncio.Future[None] = loop.create_future()
            self._waiting.add(future)
            try:
                await asyncio.wait([future], timeout=min(left, recheck))
            finally:
                self._waiting.discard(future)
                future.cancel()

    def _last_seen(self, value: object) -> str:
        calls = "; ".join(str(call) for call in self.calls[-5:])
        return (
            f"the predicate gave {value!r}; last events: {', '.join(self._events) or 'none'}; "
            f"last calls: {calls or 'none'}"
        )

    def _hear(self, event: Event) -> None:
        detail = event.data.get("content") if event.name.startswith("MESSAGE_") else None
        self._events.append(f"{event.name} {detail!r}" if detail else event.name)
        self.tell(event.name, event.data)
