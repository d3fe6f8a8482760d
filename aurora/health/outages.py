"""People are told of an outage once in each channel."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import Breakers, BreakerState
from ..model import Event
from ..runs.ports import Delivery

_OUTAGE = (
    "My agent is not available right now. I keep your message and will answer as soon as it is "
    "back; if that takes longer than 15 minutes, I will say so, and you can ask again."
)


class OutageNotices:
    """Who was told of which outage.

    An outage begins when a breaker opens, its server's or its agent's, and ends when it closes.
    A channel may be out of reach without that; then its own next success is the end.
    """

    def __init__(self, breakers: Breakers, delivery: Delivery) -> None:
        self._breakers = breakers
        self._delivery = delivery
        self._told: dict[int, str] = {}

    def is_open(self, agent_id: str) -> bool:
        """Tell whether nothing is tried with an agent at the moment."""
        return BreakerState.OPEN in self._states(agent_id)

    async def tell(self, event: Event, agent_id: str) -> None:
        """Tell a channel that its answers will be late, unless it knows."""
        # Those who are told one after the other may have got their answer meanwhile.
        if not event.state.final and event.channel_id not in self._told:
            self._told[event.channel_id] = agent_id
            await self._delivery.notice(event, _OUTAGE, kind="outage")

    async def tell_all(self, waiting: Iterable[tuple[Event, str]]) -> None:
        """Tell the channels of events that wait for agents, one after the other."""
        for event, agent_id in waiting:
            if self.is_open(agent_id):
                await self.tell(event, agent_id)

    def reached(self, channel_id: int, agent_id: str) -> None:
        """Note that the server took an input from a channel."""
        if not self._is_on(agent_id):
            self._told.pop(channel_id, None)

    def over(self) -> None:
        """Forget the channels whose outage has ended."""
        self._told = {
            channel: agent_id for channel, agent_id in self._told.items() if self._is_on(agent_id)
        }

    def _is_on(self, agent_id: str) -> bool:
        # While it is being tried again it may fail again, and that would be the same outage.
        return self._states(agent_id) != {BreakerState.CLOSED}

    def _states(self, agent_id: str) -> set[BreakerState]:
        return {self._breakers.server.state, self._breakers.agent(agent_id).state}
