"""What is concluded of a turn: its answer is given, it ends, or it is tried again."""

from __future__ import annotations

from typing import NamedTuple

from ..model import Said
from ..reasons import AuroraError, Reason
from ..words import Phrase


class Answer(NamedTuple):
    """The run came to its end: see to it that its answer is in Discord."""

    said: Said


class End(NamedTuple):
    """It is over; `reasons` says in which state, and what people see of it.

    `went_on` says that the agent had begun to add something to its answer.
    """

    reason: Reason
    detail: Phrase | str = ""
    went_on: bool = False


class Again(NamedTuple):
    """Put it back for `delay` seconds; `late` if its agent can't be reached, or is limited."""

    delay: float
    late: bool = False


Conclusion = Answer | End | Again


class Concluded(AuroraError):  # noqa: N818 - no fault: a way out of the steps that come next
    """A conclusion was reached before the turn had gone all its way."""

    def __init__(self, conclusion: Conclusion) -> None:
        super().__init__(conclusion)
        self.conclusion = conclusion
