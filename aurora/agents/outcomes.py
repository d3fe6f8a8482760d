"""What stop reasons, errors and statuses of an agent server mean: the one table for both kinds.

An outcome says everything that follows (retry, breaker, what people are told). Words of the server
and of the model's provider stay out of every detail: they may repeat what a user wrote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ..reasons import Outcome
from ..words import Phrase
from ..words import servers as w


class Ending(NamedTuple):
    """How a run ended; `detail` is for admins and logs, `retry_after` in seconds."""

    outcome: Outcome
    detail: Phrase | str = ""
    retry_after: float | None = None


_COMPLETED, _CONFIG, _FAILED = Outcome.COMPLETED, Outcome.CONFIG, Outcome.FAILED

STOP_REASONS: Mapping[str, tuple[Outcome, Phrase | str]] = {
    # Stop reasons.
    "end_turn": (_COMPLETED, ""),
    "tool_rule": (_COMPLETED, ""),
    "no_tool_call": (_COMPLETED, ""),
    "max_steps": (_COMPLETED, ""),
    "max_tokens_exceeded": (_COMPLETED, ""),
    "cancelled": (Outcome.CANCELLED, w.CANCELLED),
    "insufficient_credits": (_CONFIG, w.CREDITS),
    "context_window_overflow_in_system_prompt": (
        _CONFIG,
        w.WINDOW,
    ),
    "error": (_FAILED, w.TURN_FAILED),
    "llm_api_error": (_FAILED, w.PROVIDER_FAILED),
    "invalid_llm_response": (_FAILED, w.UNUSABLE_ANSWER),
    "invalid_tool_call": (_FAILED, w.UNUSABLE_CALL),
    # Types of errors inside a stream.
    "llm_rate_limit": (Outcome.OVERLOADED, w.PROVIDER_LIMITS),
    "llm_authentication": (_CONFIG, w.PROVIDER_REFUSED_KEY),
    "llm_timeout": (_FAILED, w.MODEL_TOO_SLOW),
    "llm_empty_response": (_FAILED, w.EMPTY_ANSWER),
    "llm_error": (_FAILED, w.PROVIDER_FAILED),
    "internal_error": (_FAILED, w.FAILED_INSIDE),
    "stream_incomplete": (_FAILED, w.NO_RESULT),
}
"""Why a turn ended, in the server's words: the outcome, and ours."""

STATUSES: Mapping[int, tuple[Outcome, Phrase | str]] = {
    **dict.fromkeys((301, 302, 303, 307, 308), (_CONFIG, w.REDIRECTS)),
    400: (_CONFIG, w.REFUSED),
    401: (_CONFIG, w.REFUSED_TOKEN),
    402: (_CONFIG, w.CREDITS),
    403: (_CONFIG, w.TOKEN_MAY_NOT),
    404: (_CONFIG, w.NOT_KNOWN),
    408: (Outcome.UNREACHABLE, w.TOO_SLOW),
    409: (Outcome.BUSY, w.HELD),
    422: (_CONFIG, w.NOT_UNDERSTOOD),
    425: (Outcome.UNREACHABLE, w.NOT_READY),
    429: (Outcome.OVERLOADED, w.PATIENCE),
}
"""HTTP statuses with which the server refuses a request or a connection."""

_LABEL = re.compile(r"[a-z][a-z0-9_]{0,49}\Z")


def stopped(reason: str) -> Ending:
    """Classify a stop reason, or the type of an error inside a stream."""
    return Ending(*STOP_REASONS.get(reason, (_FAILED, w.TURN_FAILED_BY(kind=label(reason)))))


def of_provider(status: int, kind: Phrase | str = "") -> Ending:
    """Classify the status that the model's provider gave the server; `kind` names the error.

    Some only the agent's owner can mend, some patience does; all else is a failure.
    """
    outcome, _ = STATUSES.get(status, (_FAILED, ""))
    if outcome not in (_CONFIG, Outcome.OVERLOADED):
        outcome = _FAILED
    said = w.PROVIDER_STATUS_KIND if kind else w.PROVIDER_STATUS
    return Ending(outcome, said(status=status, kind=kind))


def label(text: str) -> Phrase | str:
    """Return a server's label as it may be repeated; what is none could be anybody's words."""
    return text if _LABEL.match(text) else w.UNKNOWN_KIND
