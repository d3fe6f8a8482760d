"""Calls of an agent's own tools, as they come over the stream: whole, in pieces, or broken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aurora.agents.protocol import RunEvent, ToolCalled, ToolReturned
from aurora.agents.rest.step import Step

ARGUMENTS = {"channelId": "1", "message": 'a } in "quotes" {}', "more": {"deep": {}}}


def piece(arguments: str, call_id: str = "call-1", name: str = "") -> dict[str, Any]:
    """Make a frame with a piece of a call."""
    call = {"tool_call_id": call_id, "name": name, "arguments": arguments}
    return {"message_type": "tool_call_message", "tool_call": call}


def back(call_id: str = "call-1", status: str = "success") -> dict[str, Any]:
    """Make the frame of a call's end."""
    return {"message_type": "tool_return_message", "tool_call_id": call_id, "status": status}


def take(*frames: dict[str, Any]) -> list[RunEvent]:
    """Feed a step with frames."""
    step = Step("otid", {})
    return [event for frame in frames for event in step.take(frame)]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_call_is_told_of_once_with_all_its_arguments(size: int) -> None:
    """However small the pieces; no earlier `}` ends it."""
    text = json.dumps(ARGUMENTS)
    pieces = [piece(text[start : start + size]) for start in range(0, len(text), size)]
    pieces[0]["tool_call"]["name"] = "discord_send"
    assert take(*pieces, back()) == [
        ToolCalled("call-1", "discord_send", ARGUMENTS),
        ToolReturned("call-1", is_error=False),
    ]


def test_a_call_is_told_of_before_it_ends() -> None:
    """Else whoever watches would hear of it too late."""
    assert take(piece(json.dumps(ARGUMENTS), name="discord_send")) == [
        ToolCalled("call-1", "discord_send", ARGUMENTS)
    ]


@pytest.mark.parametrize("arguments", ["", "[1]", '{"cut": "of', "nonsense}"])
def test_a_call_without_arguments_that_can_be_read_is_told_of_at_its_end(arguments: str) -> None:
    """It ran, whatever it was told."""
    assert take(piece(arguments, name="any"), back(status="error")) == [
        ToolCalled("call-1", "any", {}),
        ToolReturned("call-1", is_error=True),
    ]


def test_a_call_may_end_in_a_later_step() -> None:
    """The server runs its own tool after our answer to another call."""
    first = Step("otid", {})
    begun = list(first.take(piece("broken", name="any")))
    second = Step("otid-2", {}, coming=first.coming, seen=first.seen)
    assert begun == []
    assert [type(one) for one in second.take(back())] == [ToolCalled, ToolReturned]


def test_pieces_of_calls_side_by_side_are_kept_apart() -> None:
    """A model calls two tools at once."""
    events = take(
        piece('{"a"', "one", "first"),
        piece('{"b"', "two", "second"),
        piece(": 1}", "one"),
        piece(": 2}", "two"),
    )
    assert events == [ToolCalled("one", "first", {"a": 1}), ToolCalled("two", "second", {"b": 2})]
