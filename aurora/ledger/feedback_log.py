"""What every store keeps of feedback: one judgement of a person on an answer, no word of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from ..model import Judgement

KEPT_OF_A_LANE = 100
"""How many judgements of those who asked are kept for an agent in a lane."""


class FeedbackLog(Protocol):
    """The judgements on answers; they outlive what is kept of the events."""

    async def judge(self, judgement: Judgement) -> None:
        """Keep a judgement, in the place of what the same person thought before."""
        ...

    async def take_back(self, event_id: str, person_id: int, good: bool) -> None:
        """Drop a judgement, if it is still that one."""
        ...

    async def judgements(self, agent_id: str, lane: str) -> Sequence[Judgement]:
        """Return what those who asked think of an agent's answers, in the order of the answers."""
        ...

    async def judgements_on(self, event_id: str) -> Sequence[Judgement]:
        """Return what all think of the answer to an event."""
        ...

    async def judged_lanes(self) -> Collection[tuple[str, str]]:
        """Return the agents and lanes of which anything is kept."""
        ...

    async def tell_judgements(self, agent_id: str, lane: str) -> None:
        """Keep that the agent knows all that there is."""
        ...
