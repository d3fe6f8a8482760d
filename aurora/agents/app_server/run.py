"""A run on an App Server: the frames of its turn become events; its tool calls may be cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ..frames import Frame, json_object, part, returned_by_tool, said_by_agent, word
from ..outcomes import Ending
from ..protocol import Input, ModelCalled, RunStarted, ToolCalled, ToolHost, ToolResult
from ..runs import Run
from .outcomes import ending

_GONE = "Nobody waits for this any more; the call was broken off."


class AppServerRun(Run):
    """A run, and what is known of its input on the way through the server.

    `begun` is set while frames and tool calls of the conversation are this run's, `news` when
    whoever drives it has to look, `over` when the server has let go of the conversation. `patchy`
    says that pieces of the stream were missed.
    """

    def __init__(self, given: Input, tools: ToolHost) -> None:
        super().__init__(given, tools)
        self.input_id = given.input_id
        self.news = asyncio.Event()
        self.over = asyncio.Event()
        self.begun = asyncio.Event()
        self.ending: Ending | None = None
        self.patchy = False
        self._dequeued = False
        self._run_id = ""
        self._called: set[str] = set()
        self._names: dict[str, str] = {}
        self._served: set[str] = set()
        self._calls: set[asyncio.Task[ToolResult]] = set()

    def begin(self, input_id: str) -> None:
        """Forget what an earlier try brought; from here on frames and tool calls are ours."""
        self.input_id = input_id
        self._dequeued = False
        self.accepted = self.patchy = False
        self.ending = None
        self._restart()

    def accept(self, *, queued: bool = False) -> None:
        """Note that the server took the input; a queued one begins when it is taken out."""
        if queued and not self.accepted and not self._dequeued:
            self.begun.clear()
        super().accept()

    def leave(self) -> None:
        """Note that the caller went away: open calls end in an error."""
        super().leave()
        for call in self._calls:
            call.cancel()
        self.news.set()

    def serve(self, call_id: str, name: str) -> None:
        """Note that a call came to Aurora: its result is one of ours."""
        # A server that does not say which call it is must not stop every agent.
        self._served.add(call_id or name)

    async def use(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Use one of the tools; an error result if the caller is gone."""
        gone = ToolResult(_GONE, is_error=True)
        if self.left.is_set() or self.finished:
            return gone
        task = asyncio.create_task(super().use(name, arguments))
        self._calls.add(task)
        try:
            await asyncio.wait([task])
        finally:
            self._calls.discard(task)
            task.cancel()
        return gone if task.cancelled() else task.result()

    def feed(self, frame: Frame) -> None:
        """Take a frame of this run's conversation."""
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

    def _restart(self) -> None:
        """The server runs the input from its start (again): what it said before is void."""
        self.begun.set()
        self.forget_text()

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
        if (event := said_by_agent(delta)) is not None:
            self.emit(event)
            return
        match word(delta, "message_type"):
            case "approval_request_message":
                self._feed_call(part(delta, "tool_call"))
            case "client_tool_start":
                self._names[word(delta, "tool_call_id")] = word(delta, "tool_name")
            case "client_tool_end":
                self._watch(delta)
            case "tool_return_message":
                self._watch(delta)
                self.emit(returned_by_tool(delta))
            case "user_message" if word(delta, "otid") == self.input_id:
                self._restart()
                self.find_server(anew=True)

    def _watch(self, delta: Frame) -> None:
        """Trip over a success that Aurora had no part in; an error shows that nothing was done."""
        call_id = word(delta, "tool_call_id")
        name = self._names.get(call_id, "")
        if word(delta, "status") == "success" and not {call_id, name} & self._served:
            self.trip(name)

    def _note_run(self, run_id: str) -> None:
        if run_id and run_id != self._run_id:
            self._run_id = run_id
            self.emit(RunStarted(run_id))
            # A turn with tools has a run for each call of the model, and so has each retry.
            self.emit(ModelCalled())

    def _feed_call(self, call: Frame) -> None:
        call_id, name = word(call, "tool_call_id"), word(call, "name")
        self.forget_text()
        self._names[call_id] = name
        if call_id not in self._called:
            self._called.add(call_id)
            self.emit(ToolCalled(call_id, name, json_object(word(call, "arguments")) or {}))
