"""Exceptions that carry a reason, or words for a person."""

from __future__ import annotations

from ..words import Phrase
from .codes import Outcome


class AuroraError(Exception):
    """What every exception of Aurora's own is; `aurora.errors` lists them."""


class ExplainedError(AuroraError):
    """An error that a person gets to read; as a string it is English, for logs."""

    def __init__(self, phrase: Phrase) -> None:
        super().__init__(phrase)
        self.phrase = phrase


class AgentError(AuroraError):
    """An agent server refused or failed a look-up; `outcome` classifies it as for a run.

    `detail` is for admins and logs: a phrase of ours, or the server's own words.
    """

    def __init__(self, outcome: Outcome, detail: Phrase | str) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.detail = detail


class RunBrokenError(AuroraError):
    """A run can't go on, through no fault of its agent's: what Aurora itself needs is away."""


class StuckError(ExplainedError):
    """An agent goes round in circles, or far over its budget: its run is ended."""
