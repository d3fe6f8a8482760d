"""Every reason, once: why an event ended or was refused, and what follows from it."""

from __future__ import annotations

from .codes import Counts, Outcome, Reason, Retry
from .entries import GATES, POSTPONED, REASONS, Entry, sent_before
from .exceptions import AgentError, AuroraError, ExplainedError, RunBrokenError, StuckError

__all__ = [
    "GATES",
    "POSTPONED",
    "REASONS",
    "AgentError",
    "AuroraError",
    "Counts",
    "Entry",
    "ExplainedError",
    "Outcome",
    "Reason",
    "Retry",
    "RunBrokenError",
    "StuckError",
    "sent_before",
]
