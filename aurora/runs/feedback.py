"""Feedback: what people think of an agent's answers, and how far it can be relied on for that."""

from __future__ import annotations

from collections.abc import Iterable

from ..clock import Clock
from ..ledger import Store
from ..model import Event, Judgement

FIRST, LEAST, MOST = 80, 10, 100
"""The confidence in an agent at first, and what it never falls under or rises over."""
GOOD, BAD = 15, -20
"""By how much a judgement of who asked changes it."""


def confidence_after(judgements: Iterable[Judgement]) -> int:
    """Return the confidence in an agent after judgements, in the order of its answers."""
    confidence = FIRST
    for one in judgements:
        confidence = min(MOST, max(LEAST, confidence + (GOOD if one.good else BAD)))
    return confidence


class Feedback:
    """Keeps what people think, and tells agents once what those think who asked."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        # Agents and lanes of which the ledger knows anything: of all others it is not asked.
        self._lanes: set[tuple[str, str]] = set()

    async def start(self) -> None:
        """Learn of what anything is kept."""
        self._lanes = set(await self._store.judged_lanes())

    async def judge(self, event: Event, person_id: int, *, good: bool) -> None:
        """Keep what somebody thinks of the answer to an event; the last judgement counts."""
        turn = await self._store.turn(event.turn_id) if event.turn_id is not None else None
        if turn is None or turn.agent_id is None:
            return
        own = person_id == event.author_id
        judgement = Judgement(
            event.id, person_id, turn.agent_id, event.lane, good, own, self._clock.time()
        )
        await self._store.judge(judgement)
        self._lanes.add((turn.agent_id, event.lane))

    async def take_back(self, event: Event, person_id: int, *, good: bool) -> None:
        """Undo a judgement, unless the same person thinks otherwise since."""
        await self._store.take_back(event.id, person_id, good)

    async def confidence(self, agent_id: str, lane: str) -> int:
        """Return the confidence in an agent, in a lane."""
        if (agent_id, lane) not in self._lanes:
            return FIRST
        return confidence_after(await self._store.judgements(agent_id, lane))

    async def news(self, agent_id: str, lane: str) -> bool | None:
        """Return whether the last answer was good, if the agent has not been told; else None."""
        if (agent_id, lane) not in self._lanes:
            return None
        known = await self._store.judgements(agent_id, lane)
        return known[-1].good if known and not known[-1].told else None

    async def tell(self, agent_id: str, lane: str) -> None:
        """Keep that the agent has been told."""
        await self._store.tell_judgements(agent_id, lane)
