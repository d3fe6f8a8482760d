"""Why an event can't be tried again, as half sentences."""

from __future__ import annotations

from collections.abc import Mapping

from ..model import State, Trace
from ..reasons import REASONS, Reason
from ..words import Phrase, verbatim
from ..words import queue as w

_NOT_RETRIED: Mapping[State | Trace, Phrase] = {
    State.WAITING: w.IT_WAITS,
    State.RUNNING: w.IT_RUNS,
    State.ANSWERED: w.IT_WAS_ANSWERED,
    State.DECLINED: w.IT_WAS_DECLINED,
    Trace.ANSWER: w.AN_ANSWER_IS_THERE,
    Trace.QUESTION: w.AN_ANSWER_IS_THERE,
    Trace.LATER: w.AN_ANSWER_MAY_BE_THERE,
    Trace.DOUBT: w.AN_ANSWER_MAY_BE_THERE,
    Trace.INTERIM: w.IT_ACTED_ELSEWHERE,
}


def why_not(reason: State | Trace | Reason) -> Phrase:
    """Say why an event is not tried again, by the reason that `Retries.retry` returns."""
    if not isinstance(reason, Reason):
        return _NOT_RETRIED[reason]
    return REASONS[reason].admin or verbatim(reason)
