"""All settings in memory, and what is asked of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ..model import Event, read_wish
from ..words import settings as w
from .rules import SettingError, TurnLimit
from .values import GLOBAL_DEFAULTS, GUILD_DEFAULTS, GlobalSettings, GuildSettings

_DEFAULTS = GuildSettings()
PLACES_KEPT = 200
"""In how many threads and channels of a guild it is remembered who answers."""
_TEXT_SETTINGS = {"answer_way", "deliver_text"}


class Keeper(Protocol):
    """Where settings are kept: Red's Config behind two calls."""

    async def load(self) -> tuple[Mapping[str, Any], Mapping[int, Mapping[str, Any]]]:
        """Return the global values and each guild's."""
        ...

    async def save(self, guild_id: int | None, key: str, value: Any) -> None:
        """Keep one value; guild None is the global scope."""
        ...


class Settings:
    """All settings in memory, written through; readers never wait."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._guilds: dict[int, GuildSettings] = {}
        # Made when it is asked for, and void when anything changes.
        self._guilds_of: Mapping[str | None, Sequence[int | None]] | None = None
        self.world = GlobalSettings()

    async def load(self) -> None:
        """Read everything that is kept; keys of other versions are ignored."""
        world, guilds = await self._keeper.load()
        self.world = GlobalSettings(**_known(GLOBAL_DEFAULTS, world))
        self._guilds = {
            guild_id: GuildSettings(**_known(GUILD_DEFAULTS, values))
            for guild_id, values in guilds.items()
        }
        self._guilds_of = None

    def guild(self, guild_id: int | None) -> GuildSettings:
        """Return a guild's settings; those of a DM (None) are the defaults."""
        return self._guilds.get(guild_id, _DEFAULTS) if guild_id is not None else _DEFAULTS

    def loosened(self, guild_id: int) -> frozenset[tuple[int, int]]:
        """Return the pairs of places, from and to, between which audiences are not compared."""
        return frozenset((one[0], one[1]) for one in self.guild(guild_id).audience_off)

    def agent_for(self, guild_id: int | None) -> str | None:
        """Return the agent that answers in a guild, or in DMs (None); None if there is none."""
        if guild_id is None:
            return self.world.dm_agent_id if self.world.enable_dm_responses else None
        mine = self.guild(guild_id)
        return mine.agent_id if mine.enabled else None

    def agent_of(self, event: Event, routed: str = "") -> str | None:
        """Return the agent that answers an event now; None if nobody does.

        It is that of the role which was asked for, else of the one it was `routed` to, else the
        server's.
        """
        own = self.agent_for(event.guild_id)
        if own is None or not (event.wish or routed):
            return own
        found = self.guild(event.guild_id).roles.get(read_wish(event.wish).role or routed)
        return own if found is None else found[0]

    def role_at(self, guild_id: int | None, channel_id: int, parent_id: int | None) -> str:
        """Return the role that answers in a thread or channel; empty if it is the server's agent.

        A thread goes by its own, else by its channel's.
        """
        places = self.guild(guild_id).role_places
        if not places:
            return ""
        return places.get(str(channel_id)) or places.get(str(parent_id), "")

    async def stick(self, guild_id: int, channel_id: int, role: str) -> None:
        """Let a role answer in a thread or channel from now on; an empty one is nobody's.

        Only the latest places are kept.
        """
        mine = self.guild(guild_id).role_places
        if mine.get(str(channel_id), "") == role:
            return
        rest = {key: name for key, name in mine.items() if key != str(channel_id)}
        if role:
            rest[str(channel_id)] = role
        kept = dict(list(rest.items())[-PLACES_KEPT:])
        await self.set_guild(guild_id, role_places=kept)

    async def set_roles(self, guild_id: int, roles: Mapping[str, Sequence[str]]) -> None:
        """Replace a guild's roles; where one answered that is gone, nobody's does."""
        mine = self.guild(guild_id).role_places
        places = {key: name for key, name in mine.items() if name in roles}
        await self.set_guild(guild_id, roles=dict(roles), role_places=places)

    def allowed_tools(self, agent_id: str) -> Sequence[str]:
        """Return the tools of its own that the bot's owner lets an agent run with."""
        return self.world.tools_allowed.get(agent_id, ())

    def agents_allowed(self) -> dict[int, Sequence[str]]:
        """Return the agents that admins may enable, by guild."""
        return {
            one: mine.agents_allowed for one, mine in self._guilds.items() if mine.agents_allowed
        }

    def guilds_that_list(self, user_id: int) -> list[int]:
        """Return the guilds whose access lists name a person."""
        return [
            guild_id
            for guild_id, mine in self._guilds.items()
            if user_id in mine.users_allowed or user_id in mine.users_denied
        ]

    def silence(self, guild_id: int | None) -> Sequence[str]:
        """Return the words by which a guild's agent says that it says nothing."""
        return self.guild(guild_id).silence_words

    def guilds_of(self, agent_id: str) -> Sequence[int | None]:
        """Return where an agent answers: guilds, and None for direct messages."""
        if self._guilds_of is None:
            found: dict[str | None, list[int | None]] = {}
            for guild_id in (None, *self._guilds):
                for one in self._answering(guild_id):
                    found.setdefault(one, []).append(guild_id)
            self._guilds_of = found
        return self._guilds_of.get(agent_id, ())

    def _answering(self, guild_id: int | None) -> set[str | None]:
        """Return the agents that answer in a guild, or in DMs (None)."""
        own = self.agent_for(guild_id)
        roles = self.guild(guild_id).roles.values() if own is not None else ()
        return {own, *(agent_id for agent_id, _ in roles)}

    def agents(self) -> set[str]:
        """Return all agents that are named anywhere, whether they answer now or not."""
        named = {mine.agent_id for mine in self._guilds.values()} | {self.world.dm_agent_id}
        for mine in self._guilds.values():
            named |= {agent_id for agent_id, _ in mine.roles.values()}
        return {agent_id for agent_id in named if agent_id is not None}

    def paused_since(self, guild_id: int | None) -> float | None:
        """Return since when nothing runs in a guild, or in DMs (None); None if it is not paused.

        In seconds since the epoch. A pause of the owner's is one everywhere.
        """
        world, mine = self.world.paused_since, self.guild(guild_id).paused_since
        if world is None or mine is None:
            return mine if world is None else world
        return min(world, mine)

    def paused_guilds(self) -> dict[int, float]:
        """Return the guilds that have a pause of their own, and since when."""
        since = {guild_id: mine.paused_since for guild_id, mine in self._guilds.items()}
        return {guild_id: at for guild_id, at in since.items() if at is not None}

    async def set_guild(self, guild_id: int, **values: Any) -> None:
        """Change a guild's settings; they apply at once and are kept.

        Raise SettingError, and change nothing, if agents' answers would reach nobody.
        """
        mine = replace(self.guild(guild_id), **values)
        if mine.by_text and not mine.deliver_text and values.keys() & _TEXT_SETTINGS:
            text_last = "answer_way" in values
            raise SettingError(w.TEXT_NOT_DELIVERED if text_last else w.TEXT_IS_THE_ANSWER)
        self._guilds[guild_id] = mine
        self._guilds_of = None
        for key, value in values.items():
            await self._keeper.save(guild_id, key, value)

    async def allow_tools(self, agent_id: str, names: Collection[str]) -> None:
        """Let an agent run with these tools of its own, too."""
        mine = sorted({*self.allowed_tools(agent_id), *names})
        await self.set_world(tools_allowed={**self.world.tools_allowed, agent_id: mine})

    async def set_world(self, **values: Any) -> None:
        """Change global settings; they apply at once and are kept."""
        self.world = replace(self.world, **values)
        self._guilds_of = None
        for key, value in values.items():
            await self._keeper.save(None, key, value)


def _known(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    # JSON knows no tuples.
    return {
        key: TurnLimit(*value) if isinstance(defaults[key], TurnLimit) else value
        for key, value in values.items()
        if key in defaults
    }
