"""What Aurora puts into a conversation (words, answers to tool calls), and finds in one."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from ..frames import Frame, content, items, part, text_of, word
from ..protocol import ConversationKey, Input

_OTIDS = uuid.UUID("0b9f3c1e-3f0e-5d0a-9a43-7b1c7a2f6d51")
_ENDED = frozenset({"completed", "failed", "cancelled", "expired"})


def otid_of(conversation: ConversationKey, input_id: str, number: int) -> str:
    """Name one request of an attempt, counted from 0.

    The server's map of otids knows neither agents nor conversations, so both are part of the name.
    """
    return str(uuid.uuid5(_OTIDS, "/".join([*conversation, input_id, str(number)])))


def user_message(given: Input) -> Frame:
    """Make the message of a person."""
    return {"role": "user", "content": content(given.text, given.pictures)}


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


def last_text(messages: Iterable[Frame]) -> str | None:
    """Return what a run said last, an empty text if that was no text, None if nothing is known.

    The messages are those of the run, newest first.
    """
    for one in messages:
        match word(one, "message_type"):
            case "assistant_message":
                return text_of(one)
            case "user_message" | "system_message" | "summary_message":
                # Compaction leaves notes of its own behind the answer.
                continue
        return ""
    return None


def has_ended(run: Frame) -> bool:
    """Tell whether a run's record says that it is over."""
    return word(run, "status") in _ENDED
