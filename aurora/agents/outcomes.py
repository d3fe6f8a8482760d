"""What stop reasons, errors and statuses of an agent server mean: the one table for both kinds.

An outcome says everything that follows (retry, breaker, what people are told). Words of the server
and of the model's provider stay out of every detail: they may repeat what a user wrote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..reasons import Outcome


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended; `detail` is for admins and logs, `retry_after` in seconds."""

    outcome: Outcome
    detail: str = ""
    retry_after: float | None = None


_COMPLETED, _CONFIG, _FAILED = Outcome.COMPLETED, Outcome.CONFIG, Outcome.FAILED
_CREDITS = "the account at the agent server has no credits left"

STOP_REASONS: Mapping[str, tuple[Outcome, str]] = {
    # Stop reasons.
    "end_turn": (_COMPLETED, ""),
    "tool_rule": (_COMPLETED, ""),
    "no_tool_call": (_COMPLETED, ""),
    "max_steps": (_COMPLETED, ""),
    "max_tokens_exceeded": (_COMPLETED, ""),
    "cancelled": (Outcome.CANCELLED, "the run was cancelled on the agent server"),
    "insufficient_credits": (_CONFIG, _CREDITS),
    "context_window_overflow_in_system_prompt": (
        _CONFIG,
        "the agent's instructions, memory and tools alone are larger than its model's window",
    ),
    "error": (_FAILED, "the agent's turn failed"),
    "llm_api_error": (_FAILED, "the agent's model provider failed"),
    "invalid_llm_response": (_FAILED, "the agent's model gave an unusable answer"),
    "invalid_tool_call": (_FAILED, "the agent's model made an unusable tool call"),
    # Types of errors inside a stream.
    "llm_rate_limit": (Outcome.OVERLOADED, "the agent's model provider limits its rate"),
    "llm_authentication": (_CONFIG, "the agent's model provider refused its key"),
    "llm_timeout": (_FAILED, "the agent's model did not answer in time"),
    "llm_empty_response": (_FAILED, "the agent's model gave an empty answer"),
    "llm_error": (_FAILED, "the agent's model provider failed"),
    "internal_error": (_FAILED, "the agent server failed inside"),
    "stream_incomplete": (_FAILED, "the agent server ended the turn without a result"),
}
"""Why a turn ended, in the server's words: the outcome, and ours."""

STATUSES: Mapping[int, tuple[Outcome, str]] = {
    400: (_CONFIG, "the agent server refused the request"),
    401: (_CONFIG, "the agent server refused the token: set it with `[p]set api letta token,…`"),
    402: (_CONFIG, _CREDITS),
    403: (_CONFIG, "the token may not do this on the agent server"),
    404: (_CONFIG, "the agent server does not know this"),
    408: (Outcome.UNREACHABLE, "the agent server took too long"),
    409: (Outcome.BUSY, "another run holds the conversation"),
    422: (_CONFIG, "the agent server does not understand the request, or an id in it"),
    425: (Outcome.UNREACHABLE, "the agent server is not ready"),
    429: (Outcome.OVERLOADED, "the agent server asks for patience"),
}
"""HTTP statuses with which the server refuses a request or a connection."""

_LABEL = re.compile(r"[a-z][a-z0-9_]{0,49}\Z")


def stopped(reason: str) -> Ending:
    """Classify a stop reason, or the type of an error inside a stream."""
    return Ending(
        *STOP_REASONS.get(reason, (_FAILED, f"the agent's turn failed ({label(reason)})"))
    )


def of_provider(status: int, kind: str = "") -> Ending:
    """Classify the status that the model's provider gave the server; `kind` names the error.

    Some only the agent's owner can mend, some patience does; all else is a failure.
    """
    outcome, _ = STATUSES.get(status, (_FAILED, ""))
    if outcome not in (_CONFIG, Outcome.OVERLOADED):
        outcome = _FAILED
    detail = f"the agent's model provider answered {status}"
    return Ending(outcome, f"{detail} ({kind})" if kind else detail)


def label(text: str) -> str:
    """Return a server's label as it may be repeated; what is none could be anybody's words."""
    return text if _LABEL.match(text) else "unknown reason"
