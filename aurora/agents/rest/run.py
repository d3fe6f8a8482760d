"""One run as its caller sees it: events, the text so far, and calls of Aurora's tools."""

from __future__ import annotations

import asyncio
import logging

from ..frames import Frame
from ..protocol import (
    Accepted,
    Finished,
    Input,
    RunEvent,
    Text,
    ToolCalled,
    ToolHost,
    ToolResult,
    ToolReturned,
)
from .outcomes import Ending
from .step import Call, Step

_log = logging.getLogger("red.aurora.agents")


class Run:
    """A turn on its way. `left` is set when its caller went away."""

    def __init__(self, turn: Input, tools: ToolHost) -> None:
        self.turn = turn
        self.tools = tools
        self.events: asyncio.Queue[RunEvent] = asyncio.Queue()
        self.left = asyncio.Event()
        self.finished = False
        self.accepted = False
        self.coming: dict[str, Call] = {}
        self.seen: set[str] = set()
        self._text: tuple[str, list[str]] = ("", [])

    def emit(self, event: RunEvent) -> None:
        """Pass an event on, unless the caller was told the end."""
        if not self.finished:
            self.events.put_nowait(event)

    def finish(self, ending: Ending, text: str = "") -> None:
        """Tell the caller how it ended; only the first time counts."""
        self.emit(Finished(ending.outcome, text, ending.detail, ending.retry_after))
        self.finished = True

    def feed(self, step: Step, frame: Frame) -> None:
        """Take a frame of the run's stream."""
        self.accept()
        for event in step.take(frame):
            match event:
                case Text(message_id, text):
                    if message_id != self._text[0]:
                        self._text = (message_id, [])
                    self._text[1].append(text)
                case ToolCalled() | ToolReturned():
                    self._text = ("", [])
            self.emit(event)

    def accept(self) -> None:
        """Note that the server took the input."""
        if not self.accepted:
            self.accepted = True
            self.emit(Accepted())

    @property
    def text(self) -> str:
        """The last message after the last tool call, as far as it came over the wire."""
        return "".join(self._text[1])

    async def call(self, call: Call) -> ToolResult:
        """Run one of Aurora's tools and tell of it."""
        self._text = ("", [])
        arguments = call.parsed()
        self.emit(ToolCalled(call.id, call.name, arguments or {}))
        if arguments is None:
            result = ToolResult("The arguments are no JSON object.", is_error=True)
        else:
            try:
                result = await self.tools.call(call.name, arguments)
            except Exception as error:
                # Only the kind: the message may quote what somebody wrote.
                _log.error("The tool %s failed: %s", call.name, type(error).__name__)
                result = ToolResult("The tool failed unexpectedly.", is_error=True)
        self.emit(ToolReturned(call.id, result.is_error))
        return result

    def offers(self, name: str) -> bool:
        """Tell whether the tool is one of those of this run."""
        return any(spec.name == name for spec in self.tools.specs)
