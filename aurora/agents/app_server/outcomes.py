"""What the App Server's ways to end a turn mean; the one table for stop reasons and statuses."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from ..protocol import AgentError, Outcome

STOP_REASONS = {
    "end_turn": Outcome.COMPLETED,
    "tool_rule": Outcome.COMPLETED,
    "no_tool_call": Outcome.COMPLETED,
    "max_steps": Outcome.COMPLETED,
    "max_tokens_exceeded": Outcome.COMPLETED,
    "cancelled": Outcome.CANCELLED,
    "insufficient_credits": Outcome.CONFIG,
    "context_window_overflow_in_system_prompt": Outcome.CONFIG,
}

STATUSES = {
    400: Outcome.CONFIG,
    401: Outcome.CONFIG,
    402: Outcome.CONFIG,
    403: Outcome.CONFIG,
    404: Outcome.CONFIG,
    409: Outcome.BUSY,
    422: Outcome.CONFIG,
    426: Outcome.CONFIG,
    429: Outcome.OVERLOADED,
}

_STATUS = re.compile(r"(?<![\w.])([45]\d\d)(?=: |:? ?\{| status| [A-Z]|$)")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_WEDGED = "already has an active run"
_NOT_FOUND = re.compile(r"\bnot found\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a turn ended; `wedged` means that it never began, another holds the conversation."""

    outcome: Outcome
    detail: str = ""
    wedged: bool = False


def ending(stop_reason: str, error: str) -> Ending:
    """Classify a `turn_finished`.

    The provider's own words stay out of the detail: they may repeat what a user wrote.
    """
    if _WEDGED in error:
        detail = "the conversation is held by a turn that was lost"
        return Ending(Outcome.BUSY, detail, wedged=True)
    outcome = STOP_REASONS.get(stop_reason)
    if outcome is not None and not error:
        return Ending(outcome, "" if outcome is Outcome.COMPLETED else _known(stop_reason))
    kind, said = _unpack(error)
    label = kind or _known(stop_reason)
    if found := _STATUS.search(said):
        status = int(found[1])
        outcome = STATUSES.get(status, Outcome.FAILED)
        return Ending(outcome, f"the agent's model provider answered {status} ({label})")
    return Ending(Outcome.FAILED, f"the agent's turn failed ({label})")


def refusal(error: str) -> Outcome:
    """Classify the error text of a refused request."""
    return Outcome.CONFIG if _NOT_FOUND.search(error) else Outcome.UNREACHABLE


def conversation_gone(error: AgentError) -> bool:
    """Tell whether the server no longer has the conversation, though it has the agent."""
    return error.detail.startswith("Conversation ") and bool(_NOT_FOUND.search(error.detail))


def _known(label: str) -> str:
    return label if _WORD.match(label) else "unknown reason"


def _unpack(error: str) -> tuple[str, str]:
    """Read error type and message from the JSON that the server puts into a string."""
    try:
        value: Any = json.loads(error)
    except ValueError:
        return "", error
    while isinstance(value, dict) and isinstance(value.get("error"), dict):
        value = value["error"]
    if not isinstance(value, dict):
        return "", error
    kind, said = value.get("type"), value.get("message")
    return (
        kind if isinstance(kind, str) and _WORD.match(kind) else "",
        said if isinstance(said, str) else "",
    )
