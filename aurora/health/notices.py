"""People are told of an outage once in each channel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from ..agents.protocol import Accepted, RunEvent, ToolHost
from ..clock import Clock
from ..errors import Breakers, BreakerState, Key, Provider
from ..model import Event, Turn
from ..runs.background import Background
from ..settings import Settings
from ..words import Phrase
from ..words import notices as w
from .outages import LASTING_SECONDS

Notice = Callable[[Event, Phrase], Awaitable[None]]


class _Waiting(Protocol):
    """The part of the queue that is looked at."""

    def heads(self) -> AsyncIterator[Event]: ...


class OutageNotices:
    """Who was told of which outage.

    It hears of the outages that last, of a server, an agent or its provider. A channel may be out
    of reach without one; then its own next success is the end. `notice` tells the author of an
    event that the answer will be late, once.
    """

    def __init__(
        self,
        breakers: Breakers,
        settings: Settings,
        queue: _Waiting,
        background: Background,
        notice: Notice,
        clock: Clock,
    ) -> None:
        self._breakers = breakers
        self._settings = settings
        self._queue = queue
        self._background = background
        self._notice = notice
        self._clock = clock
        # The channels that were told, by the outage that is on; those that are out of reach by
        # themselves; and since when one that was not told yet is missed.
        self._told: defaultdict[Key, set[int]] = defaultdict(set)
        self._on: set[Key] = set()
        self._alone: set[int] = set()
        self._missed: dict[int, float] = {}

    def changed(self, key: Key, _old: BreakerState, new: BreakerState) -> None:
        """Hear of an outage: tell those who wait for its end, or forget it."""
        if new is BreakerState.OPEN:
            self._on.add(key)
            self._background.start(self._tell_all(key), "tells of an outage")
        elif new is BreakerState.CLOSED:
            self._on.discard(key)
            self._told.pop(key, None)

    async def greet(self, event: Event) -> None:
        """Tell the author of a new event if an outage is going to keep it waiting."""
        agent_id = self._settings.agent_of(event)
        if agent_id is None or not self._outages(agent_id):
            return
        if self._breakers.retry_in(agent_id) > 0:
            await self._tell(event, agent_id)

    async def late(self, turn: Turn, agent_id: str) -> None:
        """Tell a channel whose agent can't be reached that its answer will be late."""
        if self._outages(agent_id):
            if self._breakers.is_shut(agent_id):
                await self._tell(turn.speaker, agent_id)
        elif not self._breakers.is_limited(agent_id) and self._is_lost(turn):
            await self._tell(turn.speaker, agent_id)

    def observe(self, turn: Turn, _tools: ToolHost) -> _Reached:
        """Follow an attempt: once the server has taken its input the channel is in reach."""
        return _Reached(self, turn)

    def reached(self, channel_id: int) -> None:
        """Note that the server took an input from a channel."""
        self._alone.discard(channel_id)
        self._missed.pop(channel_id, None)

    async def _tell_all(self, key: Key) -> None:
        """Tell each lane that waits for the end of an outage; it may be over meanwhile."""
        async for event in self._queue.heads():
            agent_id = self._settings.agent_of(event)
            if agent_id is None or key not in self._outages(agent_id):
                continue
            if self._breakers.is_shut(agent_id):
                await self._tell(event, agent_id)

    async def _tell(self, event: Event, agent_id: str) -> None:
        # Those who are told one after the other may have got their answer meanwhile.
        if event.state.final:
            return
        channel_id, outages = event.channel_id, self._outages(agent_id)
        known = channel_id in self._alone or any(channel_id in self._told[one] for one in outages)
        # Of two outages at a time people are told once, however the first of them ends.
        for one in outages:
            self._told[one].add(channel_id)
        if not outages:
            self._alone.add(channel_id)
        if not known:
            limited = outages == {Provider(agent_id)}
            await self._notice(event, w.LIMITED if limited else w.OUTAGE)

    def _outages(self, agent_id: str) -> set[Key]:
        """Return the outages that last, of those that concern an agent."""
        return self._on & {None, agent_id, Provider(agent_id)}

    def _is_lost(self, turn: Turn) -> bool:
        """Tell whether a turn alone is out of reach for so long that it is worth a word.

        A line that was cut is there again at the second try.
        """
        now, channel_id = self._clock.monotonic(), turn.speaker.channel_id
        if turn.misses <= 1:
            self._missed[channel_id] = now
        return now - self._missed.setdefault(channel_id, now) >= LASTING_SECONDS


class _Reached:
    """The observer of one attempt."""

    def __init__(self, notices: OutageNotices, turn: Turn) -> None:
        self._notices = notices
        self._turn = turn

    async def saw(self, step: RunEvent) -> None:
        """Note that the input was taken."""
        if isinstance(step, Accepted):
            self._notices.reached(self._turn.speaker.channel_id)
