"""What the status commands and panels show: the facts, as plain data."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from ..agents.protocol import AgentBackend, AgentInfo
from ..clock import Clock
from ..errors import (
    Breakers,
    BreakerSnapshot,
    BreakerState,
    ErrorStats,
    Provider,
    Summary,
)
from ..ledger import EVERYWHERE, Store, Where
from ..model import State
from ..queue import EXPIRY_SECONDS, MessageQueue
from ..queue.limits import AGENT_RUNS
from ..reasons import AgentError, Outcome
from ..settings import Settings
from ..words import Phrase
from .connection import Connection, look

_AGENTS_ASKED = 10


class Found(StrEnum):
    """What the agent's server says of an agent."""

    THERE = "there"
    MISSING = "missing"
    UNKNOWN = "unknown"
    SLOW = "slow"
    NOT_ASKED = "not_asked"


class AgentStatus(NamedTuple):
    """An agent that a place uses; `detail`, for the owner alone, may name the server's address."""

    id: str
    found: Found
    info: AgentInfo | None = None
    detail: Phrase | str = ""


class BreakerStatus(NamedTuple):
    """The breaker of the agent's server, and those of the agents that were used of late.

    `limited` are the breakers of the agents whose provider asks for patience.
    """

    server: BreakerSnapshot
    agents: Mapping[str, BreakerSnapshot]
    limited: Mapping[str, BreakerSnapshot]


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """What waits and runs in a place; times are seconds since the epoch.

    `counts` are the events that are kept, by state; `room` is how much may wait, None where that
    is each guild's own. `oldest` is since when the oldest waits. Of everywhere alone:
    `paused_guilds` are those that have a pause of their own, `fullest` those in which most waits
    (None are DMs), most first, and `totals` what came since Aurora was loaded.
    """

    counts: Mapping[State, int]
    room: int | None
    oldest: float | None
    paused_since: float | None
    paused_by_owner: bool
    paused_guilds: Sequence[int] = ()
    fullest: Sequence[tuple[int | None, int]] = ()
    totals: Mapping[str, int] = field(default_factory=dict)


class Limits(NamedTuple):
    """How much may run at a time, and how long anything may wait; times are seconds.

    `pace` is the time between two runs in a channel, None where that is each guild's own.
    """

    pace: float | None
    everywhere: int
    guild: int
    user: int
    agent: int = AGENT_RUNS
    waiting: float = EXPIRY_SECONDS


@dataclass(slots=True)
class Status:
    """Gathers the facts about a place: a guild, or everywhere.

    `patience` is the seconds for which an agent's server is waited for.
    """

    settings: Settings
    store: Store
    queue: MessageQueue
    breakers: Breakers
    stats: ErrorStats
    clock: Clock
    backend: Callable[[], AgentBackend | None] = field(repr=False)
    patience: float = 5.0

    def agent_ids(self, place: Where, guild_ids: Iterable[int]) -> list[str]:
        """Return the agents that a place uses; `guild_ids` are all guilds there are."""
        guilds = [place] if isinstance(place, int) else [None, *guild_ids]
        agent_for = self.settings.agent_for
        return list(
            dict.fromkeys(found for one in guilds if (found := agent_for(one)) is not None)
        )

    async def connection(self) -> Connection:
        """Ask the agent's server whether it can be used."""
        away = self.breakers.server.state is not BreakerState.CLOSED
        since = self.clock.time() - self.breakers.failing_for(None) if away else None
        return await look(self.backend(), self.patience, since)

    async def agents(self, agent_ids: Sequence[str]) -> list[AgentStatus] | None:
        """Ask the agent's server about some agents, the first ten; None if there is no server."""
        backend = self.backend()
        if backend is None:
            return None
        asked = agent_ids[:_AGENTS_ASKED]
        found = await asyncio.gather(*(self._agent(backend, one) for one in asked))
        return [*found, *(AgentStatus(one, Found.NOT_ASKED) for one in agent_ids[_AGENTS_ASKED:])]

    async def _agent(self, backend: AgentBackend, agent_id: str) -> AgentStatus:
        try:
            async with asyncio.timeout(self.patience):
                return AgentStatus(agent_id, Found.THERE, await backend.agent(agent_id))
        except TimeoutError:
            return AgentStatus(agent_id, Found.SLOW)
        except AgentError as error:
            known = error.outcome is Outcome.CONFIG
            found = Found.MISSING if known else Found.UNKNOWN
            return AgentStatus(agent_id, found, detail=error.detail)

    def circuits(self, place: Where) -> BreakerStatus:
        """Return the server's breaker, and of a guild only its own agent's."""
        every = self.breakers.snapshot()
        agents = {key: one for key, one in every.items() if isinstance(key, str)}
        limited = {key.agent_id: one for key, one in every.items() if isinstance(key, Provider)}
        if isinstance(place, int):
            mine = self.settings.agent_for(place)
            agents = {key: one for key, one in agents.items() if key == mine}
            limited = {key: one for key, one in limited.items() if key == mine}
        return BreakerStatus(every[None], agents, limited)

    async def waiting(self, place: Where) -> QueueStatus:
        """Return how much waits and runs in a place, and since when."""
        settings, counts = self.settings, await self.store.counts(place)
        here = QueueStatus(
            counts=counts,
            room=settings.guild(place).max_queue_size if isinstance(place, int) else None,
            oldest=await self.queue.oldest(place),
            paused_since=(
                settings.paused_since(place)
                if isinstance(place, int)
                else settings.world.paused_since
            ),
            paused_by_owner=settings.world.paused_since is not None,
        )
        if place != EVERYWHERE:
            return here
        stats = self.queue.get_stats()
        return replace(
            here,
            paused_guilds=list(settings.paused_guilds()),
            fullest=Counter(stats["waiting_by_guild"]).most_common(),
            totals=stats["totals"],
        )

    def limits(self, place: Where) -> Limits:
        """Return the limits that hold in a place."""
        guild_id = place if isinstance(place, int) else None
        guild, world = self.settings.guild(guild_id), self.settings.world
        return Limits(
            pace=guild.rate_limit_seconds if guild_id is not None else None,
            everywhere=world.global_runs,
            guild=world.guild_runs,
            user=guild.user_runs,
        )

    def errors(self, place: Where) -> Summary:
        """Return how often runs failed in a place since Aurora was loaded."""
        return self.stats.summary(place if isinstance(place, int) else None)


def covers(place: Where, guild_id: int | None) -> bool:
    """Tell whether what happens in a guild, or in DMs (None), belongs to a place."""
    return place in (EVERYWHERE, guild_id)
