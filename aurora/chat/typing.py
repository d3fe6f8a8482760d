"""The line that says somebody is typing: while a run has not answered, and no longer."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self

import discord

from ..agents.protocol import RunEvent, ToolCalled, ToolReturned
from ..model import Event
from .failures import FAILURES, Patience
from .places import find_place

log = logging.getLogger("red.aurora.delivery")

SECONDS = 8.0
"""How often it is shown anew: Discord shows it for ten seconds."""
_HEAD_START = 0.05


class Following(Protocol):
    """What the tools of a run tell of their calls."""

    def gathers(self, name: str) -> bool:
        """Tell whether an agent gets to know something by a tool."""
        ...

    def speaks_here(self, call: ToolCalled) -> bool:
        """Tell whether a call posts something where the agent was asked."""
        ...


class Typing:
    """Shows typing in an event's place while inside; never delays, never raises.

    It follows the run with its tools: once the agent has posted its answer there, nobody is
    typing. A text that it calls interim is none, and if it goes to look for something more, there
    is more to come.
    """

    def __init__(
        self,
        bot: discord.Client,
        event: Event,
        patience: Patience,
        tools: Following,
        *,
        seconds: float = SECONDS,
    ) -> None:
        self._bot = bot
        self._event = event
        self._patience = patience
        self._tools = tools
        self._seconds = seconds
        self._at_work, self._stopped = asyncio.Event(), asyncio.Event()
        self._sends: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin."""
        self.begin()
        name = f"aurora typing: {self._event.id}"
        self._task = asyncio.create_task(self._type(), name=name)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Leave nothing behind."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def begin(self) -> None:
        """Show that somebody is at work, also after an answer."""
        self._stopped.clear()
        self._at_work.set()

    def stop(self) -> None:
        """Show no more: the answer is out, which itself ends what people see."""
        self._at_work.clear()
        self._stopped.set()

    async def saw(self, step: RunEvent) -> None:
        """Follow the run: it answers, or goes on looking."""
        match step:
            case ToolCalled() if self._tools.gathers(step.name):
                self.begin()
            case ToolCalled() if self._tools.speaks_here(step):
                if step.arguments.get("interim") not in (True, "true"):
                    self._sends.add(step.call_id)
            case ToolReturned(call_id, is_error=False) if call_id in self._sends:
                self.stop()

    async def _type(self) -> None:
        try:
            # The input to the agent goes out first; nobody sees the difference in the typing.
            await asyncio.sleep(_HEAD_START)
            event = self._event
            channel = await find_place(self._bot, event, event.channel_id, self._patience)
            while channel is not None:
                await self._at_work.wait()
                await channel.typing()
                # `wait_for` would swallow a cancellation that comes together with the answer.
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._seconds):
                        await self._stopped.wait()
        except FAILURES as error:
            log.debug("No typing for event %s: %r", self._event.id, error)
