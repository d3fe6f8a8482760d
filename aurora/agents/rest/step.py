"""One request of a turn: the user's message or the answer to tool calls, and its run's stream."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..frames import (
    Frame,
    items,
    number,
    part,
    text_of,
    word,
)
from ..protocol import Reasoning as Thought
from ..protocol import (
    RunEvent,
    RunStarted,
    Text,
    ToolCalled,
    ToolReturned,
    Usage,
)

# Somebody's main thread; every other conversation knows its agent.
_DEFAULT = "default"
_OTIDS = uuid.UUID("0b9f3c1e-3f0e-5d0a-9a43-7b1c7a2f6d51")
_ENDED = frozenset({"completed", "failed", "cancelled", "expired"})


class Place(NamedTuple):
    """Where a turn runs."""

    agent_id: str
    conversation_id: str

    @property
    def scope(self) -> dict[str, str]:
        """Return what a request must add for the conversation to be found."""
        return {"agent_id": self.agent_id} if self.conversation_id == _DEFAULT else {}


def otid_of(place: Place, input_id: str, number: int) -> str:
    """Name one request of an attempt, counted from 0.

    The server's map of otids knows neither agents nor conversations, so both are part of the name.
    """
    key = f"{place.agent_id}/{place.conversation_id}/{input_id}/{number}"
    return str(uuid.uuid5(_OTIDS, key))


@dataclass(slots=True)
class Call:
    """A tool call that waits for the client; arguments come in pieces."""

    id: str
    name: str = ""
    arguments: str = ""

    def parsed(self) -> dict[str, Any] | None:
        """Return the arguments, None if they are no JSON object."""
        try:
            value = json.loads(self.arguments or "{}")
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


@dataclass(slots=True)
class Step:
    """What was sent under one otid, and what the server said of it.

    `background` says whether the run's stream can be taken up again, `patchy` that pieces of it
    were missed, `down` that the server was gone in the meantime and the run may be dead. `text`
    is its last message as the server has stored it, `open` that it was sent and not refused.
    `replies` are the answers to its calls so far, `coming` the calls of the agent's own tools of
    which pieces are there, `seen` those that are whole, which may end in a later step.
    """

    otid: str
    message: Frame
    background: bool = False
    accepted: bool = False
    patchy: bool = False
    down: bool = False
    run_id: str = ""
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
        match kind:
            case "assistant_message":
                yield Text(word(frame, "id"), text_of(frame))
            case "reasoning_message":
                yield Thought(word(frame, "reasoning"))
            case "tool_call_message":
                yield from self._note_calls(frame)
            case "tool_return_message":
                yield from self._note_returns(frame)
            case "approval_request_message":
                self.request_id = word(frame, "id")
                self._collect(frame)
            case "usage_statistics":
                counts = number(frame, "prompt_tokens"), number(frame, "completion_tokens")
                yield Usage(*counts)
            case "stop_reason":
                self.stop_reason = word(frame, "stop_reason") or "unknown"

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
                yield ToolReturned(call_id, word(one, "status") != "success")


def calls_in(frame: Frame) -> list[Frame]:
    """Return the calls of a message, which come as a list, as one object or alone."""
    several = items(frame, "tool_calls") or [part(frame, "tool_calls")]
    named = [one for one in several if word(one, "tool_call_id")]
    alone = part(frame, "tool_call")
    return named or ([alone] if word(alone, "tool_call_id") else [])


def pending_request(tail: Iterable[Frame]) -> Frame | None:
    """Find the tool calls that wait, in a conversation's messages, newest first.

    The agent's record does not show the pending calls of its conversations.
    """
    for one in tail:
        match word(one, "message_type"):
            case "approval_request_message":
                return one
            case "system_message" | "tool_call_message":
                continue
        return None
    return None


def user_message(text: str) -> Frame:
    """Make the message of a person."""
    return {"role": "user", "content": text}


def returned(call_id: str, text: str, *, is_error: bool) -> Frame:
    """Make the answer to one call."""
    status = "error" if is_error else "success"
    return {"type": "tool", "tool_call_id": call_id, "tool_return": text, "status": status}


def denied(call_id: str, reason: str) -> Frame:
    """Refuse one call; the model reads the reason."""
    return {"type": "approval", "tool_call_id": call_id, "approve": False, "reason": reason}


def approval(request_id: str, replies: Iterable[Frame]) -> Frame:
    """Make the message that answers all calls of a step."""
    return {
        "type": "approval",
        "approval_request_id": request_id,
        "approvals": list(replies),
    }


def has_ended(run: Frame) -> bool:
    """Tell whether a run's record says that it is over."""
    return word(run, "status") in _ENDED
