"""Escalation: a lane whose turns are too hard for its model gets a stronger one for the next.

An agent that goes round in circles is never run again for the same message; what comes after it
is for the strong model. Nothing of this is kept where no strong model was chosen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

from ..ledger import Store
from ..model import NO_STRAIN, Strain, Turn, read_wish
from ..reasons import Reason, sent_before
from ..settings import LIGHT, NORMAL, STRONG, Settings

DOUBTED, MOST_DOUBTS = 30, 2
"""Below which confidence an agent is doubted, and in how many turns in a row."""

Confidence = Callable[[str, str], Awaitable[int | None]]
"""Tells how far people trust an agent in a lane, of 100; None where nobody knows."""

_TOO_HARD = (Reason.STUCK, sent_before(Reason.STUCK), Reason.ASKED)


class WayOn(StrEnum):
    """What somebody is offered whose turn got stuck."""

    NONE = "none"  # to ask in another way: there is no stronger model
    STRONGER = "stronger"  # to have the strong model try it, or to leave it
    ASK = "ask"  # to say what is meant: the strong model was at it already


async def nobody_knows(_agent_id: str, _lane: str) -> int | None:
    """Know of no confidence."""
    return None


class Escalation:
    """Chooses the model of each turn, and remembers which lane needs the strong one next."""

    def __init__(
        self, store: Store, settings: Settings, confidence: Confidence = nobody_knows
    ) -> None:
        self._store = store
        self._settings = settings
        self._confidence = confidence

    async def choose(self, turn: Turn) -> None:
        """Choose the model that a turn is about to run with."""
        models = self._settings.world.models
        turn.using, turn.strong = models.get(NORMAL, "") if models else None, False
        if turn.route.complexity == "simple" and LIGHT in models:
            turn.using = models[LIGHT]
        if (strong := models.get(STRONG)) is None:
            return
        wanted = any(read_wish(event.wish).strong for event in turn.events)
        if wanted or (await self._store.strain(turn.lane)).strong:
            turn.using, turn.strong = strong, True

    async def ended(self, turn: Turn, reason: Reason) -> None:
        """Note, as a turn ends, what the lane's next one needs."""
        if STRONG not in self._settings.world.models or turn.speaker.unasked:
            return
        before = await self._store.strain(turn.lane)
        doubts = await self._doubts(turn, before)
        doubted = doubts >= MOST_DOUBTS
        after = Strain(doubted or reason in _TOO_HARD, 0 if doubted else doubts)
        if after != before:
            await self._store.set_strain(turn.lane, after)

    async def let_be(self, lane: str) -> None:
        """Go on with the model that there is: somebody has said so."""
        if await self._store.strain(lane) != NO_STRAIN:
            await self._store.set_strain(lane, NO_STRAIN)

    def way_on(self, turn: Turn) -> WayOn:
        """Tell what is left to try of a turn that got stuck."""
        if turn.strong:
            return WayOn.ASK
        return WayOn.STRONGER if STRONG in self._settings.world.models else WayOn.NONE

    async def _doubts(self, turn: Turn, before: Strain) -> int:
        confidence = await self._confidence(turn.agent_id or "", turn.lane)
        return before.doubts + 1 if confidence is not None and confidence < DOUBTED else 0
