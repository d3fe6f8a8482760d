"""Why an event can't be tried again, as half sentences."""

from __future__ import annotations

from collections.abc import Mapping

from ..model import State, Trace
from ..reasons import REASONS, Reason

_NOT_RETRIED: Mapping[State | Trace | Reason, str] = {
    State.WAITING: "it is waiting for its turn already",
    State.RUNNING: "it is being answered right now",
    State.ANSWERED: "it was answered",
    State.DECLINED: "the agent has read it and had nothing to say",
    Trace.ANSWER: "an answer to it is in Discord, in whole or in part",
    Trace.DOUBT: "an answer to it may be in Discord; I can't find out",
    Trace.ELSEWHERE: "the agent has already acted on it, in another place",
}


def why_not(reason: State | Trace | Reason) -> str:
    """Say why an event is not tried again, by the reason that `Retries.retry` returns."""
    if isinstance(reason, Reason):
        return str(REASONS[reason].admin)
    return _NOT_RETRIED[reason]
