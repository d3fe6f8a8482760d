"""Steps: what an agent did in an attempt, one thing after the other, without a word of it."""

from __future__ import annotations

from typing import Literal, NamedTuple

StepKind = Literal["call", "return", "error", "text", "reasoning"]
"""A tool was called, came back, or came back as an error; the agent wrote, or thought."""


class Step(NamedTuple):
    """One thing that happened in an attempt of a turn; `at` is in seconds since the epoch.

    `tool` is the name of a tool that was on offer, and empty for any other: a name that a model
    made up may hold anything.
    """

    turn_id: str
    attempt: int
    at: float
    kind: StepKind
    tool: str = ""
