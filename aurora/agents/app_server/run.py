"""One run: the frames of its turn become RunEvents, its tool calls reach the ToolHost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from ..frames import (
    Frame,
    json_object,
    number,
    part,
    text_of,
    word,
)
from ..protocol import (
    Accepted,
    Finished,
    Input,
    Outcome,
    Reasoning,
    RunEvent,
    RunStarted,
    Text,
    ToolCalled,
    ToolHost,
    ToolResult,
    ToolReturned,
    Usage,
)
from .outcomes import Ending, ending

_log = logging.getLogger("red.aurora.agents")


class Run:
    """What is known of one input on its way through the server.

    Three things end independently: `finished` when its caller got the last event, `left` when the
    caller went away first, `over` when the server let go of the conversation.
    """

    def __init__(self, turn: Input, tools: ToolHost) -> None:
        self.turn = turn
        self.tools = tools
        self.input_id = turn.input_id
        self.events: asyncio.Queue[RunEvent] = asyncio.Queue()
        self.news = asyncio.Event()
        self.left = asyncio.Event()
        self.over = asyncio.Event()
        self.accepted = False
        self.finished = False
        self._told = False
        self.ending: Ending | None = None
        self.patchy = False
        self.begun = asyncio.Event()
        self._dequeued = False
        self._text: tuple[str, list[str]] = ("", [])
        self._run_id = ""
        self._called: set[str] = set()
        self._calls: set[asyncio.Task[ToolResult]] = set()

    def begin(self, input_id: str) -> None:
        """Forget what an earlier try brought; from here on frames and tool calls are ours."""
        self.input_id = input_id
        self._dequeued = False
        self.accepted = self.patchy = False
        self.ending = None
        self.restart()

    def restart(self) -> None:
        """The server runs the input from its start (again): what it said before is void."""
        self.begun.set()
        self._text = ("", [])

    def accept(self, *, queued: bool = False) -> None:
        """Note that the server took the input; a queued one begins when it is taken out."""
        if queued and not self.accepted and not self._dequeued:
            self.begun.clear()
        self.accepted = True
        if not self._told:
            self._told = True
            self.emit(Accepted())

    def leave(self) -> None:
        """The caller went away: nobody hears what follows, and open calls end in an error."""
        self.left.set()
        for call in self._calls:
            call.cancel()
        self.news.set()

    def emit(self, event: RunEvent) -> None:
        """Pass an event on, unless the caller was told the end."""
        if not self.finished:
            self.events.put_nowait(event)

    def finish(self, outcome: Outcome, detail: str = "", text: str = "") -> None:
        """Tell the caller how it ended; only the first time counts."""
        self.emit(Finished(outcome, text, detail))
        self.finished = True

    @property
    def text(self) -> str:
        """The last message after the last tool step, as far as it came over the wire."""
        return "".join(self._text[1])

    def offers(self, name: str) -> bool:
        """Tell whether the tool is one of those of this run."""
        return any(spec.name == name for spec in self.tools.specs)

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Run one of the tools; an error result if the caller is gone."""
        gone = ToolResult(
            "Nobody waits for this any more; the call was broken off.", is_error=True
        )
        if self.left.is_set() or self.finished:
            return gone
        task = asyncio.create_task(self._host_call(name, arguments))
        self._calls.add(task)
        try:
            await asyncio.wait([task])
        finally:
            self._calls.discard(task)
            task.cancel()
        return gone if task.cancelled() else task.result()

    async def _host_call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        try:
            return await self.tools.call(name, arguments)
        except Exception as error:
            # Only the kind: the message may quote what somebody wrote.
            _log.error("The tool %s failed: %s", name, type(error).__name__)
            return ToolResult("The tool failed unexpectedly.", is_error=True)

    def feed(self, frame: Frame) -> None:
        """Take a frame of this run's runtime."""
        kind = word(frame, "type")
        if kind == "update_queue":
            self._feed_queue(frame)
        elif not self.begun.is_set() and not self._begins(frame):
            return
        elif kind == "stream_delta":
            self.accept()
            self._feed_delta(part(frame, "delta"))
        elif kind == "turn_finished":
            self.accept()
            self.ending = ending(word(frame, "stop_reason"), word(frame, "error"))
            self.news.set()

    def _begins(self, frame: Frame) -> bool:
        delta = part(frame, "delta")
        if word(delta, "message_type") == "user_message" and word(delta, "otid") == self.input_id:
            self.begun.set()
        return self.begun.is_set()

    def _feed_queue(self, frame: Frame) -> None:
        removed = frame.get("removed")
        for item in removed if isinstance(removed, list) else ():
            if isinstance(item, dict) and item.get("client_message_id") == self.input_id:
                self._dequeued = True
                self.begun.set()

    def _feed_delta(self, delta: Frame) -> None:
        self._note_run(word(delta, "run_id"))
        match word(delta, "message_type"):
            case "assistant_message":
                self._feed_text(word(delta, "id"), text_of(delta))
            case "reasoning_message":
                self.emit(Reasoning(word(delta, "reasoning")))
            case "approval_request_message":
                self._feed_call(part(delta, "tool_call"))
            case "tool_return_message":
                self._feed_return(delta)
            case "usage_statistics":
                counts = number(delta, "prompt_tokens"), number(delta, "completion_tokens")
                self.emit(Usage(*counts))
            case "user_message" if word(delta, "otid") == self.input_id:
                self.restart()

    def _note_run(self, run_id: str) -> None:
        if run_id and run_id != self._run_id:
            self._run_id = run_id
            self.emit(RunStarted(run_id))

    def _feed_text(self, message_id: str, text: str) -> None:
        if message_id != self._text[0]:
            # After a dropped stream the server says everything again under a new id.
            self._text = (message_id, [])
        self._text[1].append(text)
        self.emit(Text(message_id, text))

    def _feed_call(self, call: Frame) -> None:
        call_id, name = word(call, "tool_call_id"), word(call, "name")
        self._text = ("", [])
        if call_id not in self._called:
            self._called.add(call_id)
            self.emit(ToolCalled(call_id, name, json_object(word(call, "arguments"))))

    def _feed_return(self, delta: Frame) -> None:
        self._text = ("", [])
        is_error = word(delta, "status") != "success"
        self.emit(ToolReturned(word(delta, "tool_call_id"), is_error))
