"""One request of a turn, a person's message or the answer to tool calls, and what it brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..frames import (
    Frame,
    items,
    json_object,
    number,
    returned_by_tool,
    said_by_agent,
    word,
)
from ..protocol import ModelCalled, RunEvent, RunStarted, ToolCalled
from .messages import calls_in


@dataclass(slots=True)
class Call:
    """A tool call that waits for the client; arguments come in pieces."""

    id: str
    name: str = ""
    arguments: str = ""

    def parsed(self) -> Frame | None:
        """Return the arguments, None if they are no JSON object."""
        return json_object(self.arguments or "{}")


@dataclass(slots=True)
class Step:
    """What was sent under one otid, and what the server said of it.

    `background` says whether the run's stream can be taken up again, `patchy` that pieces of it
    were missed, `down` that the server was gone in the meantime and the run may be dead, `unended`
    that it is over and its record does not say so. `text` is its last message as the server has
    stored it, `open` that it was sent and not refused.
    `replies` are the answers to its calls so far, `coming` the calls of the agent's own tools of
    which pieces are there, `seen` those that are whole, which may end in a later step.
    """

    otid: str
    message: Frame
    background: bool = False
    accepted: bool = False
    patchy: bool = False
    down: bool = False
    unended: bool = False
    run_id: str = ""
    step_id: str = ""
    seq: int = 0
    stop_reason: str = ""
    request_id: str = ""
    text: str | None = None
    open: bool = False
    replies: dict[str, Frame] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    coming: dict[str, Call] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def take(self, frame: Frame) -> Iterator[RunEvent]:
        """Take a frame of the stream; yields what there is to tell."""
        self.accepted = True
        kind, seq = word(frame, "message_type"), number(frame, "seq_id")
        if seq and seq <= self.seq and kind != "ping":
            # A stream that is taken up again may begin before where it broke.
            return
        self.seq = max(self.seq, seq)
        run_id = word(frame, "run_id")
        if run_id and run_id != self.run_id:
            self.run_id = run_id
            yield RunStarted(run_id)
        yield from self._note_step(word(frame, "step_id"), kind)
        if (event := said_by_agent(frame)) is not None:
            yield event
            return
        match kind:
            case "tool_call_message":
                yield from self._note_calls(frame)
            case "tool_return_message":
                yield from self._note_returns(frame)
            case "approval_request_message":
                self.request_id = word(frame, "id")
                self._collect(frame)
            case "stop_reason":
                self.stop_reason = word(frame, "stop_reason") or "unknown"

    def _note_step(self, step_id: str, kind: str) -> Iterator[ModelCalled]:
        """Tell of each call of the model; of a server that names none, of one in each request."""
        unnamed = kind == "usage_statistics" and not self.step_id
        # What a tool returned may be shown once more in the request after its own.
        named = kind != "tool_return_message" and step_id not in ("", self.step_id)
        if named or unnamed:
            self.step_id = step_id or kind
            yield ModelCalled()

    def read_request(self, request: Frame) -> None:
        """Take the calls as the server has stored them."""
        self.request_id = word(request, "id")
        self.calls = {}
        self._collect(request)

    def _collect(self, frame: Frame) -> None:
        for one in calls_in(frame):
            call = self.calls.setdefault(
                word(one, "tool_call_id"), Call(word(one, "tool_call_id"))
            )
            call.name += word(one, "name")
            call.arguments += word(one, "arguments")

    def _note_calls(self, frame: Frame) -> Iterator[RunEvent]:
        for one in calls_in(frame):
            call_id = word(one, "tool_call_id")
            if call_id in self.seen:
                continue
            call = self.coming.setdefault(call_id, Call(call_id))
            call.name += word(one, "name")
            call.arguments += word(one, "arguments")
            # A JSON object can be parsed when its last piece is there, and not before.
            if call.arguments.endswith("}") and call.parsed() is not None:
                yield self._whole(call)

    def _whole(self, call: Call) -> ToolCalled:
        self.coming.pop(call.id, None)
        self.seen.add(call.id)
        return ToolCalled(call.id, call.name, call.parsed() or {})

    def _note_returns(self, frame: Frame) -> Iterator[RunEvent]:
        for one in items(frame, "tool_returns") or [frame]:
            call_id = word(one, "tool_call_id")
            if call_id in self.coming:
                yield self._whole(self.coming[call_id])
            # What the client returned may be repeated to it; it was told already.
            if call_id in self.seen:
                yield returned_by_tool(one)
