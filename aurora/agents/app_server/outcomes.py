"""How the App Server ends a turn or refuses a request, in the words of the table for all."""

from __future__ import annotations

import re

from ...reasons import AgentError, Outcome
from ...words import servers as w
from ..causes import cause_of
from ..frames import json_object, part, word
from ..outcomes import Ending, label, of_provider, stopped

WEDGED = Ending(Outcome.BUSY, w.WEDGED)
"""The input never began: another turn holds the conversation, and may do so for ever."""

_STATUS = re.compile(r"(?<![\w.])([45]\d\d)(?=: |:? ?\{| status| [A-Z]|$)")
_HELD = "already has an active run"
_NOT_FOUND = re.compile(r"\bnot found\b", re.IGNORECASE)


def ending(stop_reason: str, error: str) -> Ending:
    """Classify a `turn_finished`; with an error it is never a success."""
    if _HELD in error:
        return WEDGED
    if not error:
        return stopped(stop_reason)
    kind, said = _unpack(error)
    found = _STATUS.search(said)
    status = int(found[1]) if found else None
    if (cause := cause_of(said, status)) is not None:
        return Ending(cause.outcome, cause.detail)
    if status is not None:
        of_status = of_provider(status, kind or label(stop_reason))
        # Where Letta's own API is behind the server, this is what it says of a held conversation.
        return of_status._replace(outcome=Outcome.BUSY) if status == 409 else of_status
    return Ending(Outcome.FAILED, w.TURN_FAILED_BY(kind=kind or label(stop_reason)))


def refusal(error: str) -> Outcome:
    """Classify the error text of a refused request."""
    return Outcome.CONFIG if _NOT_FOUND.search(error) else Outcome.UNREACHABLE


def conversation_gone(error: AgentError) -> bool:
    """Tell whether the server no longer has the conversation, though it has the agent."""
    said = str(error.detail)
    return said.startswith("Conversation ") and bool(_NOT_FOUND.search(said))


def _unpack(error: str) -> tuple[str, str]:
    """Read error type and message from the JSON that the server puts into a string."""
    value = json_object(error)
    if value is None:
        return "", error
    while inner := part(value, "error"):
        value = inner
    kind = word(value, "type")
    return (kind if kind == label(kind) else ""), word(value, "message")
