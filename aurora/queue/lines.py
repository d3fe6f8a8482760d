"""A lane, and the lines in which lanes stand for a place."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..model import Turn
from .limits import Rules


@dataclass(slots=True, eq=False)
class Lane:
    """A lane is in one place at a time: busy, scheduled (`ticket`), ready, parked, or about to be.

    `since` orders those that became ready, and `agent` is who answered there then. `woken_for`
    names the key whose free place it was given and has not used yet. One whose head the owner
    wants to be `first` goes before all others.
    """

    guild_id: int | None
    parent_id: int | None
    # A list: a guild's capacity bounds it, and ten thousand empty deques take six megabytes.
    waiting: list[Turn] = field(default_factory=list)
    busy: bool = False
    ticket: int | None = None
    ready: bool = False
    since: int = 0
    parked_at: str | None = None
    woken_for: str | None = None
    agent: str | None = None
    first: bool = False


FIRST = 2**62
"""How far before all others those stand whose head is to be first."""


class Shares:
    """How many runs of an agent each guild holds."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._held: Counter[tuple[str | None, int | None]] = Counter()

    def take(self, lane: Lane) -> None:
        """Count a run that starts."""
        self._held[lane.agent, lane.guild_id] += 1

    def give_back(self, lane: Lane) -> None:
        """Count a run no more."""
        held = lane.agent, lane.guild_id
        self._held[held] -= 1
        if not self._held[held]:
            del self._held[held]

    def spent(self, agent: str | None, guild_id: int | None) -> bool:
        """Tell whether a guild is to wait while others wait for the agent."""
        return self._held[agent, guild_id] >= self._rules.share


class FairLine:
    """Names of lanes in the order they are served: one of each guild in turn, DMs being one.

    In a guild who became ready first is first. A guild that holds its share of an agent's runs
    lets others go first that stand here for the same agent.
    """

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._guilds: OrderedDict[int | None, _Guild] = OrderedDict()
        self._rivals: dict[str | None, OrderedDict[int | None, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._guilds)

    def add(self, name: str, lane: Lane) -> None:
        """Let a lane stand in line."""
        guild_id = lane.guild_id
        guild = self._guilds.get(guild_id)
        if guild is None:
            guild = self._guilds[guild_id] = _Guild(lane.agent)
            rivals = self._rivals.get(lane.agent)
            if rivals is None:
                rivals = self._rivals[lane.agent] = OrderedDict()
            rivals[guild_id] = None
        # Mostly at the end; who was parked or woken had its place before.
        insort(guild.lanes, (lane.since, name))
        if lane.first:
            self._guilds.move_to_end(guild_id, last=False)

    def pop(self) -> str:
        """Take out who is served next."""
        guild_id = self._next()
        guild = self._guilds[guild_id]
        _, name = guild.lanes.pop(0)
        if guild.lanes:
            self._guilds.move_to_end(guild_id)
            self._rivals[guild.agent].move_to_end(guild_id)
        else:
            self._leave(guild_id, guild)
        return name

    def remove(self, name: str, lane: Lane) -> None:
        """Take a lane out that is not served."""
        guild = self._guilds[lane.guild_id]
        del guild.lanes[bisect_left(guild.lanes, (lane.since, name))]
        if not guild.lanes:
            self._leave(lane.guild_id, guild)

    def before(self, name: str, lane: Lane) -> str | None:
        """Return who stands here and goes before a lane that could have a place now, if any."""
        guild = self._guilds.get(lane.guild_id)
        if guild is not None and guild.lanes[0] < (lane.since, name):
            return guild.lanes[0][1]
        rivals = self._rivals.get(lane.agent)
        if rivals is not None and self._shares.spent(lane.agent, lane.guild_id):
            rival = self._unspent(rivals, lane.agent, lane.guild_id)
            if rival != lane.guild_id:
                return self._guilds[rival].lanes[0][1]
        return None

    def _next(self) -> int | None:
        """Return the guild whose turn it is."""
        first = next(iter(self._guilds))
        agent = self._guilds[first].agent
        if self._guilds[first].lanes[0][0] < 0:
            return first
        rivals = self._rivals[agent]
        if len(rivals) > 1 and self._shares.spent(agent, first):
            return self._unspent(rivals, agent, first)
        return first

    def _unspent(
        self, rivals: Iterable[int | None], agent: str | None, otherwise: int | None
    ) -> int | None:
        # Few can have spent their share, so that the first who has not is soon found.
        return next((one for one in rivals if not self._shares.spent(agent, one)), otherwise)

    def _leave(self, guild_id: int | None, guild: _Guild) -> None:
        del self._guilds[guild_id]
        rivals = self._rivals[guild.agent]
        del rivals[guild_id]
        if not rivals:
            del self._rivals[guild.agent]


@dataclass(slots=True, eq=False)
class _Guild:
    """A guild's lanes in a line, and the agent that they wait for."""

    agent: str | None
    lanes: list[tuple[int, str]] = field(default_factory=list)


class Groups:
    """The names of lanes by what they belong to, so that nobody looks through all for a few."""

    def __init__(self) -> None:
        self._guilds: dict[int | None, dict[str, None]] = {}
        self._parents: dict[int, dict[str, None]] = {}

    def add(self, name: str, lane: Lane) -> None:
        """Note a new lane."""
        self._guilds.setdefault(lane.guild_id, {})[name] = None
        if lane.parent_id is not None:
            self._parents.setdefault(lane.parent_id, {})[name] = None

    def remove(self, name: str, lane: Lane) -> None:
        """Forget a lane that is gone."""
        mine = self._guilds[lane.guild_id]
        del mine[name]
        if not mine:
            del self._guilds[lane.guild_id]
        if lane.parent_id is not None:
            threads = self._parents[lane.parent_id]
            del threads[name]
            if not threads:
                del self._parents[lane.parent_id]

    def of_guild(self, guild_id: int | None) -> list[str]:
        """Return the lanes of a guild, or of DMs."""
        return list(self._guilds.get(guild_id, ()))

    def of_parent(self, channel_id: int) -> list[str]:
        """Return the lanes of a channel's threads."""
        return list(self._parents.get(channel_id, ()))
