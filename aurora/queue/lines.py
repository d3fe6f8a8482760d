"""A lane, and the lines in which lanes stand for a place."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from ..model import Turn


@dataclass(slots=True, eq=False)
class Lane:
    """A lane is in one place at a time: busy, scheduled (`ticket`), ready, parked, or about to be.

    `woken_for` names the key whose free place it was given and has not used yet.
    """

    guild_id: int | None
    parent_id: int | None
    # A list: a guild's capacity bounds it, and ten thousand empty deques take six megabytes.
    waiting: list[Turn] = field(default_factory=list)
    busy: bool = False
    ticket: int | None = None
    ready: bool = False
    parked_at: str | None = None
    woken_for: str | None = None


class FairLine:
    """Names of lanes in the order they are served: DMs first, then one of each guild in turn.

    Ordered by key, so that whoever leaves from the middle is not looked for.
    """

    def __init__(self) -> None:
        self._guilds: dict[int | None, OrderedDict[str, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._guilds)

    def add(self, name: str, lane: Lane) -> None:
        """Let a lane stand in line."""
        line = self._guilds.get(lane.guild_id)
        if line is None:
            line = self._guilds[lane.guild_id] = OrderedDict()
        line[name] = None
        if lane.woken_for is not None:
            # It waited its turn before.
            line.move_to_end(name, last=False)

    def pop(self) -> str:
        """Take out who is served next."""
        guild_id = None if None in self._guilds else next(iter(self._guilds))
        line = self._guilds.pop(guild_id)
        name, _ = line.popitem(last=False)
        if line:
            self._guilds[guild_id] = line
        return name

    def remove(self, name: str, lane: Lane) -> None:
        """Take a lane out that is not served."""
        line = self._guilds[lane.guild_id]
        del line[name]
        if not line:
            del self._guilds[lane.guild_id]


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
