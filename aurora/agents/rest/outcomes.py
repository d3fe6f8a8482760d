"""What the REST API's stop reasons, statuses and errors mean; the one table for all of them.

An outcome says everything that follows (retry, breaker, what people are told): see
`errors.classify`. Words of the server and of the model's provider stay out of every detail: they
may repeat what a user wrote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..frames import Frame, part, word
from ..protocol import Outcome

_COMPLETED, _CONFIG, _FAILED = Outcome.COMPLETED, Outcome.CONFIG, Outcome.FAILED

REQUIRES_APPROVAL = "requires_approval"

TABLE: dict[str | int, tuple[Outcome, str]] = {
    # Stop reasons.
    "end_turn": (_COMPLETED, ""),
    "tool_rule": (_COMPLETED, ""),
    "no_tool_call": (_COMPLETED, ""),
    "max_steps": (_COMPLETED, ""),
    "max_tokens_exceeded": (_COMPLETED, ""),
    "cancelled": (Outcome.CANCELLED, "the run was cancelled on the agent server"),
    "insufficient_credits": (_CONFIG, "the account at the agent server has no credits left"),
    "context_window_overflow_in_system_prompt": (
        _CONFIG,
        "the agent's instructions, memory and tools alone are larger than its model's window",
    ),
    "error": (_FAILED, "the agent's turn failed"),
    "llm_api_error": (_FAILED, "the agent's model provider failed"),
    "invalid_llm_response": (_FAILED, "the agent's model gave an unusable answer"),
    "invalid_tool_call": (_FAILED, "the agent's model made an unusable tool call"),
    # Types of errors inside an open stream, whose HTTP status is 200.
    "llm_rate_limit": (Outcome.OVERLOADED, "the agent's model provider limits its rate"),
    "llm_authentication": (_CONFIG, "the agent's model provider refused its key"),
    "llm_timeout": (_FAILED, "the agent's model did not answer in time"),
    "llm_empty_response": (_FAILED, "the agent's model gave an empty answer"),
    "llm_error": (_FAILED, "the agent's model provider failed"),
    "internal_error": (_FAILED, "the agent server failed inside"),
    "stream_incomplete": (_FAILED, "the agent server ended the turn without a result"),
    # Statuses of a request that was not accepted.
    400: (_CONFIG, "the agent server refused the request"),
    401: (_CONFIG, "the agent server refused the token: set it with `[p]set api letta token,…`"),
    402: (_CONFIG, "the account at the agent server has no credits left"),
    403: (_CONFIG, "the token may not do this on the agent server"),
    404: (_CONFIG, "the agent server does not know this"),
    408: (Outcome.UNREACHABLE, "the agent server took too long"),
    409: (Outcome.BUSY, "another run holds the conversation"),
    422: (_CONFIG, "the agent server does not understand the request, or an id in it"),
    425: (Outcome.UNREACHABLE, "the agent server is not ready"),
    429: (Outcome.OVERLOADED, "the agent server asks for patience"),
}

# Behind a proxy these may hide a request that arrived.
UNSURE = frozenset({502, 504, 520, 522, 524})

_WORD = re.compile(r"[a-z][a-z0-9_]{0,49}\Z")
_PROVIDER_STATUS = re.compile(r"\bError code: ([45]\d\d)\b")
_PENDING = "waiting for approval"
_LONGEST_WAIT_SECONDS = 3600.0


class RefusedError(Exception):
    """The server answered with an error, at once (its status) or inside a stream (200)."""

    def __init__(self, status: int, body: Frame, headers: Mapping[str, str]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers

    @property
    def detail(self) -> str:
        """Return the server's own words, for decisions only."""
        said = self.body.get("detail")
        return said if isinstance(said, str) else word(self.body, "message")

    @property
    def says_no_background(self) -> bool:
        """Tell whether the server lacks what background runs need."""
        return self.status == 503 and "Background" in self.detail


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended.

    `pending` says that a tool call of an earlier run waits for its answer; `holder` is the run
    that holds the conversation, where the server named it.
    """

    outcome: Outcome
    detail: str = ""
    retry_after: float | None = None
    pending: bool = False
    holder: str = ""


def stopped(reason: str) -> Ending:
    """Classify a stop reason."""
    return Ending(*TABLE.get(reason, (_FAILED, f"the agent's turn failed ({_known(reason)})")))


def failed(error: Frame) -> Ending:
    """Classify an error message from inside a stream, or from a failed run's record."""
    said = f"{word(error, 'message')} {word(error, 'detail')}"
    if _PENDING in said:
        detail = "a tool call of an earlier run waits for its answer"
        return Ending(Outcome.BUSY, detail, pending=True)
    kind = word(error, "error_type")
    unknown = (_FAILED, f"the agent's turn failed ({_known(kind)})")
    outcome, detail = TABLE.get(kind, unknown)
    if outcome is _FAILED and (found := _PROVIDER_STATUS.search(said)):
        status = int(found[1])
        outcome = TABLE.get(status, unknown)[0] if status in _PROVIDERS_FAULTS else _FAILED
        detail = f"the agent's model provider answered {status}"
    return Ending(outcome, detail)


# What only the agent's owner can mend, and what patience mends.
_PROVIDERS_FAULTS = frozenset({400, 401, 402, 403, 404, 422, 429})


def refused(error: RefusedError) -> Ending:
    """Classify what the server answered with."""
    if error.status == 200:
        return failed(error.body)
    if word(part(error.body, "detail"), "code") == "PENDING_APPROVAL":
        return Ending(Outcome.BUSY, "a tool call waits for its answer", pending=True)
    if error.status in TABLE:
        outcome, detail = TABLE[error.status]
    elif error.status >= 500:
        outcome, detail = Outcome.UNREACHABLE, "the agent server failed"
    else:
        outcome, detail = _CONFIG, "this is no Letta REST API, or one of another kind"
    if error.status == 404 and error.detail in ("", "Not Found"):
        detail = "there is no Letta REST API at this address"
    wait = _seconds(error.headers.get("retry-after", ""))
    holder = word(error.body, "run_id")
    return Ending(outcome, f"{detail} ({error.status})", retry_after=wait, holder=holder)


def _known(label: str) -> str:
    return label if _WORD.match(label) else "unknown reason"


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return min(seconds, _LONGEST_WAIT_SECONDS) if seconds > 0 else None
