"""Every reason, once: why an event ended or was refused, and what follows from it."""

from __future__ import annotations

from .codes import Counts, Outcome, Reason, Retry
from .entries import GATES, POSTPONED, REASONS, Entry, sent_before
from .exceptions import AgentError, AuroraError, ExplainedError, RunBrokenError, StuckError
from .levels import Level, level_of

__all__ = [
    "GATES",
    "POSTPONED",
    "REASONS",
    "AgentError",
    "AuroraError",
    "Counts",
    "Entry",
    "ExplainedError",
    "Level",
    "Outcome",
    "Reason",
    "Retry",
    "RunBrokenError",
    "StuckError",
    "level_of",
    "sent_before",
]
