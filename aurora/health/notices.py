"""People are told of an outage once in each channel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ..agents.protocol import Accepted, RunEvent, ToolHost
from ..errors import Breakers, BreakerState
from ..model import Event, Turn
from ..runs.background import Background
from ..settings import Settings
from ..words import Phrase
from ..words import notices as w

Notice = Callable[[Event, Phrase], Awaitable[None]]


class _Waiting(Protocol):
    """The part of the queue that is looked at."""

    def waiting(self) -> Sequence[Event]: ...


class OutageNotices:
    """Who was told of which outage.

    An outage begins when a breaker opens, its server's or its agent's, and ends when it closes.
    A channel may be out of reach without that; then its own next success is the end. `notice`
    tells the author of an event that the answer will be late, once.
    """

    def __init__(
        self,
        breakers: Breakers,
        settings: Settings,
        queue: _Waiting,
        background: Background,
        notice: Notice,
    ) -> None:
        self._breakers = breakers
        self._settings = settings
        self._queue = queue
        self._background = background
        self._notice = notice
        self._told: dict[int, str] = {}

    def changed(self, _key: str | None, _old: BreakerState, new: BreakerState) -> None:
        """Hear of a change of a breaker: tell those who wait for it, or forget the outage."""
        if new is BreakerState.OPEN:
            self._background.start(self._tell_all(self._queue.waiting()), "tells of an outage")
        elif new is BreakerState.CLOSED:
            self._told = {
                channel: agent_id
                for channel, agent_id in self._told.items()
                if self._is_on(agent_id)
            }

    async def greet(self, event: Event) -> None:
        """Tell the author of a new event if an outage is going to keep it waiting."""
        agent_id = self._settings.agent_for(event.guild_id)
        if agent_id is not None and self._breakers.retry_in(agent_id) > 0:
            await self._tell(event, agent_id)

    async def late(self, turn: Turn, agent_id: str) -> None:
        """Tell a channel whose agent can't be reached that its answer will be late."""
        # A line that was cut is there again at the second try; only an outage is worth a word.
        if turn.misses > 1 or self._is_open(agent_id):
            await self._tell(turn.speaker, agent_id)

    def observe(self, turn: Turn, _tools: ToolHost) -> _Reached:
        """Follow an attempt: once the server has taken its input the channel is in reach."""
        return _Reached(self, turn)

    def reached(self, channel_id: int, agent_id: str) -> None:
        """Note that the server took an input from a channel."""
        if not self._is_on(agent_id):
            self._told.pop(channel_id, None)

    async def _tell_all(self, waiting: Sequence[Event]) -> None:
        for event in waiting:
            agent_id = self._settings.agent_for(event.guild_id)
            if agent_id is not None and self._is_open(agent_id):
                await self._tell(event, agent_id)

    async def _tell(self, event: Event, agent_id: str) -> None:
        # Those who are told one after the other may have got their answer meanwhile.
        if not event.state.final and event.channel_id not in self._told:
            self._told[event.channel_id] = agent_id
            await self._notice(event, w.OUTAGE)

    def _is_open(self, agent_id: str) -> bool:
        """Tell whether nothing is tried with an agent at the moment."""
        return BreakerState.OPEN in self._states(agent_id)

    def _is_on(self, agent_id: str) -> bool:
        # While it is being tried again it may fail again, and that would be the same outage.
        return self._states(agent_id) != {BreakerState.CLOSED}

    def _states(self, agent_id: str) -> set[BreakerState]:
        return {self._breakers.server.state, self._breakers.agent(agent_id).state}


class _Reached:
    """The observer of one attempt."""

    def __init__(self, notices: OutageNotices, turn: Turn) -> None:
        self._notices = notices
        self._turn = turn

    async def saw(self, step: RunEvent) -> None:
        """Note that the input was taken."""
        if isinstance(step, Accepted):
            self._notices.reached(self._turn.speaker.channel_id, self._turn.agent_id or "")
