"""The first step of a turn: whether it may run now, and with whose leave."""

from __future__ import annotations

from typing import NamedTuple

from ..agents.protocol import AgentBackend
from ..clock import Clock
from ..errors import Breakers, Permits
from ..ids import new_input_id
from ..ledger import Store
from ..model import Turn
from ..reasons import Reason
from ..settings import Settings
from .claim import Claim, Plan
from .conclusions import Again, Concluded, End
from .ports import Ports


class Admitted(NamedTuple):
    """A turn that may run: its agent, where that lives, and the breakers' leave."""

    backend: AgentBackend
    agent_id: str
    permits: Permits


class Admission:
    """Asks again what may have changed while an event waited; every method may raise Concluded."""

    def __init__(
        self, store: Store, ports: Ports, settings: Settings, breakers: Breakers, clock: Clock
    ) -> None:
        self._store = store
        self._ports = ports
        self._settings = settings
        self._breakers = breakers
        self._clock = clock

    async def foresee(self, claim: Claim) -> Turn:
        """Plan the attempt of a turn that is about to start; return the turn as it is to be kept.

        Of a turn that was interrupted the earlier attempt is examined first.
        """
        turn = claim.turn
        agent_id = self._settings.agent_of(turn.speaker, turn.route.role)
        if turn.interrupted or agent_id is None:
            return turn
        known = await self._store.conversation(agent_id, turn.conversation_lane)
        claim.plan = Plan(agent_id, known, new_input_id())
        return claim.plan.begun(turn)

    async def ensure_welcome(self, claim: Claim) -> None:
        """Go on only if the person may still ask, here."""
        reason = await claim.do(self._ports.welcome(claim.turn.speaker))
        if reason is not None:
            raise Concluded(End(reason))

    def permit(self, claim: Claim) -> Admitted:
        """Return what an attempt needs, while there is time for one."""
        speaker = claim.turn.speaker
        if self._clock.monotonic() >= speaker.deadline:
            raise Concluded(End(Reason.WAITED_TOO_LONG))
        backend, agent_id = (
            self._ports.backend(),
            self._settings.agent_of(speaker, claim.turn.route.role),
        )
        if backend is None or agent_id is None:
            raise Concluded(End(Reason.NOT_CONFIGURED))
        claim.permits = self._breakers.acquire(agent_id)
        if claim.permits is None:
            claim.turn.agent_id = agent_id
            raise Concluded(Again(0.0, late=True))
        return Admitted(backend, agent_id, claim.permits)
