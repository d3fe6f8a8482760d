"""The life of a run as both kinds of server share it: opened, followed, left, closed.

Two sides meet in a Run. Its caller follows the events, of which the last, and only the last, is a
Finished; whoever drives it on the server tells them, and goes on until the server has let go of
the conversation, also when the caller has left.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping
from typing import Any, Generic, TypeVar

from ..reasons import Outcome
from ..words import servers as w
from .outcomes import Ending
from .protocol import (
    Accepted,
    Finished,
    Input,
    RunEvent,
    ServerFound,
    ServerLost,
    Text,
    ToolCalled,
    ToolHost,
    ToolResult,
    ToolReturned,
)

_log = logging.getLogger("red.aurora.agents")

_TOOL_NAME = re.compile(r"[\w.:-]{1,64}\Z")
NOT_OFFERED = "This tool is not available here. Use only the tools you were given."


class Run:
    """One input on its way through a server, with the tools that its agent may call.

    Two things end independently: `finished` when its caller got the last event, `left` when the
    caller went away first.
    """

    def __init__(self, given: Input, tools: ToolHost) -> None:
        self.given = given
        self.tools = tools
        self.events: asyncio.Queue[RunEvent] = asyncio.Queue()
        self.left = asyncio.Event()
        self.accepted = False
        self.finished = False
        self._told = False
        self.is_away = False
        self._was_away = False
        self._said: tuple[str, list[str]] = ("", [])

    def emit(self, event: RunEvent) -> None:
        """Pass an event on, unless the caller was told the end."""
        if self.finished:
            return
        match event:
            case Text(message_id, text):
                if message_id != self._said[0]:
                    # After a dropped stream the server says everything again under a new id.
                    self._said = (message_id, [])
                self._said[1].append(text)
            case ToolCalled() | ToolReturned():
                self.forget_text()
        self.events.put_nowait(event)

    @property
    def text(self) -> str:
        """The last message after the last tool call, as far as it came over the wire."""
        return "".join(self._said[1])

    def forget_text(self) -> None:
        """Forget what the agent said so far in this run: it is no part of the answer."""
        self._said = ("", [])

    def accept(self) -> None:
        """Note that the server took the input; the caller is told the first time."""
        self.accepted = True
        if not self._told:
            self._told = True
            self.emit(Accepted())

    def lose_server(self) -> None:
        """Note that the server is gone; the caller is told the first time."""
        if not self.is_away:
            self.is_away = self._was_away = True
            self.emit(ServerLost())

    def find_server(self, *, anew: bool = False) -> None:
        """Note that the server is there, and the run goes on; `anew` if from its start.

        That it begins anew may show later than that the server is there.
        """
        if self.is_away or (anew and self._was_away):
            self.is_away = False
            self._was_away &= not anew
            self.emit(ServerFound(anew))

    def finish(self, ending: Ending, text: str = "") -> None:
        """Tell the caller how it ended; only the first time counts."""
        self.emit(Finished(ending.outcome, text, ending.detail, ending.retry_after))
        self.finished = True

    def trip(self, name: str) -> None:
        """End the run: a tool ran that was not offered. Its caller leaves, and so aborts it."""
        shown = name if _TOOL_NAME.match(name) else w.UNNAMED_TOOL
        self.finish(Ending(Outcome.TRIPPED, w.TRIPPED(tool=shown)))

    def leave(self) -> None:
        """Note that the caller went away: nobody hears what follows."""
        self.left.set()

    def offers(self, name: str) -> bool:
        """Tell whether the tool is one of those of this run."""
        return any(spec.name == name for spec in self.tools.specs)

    async def use(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Use one of the tools; a host that fails gives a result too."""
        try:
            return await self.tools.call(name, arguments)
        except Exception as error:
            # Only the kind: the message may quote what somebody wrote.
            _log.error("The tool %s failed: %s", name, type(error).__name__)
            return ToolResult("The tool failed unexpectedly.", is_error=True)


R = TypeVar("R", bound=Run)


class Runs(Generic[R]):
    """The runs that one backend has under way, and its other tasks."""

    def __init__(self, task_name: str) -> None:
        self.closed = False
        self._task_name = task_name
        self._open: set[R] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[R]:
        return iter(self._open)

    async def follow(
        self, run: R, drive: Callable[[], Coroutine[Any, Any, None]]
    ) -> AsyncGenerator[RunEvent, None]:
        """Yield a run's events up to its Finished, while a task drives it."""
        if self.closed:
            yield Finished(Outcome.UNREACHABLE, detail=w.CLOSED)
            return
        self._open.add(run)
        self.spawn(self._see_through(run, drive))
        try:
            while True:
                event = await run.events.get()
                yield event
                if isinstance(event, Finished):
                    return
        finally:
            run.leave()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a task that `end` ends."""
        task = asyncio.create_task(work, name=self._task_name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def abort(self, grace: float) -> None:
        """Open no more runs, abort all, and wait up to `grace` seconds for the server."""
        self.closed = True
        for run in list(self._open):
            run.finish(Ending(Outcome.CANCELLED, w.CLOSED))
            run.leave()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)

    async def end(self) -> None:
        """End every task that is left; nothing may start others any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _see_through(self, run: R, drive: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await drive()
        except Exception as error:
            _log.exception("A run broke off.")
            run.finish(Ending(Outcome.LOST, w.INSIDE(error=type(error).__name__)))
        finally:
            run.finish(Ending(Outcome.CANCELLED))
            self._open.discard(run)
