"""How much may run at once, and what must wait; the queue asks here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Protocol

from ..errors import Breakers
from ..model import Event
from ..settings import Settings, TurnLimit

AGENT_RUNS = 4
DM_EVENTS = 10_000
"""How much may wait in direct messages in all. Each person's own bound comes long before it: it
keeps those who are many from filling the memory."""
AWAY_SECONDS = 5.0
"""How long until it is seen at the latest that a guild has come."""
COALESCED = 5
"""How many waiting events of one person may be answered together."""


class Rules(Protocol):
    """What the queue must know of the world to decide who may run; asked anew each time."""

    def capacity(self, guild_id: int | None) -> int:
        """Return how many events of a guild (None: of all DMs) may wait."""
        ...

    def user_capacity(self, guild_id: int | None) -> int:
        """Return how many events of one person may wait in a guild (None: in DMs)."""
        ...

    def turn_limit(self, guild_id: int | None) -> TurnLimit:
        """Return how often one person has a turn in a guild (None: in DMs)."""
        ...

    def agent(self, guild_id: int | None) -> str | None:
        """Return the agent for whose runs a guild (None: all DMs) competes with others."""
        ...

    @property
    def share(self) -> int:
        """How many runs of an agent a guild may hold while others wait for the agent."""
        ...

    def pace(self, event: Event) -> float:
        """Return the seconds between two starts in the event's channel."""
        ...

    def limits(self, event: Event) -> Mapping[str, int]:
        """Return how many runs each of the event's keys (global, guild, agent, user) may hold."""
        ...

    def hold(self, event: Event) -> float:
        """Return the seconds an event must wait for reasons outside the queue; 0 if it may run.

        Infinite while it is paused: then it does not expire either.
        """
        ...

    def coalesce(self, event: Event) -> int:
        """Return how many waiting events of one author may run as one turn; 1 is each alone."""
        ...

    def debounce(self, event: Event) -> float:
        """Return how many seconds an author is to be quiet before their events run."""
        ...


class WorkRules:
    """The queue's Rules (promise 3), from settings and breakers as they are now.

    `away` tells of a guild whether nothing can be done there yet, as before a session knows it.
    """

    def __init__(
        self,
        settings: Settings,
        breakers: Breakers,
        *,
        away: Callable[[int], bool] = lambda _guild_id: False,
        agent_runs: int = AGENT_RUNS,
    ) -> None:
        self._settings = settings
        self._breakers = breakers
        self._away = away
        self.agent_runs = agent_runs

    def capacity(self, guild_id: int | None) -> int:
        """Return how many events of a guild, or of all DMs, may wait."""
        return DM_EVENTS if guild_id is None else self._settings.guild(guild_id).max_queue_size

    def user_capacity(self, guild_id: int | None) -> int:
        """Return how many events of one person may wait in a guild, or in DMs."""
        return self._settings.guild(guild_id).user_queue_size

    def turn_limit(self, guild_id: int | None) -> TurnLimit:
        """Return how often one person has a turn in a guild, or in DMs."""
        return self._settings.guild(guild_id).user_limit

    def agent(self, guild_id: int | None) -> str | None:
        """Return the agent that answers in a guild, or in DMs."""
        return self._settings.agent_for(guild_id)

    @property
    def share(self) -> int:
        """How many runs of an agent a guild may hold while others wait: half of them."""
        return max(1, self.agent_runs // 2)

    def pace(self, event: Event) -> float:
        """Return the seconds between two starts in the event's channel."""
        return self._settings.guild(event.guild_id).rate_limit_seconds

    def limits(self, event: Event) -> Mapping[str, int]:
        """Return how many runs each of the event's keys may hold."""
        settings = self._settings
        agent_id = settings.agent_of(event)
        most = {
            "global": settings.world.global_runs,
            f"agent:{agent_id}": self.agent_runs,
            f"user:{event.author_id}": settings.guild(event.guild_id).user_runs,
        }
        if event.guild_id is not None:
            most[f"guild:{event.guild_id}"] = settings.world.guild_runs
        if agent_id is not None:
            # No more is taken than a half-open breaker lets through.
            for name, allowed in self._breakers.probes_allowed(agent_id).items():
                most[f"probe:{name}"] = allowed
        return most

    def hold(self, event: Event) -> float:
        """Return the seconds until the event's guild and agent may be there; 0 if they are.

        Infinite while the event's guild is paused.
        """
        if self._settings.paused_since(event.guild_id) is not None:
            return math.inf
        if event.guild_id is not None and self._away(event.guild_id):
            return AWAY_SECONDS
        agent_id = self._settings.agent_of(event)
        return self._breakers.retry_in(agent_id) if agent_id else 0.0

    def coalesce(self, event: Event) -> int:
        """Return how many waiting events of one author may run as one turn."""
        together = event.by_message and self._settings.guild(event.guild_id).coalesce_messages
        return COALESCED if together else 1

    def debounce(self, event: Event) -> float:
        """Return how many seconds an author is to be quiet; of no use where each runs alone."""
        settings = self._settings.guild(event.guild_id)
        waits = event.by_message and settings.coalesce_messages
        return settings.debounce_seconds if waits else 0.0
