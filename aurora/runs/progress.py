"""When a run shows what it is at, and what of it: decided by its stream and the clock."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from ..agents.protocol import (
    ModelCalled,
    Reasoning,
    RunEvent,
    ServerFound,
    Text,
    ToolCalled,
    ToolReturned,
)
from ..clock import Clock, sleep
from ..ids import snowflake
from ..model import Turn
from ..model.progress import THINKING, UNKNOWN_TOOL, WRITING, Doing, Progress
from ..settings import EVERY_TOOL, NO_PROGRESS, GuildSettings
from .ports import Lines, RunTools

QUIET_SECONDS = 8.0
"""How long a run may last before it shows anything but typing."""


class ShowsProgress:
    """Follows one attempt, while inside; what it shows is taken away by who hears of its end.

    Once the agent has posted its answer nothing is shown, until it goes to look for more.
    """

    def __init__(
        self, lines: Lines, clock: Clock, turn: Turn, tools: RunTools, settings: GuildSettings
    ) -> None:
        self._lines = lines
        self._clock = clock
        self._event = turn.speaker
        self._tools = tools
        self._off = settings.progress == NO_PROGRESS or turn.speaker.unasked
        self._every_tool = settings.progress == EVERY_TOOL
        self._most = settings.max_steps
        self._offered = {spec.name for spec in tools.specs}
        self._since = clock.time()
        self._turn = 0
        self._doing: Doing | None = None
        self._calls: dict[str, Doing] = {}
        self._sends: set[str] = set()
        self._waiting: asyncio.Task[None] | None = None
        self._shown = False

    async def __aenter__(self) -> Self:
        """Begin to wait."""
        # A line that stands already, for who waited or from before a crash, goes on.
        self._begin(0.0 if self._lines.has(self._event) else QUIET_SECONDS)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Show nothing new."""
        self._stop()

    async def saw(self, step: RunEvent) -> None:
        """Take a step of the run; nothing is waited for."""
        match step:
            case ModelCalled():
                self._turn += 1
            case Reasoning():
                self._doing = Doing(THINKING)
            case Text():
                self._doing = Doing(WRITING)
            case ToolCalled():
                self._called(step)
            case ToolReturned():
                self._returned(step)
            case ServerFound(anew=True):
                self._turn, self._doing = 0, None
                self._calls.clear()
                self._sends.clear()
            case _:
                return
        if self._shown:
            self._show()

    def _called(self, call: ToolCalled) -> None:
        name = call.name if call.name in self._offered else UNKNOWN_TOOL
        channel_id = snowflake(str(call.arguments.get("channelId", "")))
        self._doing = self._calls[call.call_id] = Doing(name, channel_id)
        if self._tools.speaks_here(call):
            if call.arguments.get("interim") not in (True, "true"):
                self._sends.add(call.call_id)
        elif self._tools.gathers(call.name) and self._waiting is None:
            self._begin(QUIET_SECONDS)

    def _returned(self, end: ToolReturned) -> None:
        if (call := self._calls.get(end.call_id)) is not None:
            ended = call._replace(end="error" if end.is_error else "done")
            self._calls[end.call_id] = ended
        self._doing = Doing(THINKING)
        if end.call_id in self._sends and not end.is_error:
            self._stop()
            self._lines.remove(self._event)

    def _begin(self, seconds: float) -> None:
        if not self._off:
            name = f"aurora progress: {self._event.id}"
            self._waiting = asyncio.create_task(self._wait(seconds), name=name)

    def _stop(self) -> None:
        self._shown = False
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    async def _wait(self, seconds: float) -> None:
        await sleep(self._clock, seconds)
        self._shown = True
        self._show()

    def _show(self) -> None:
        progress = Progress(self._since, self._doing)
        if self._every_tool:
            calls = tuple(self._calls.values())
            progress = progress._replace(calls=calls, turn=self._turn, most=self._most)
        self._lines.show(self._event, progress)
