"""Pings: a server that is out is asked whether it is back, so that nobody waits out a breaker."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from ..clock import Clock, sleep
from ..errors import (
    PINGS,
    Breakers,
    BreakerState,
    Growth,
    Key,
    Provider,
)
from ..queue import MessageQueue
from ..settings import Settings

log = logging.getLogger("red.aurora.worker")


def look_again(
    queue: MessageQueue, settings: Settings, key: Key, _old: BreakerState, new: BreakerState
) -> None:
    """Let what waits for a breaker go on, when that changes for the better.

    While it is open each lane learns so by itself, when its time comes.
    """
    if new is not BreakerState.OPEN:
        agent_id = key.agent_id if isinstance(key, Provider) else key
        queue.reconsider(None if agent_id is None else settings.guilds_of(agent_id))


class Pingable(Protocol):
    """The part of an agent server that is asked."""

    async def ping(self) -> None:
        """Find out whether the server can be used, and start nothing there; raise if not."""
        ...


class Pinger:
    """Pings the agents' server while its breaker is open; a good ping lets turns try it at once.

    `missed` is called after each ping in vain. A ping that takes `patience` seconds is one.
    """

    def __init__(
        self,
        breakers: Breakers,
        backend: Callable[[], Pingable | None],
        clock: Clock,
        missed: Callable[[], None],
        *,
        pauses: Growth = PINGS,
        patience: float = 5.0,
    ) -> None:
        self._breakers = breakers
        self._backend = backend
        self._clock = clock
        self._missed = missed
        self._pauses = pauses
        self._patience = patience
        self._task: asyncio.Task[None] | None = None

    def changed(self, key: Key, _old: BreakerState, new: BreakerState) -> None:
        """Hear of a change of a breaker: begin to ping, or leave it."""
        if key is None:
            self._end()
            if new is BreakerState.OPEN:
                self._task = asyncio.create_task(self._ping(), name="aurora pinger")

    async def stop(self) -> None:
        """Ping no more."""
        if (task := self._end()) is not None:
            await asyncio.wait({task})

    def _end(self) -> asyncio.Task[None] | None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        return task

    async def _ping(self) -> None:
        """Ping with growing pauses, until the breaker is open no more."""
        server = self._breakers.server
        while server.state is BreakerState.OPEN:
            await sleep(self._clock, self._pauses.pause(server.failing_for))
            if server.state is not BreakerState.OPEN:
                return
            if await self._answers():
                # The last thing that is done here, for it ends this task.
                server.half_open()
                return
            self._missed()

    async def _answers(self) -> bool:
        backend = self._backend()
        if backend is None:
            return False
        ping, over = asyncio.ensure_future(backend.ping()), asyncio.Event()
        ping.add_done_callback(lambda _ping: over.set())
        try:
            await self._clock.wait(over, self._patience)
        finally:
            ping.cancel()
            await asyncio.wait({ping})
        if ping.cancelled():
            log.info("The agents' server did not answer a ping in time")
            return False
        if (error := ping.exception()) is not None:
            log.info("The agents' server does not answer yet: %s", type(error).__name__)
        return error is None
