"""What Red and discord.py have, as the pieces want to ask for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import discord
from redbot.core import Config
from redbot.core.bot import Red

from ..agents.protocol import Housed
from ..guard.masking import folders_of
from ..model import Change


class ConfigKeeper:
    """Red's Config as the place where settings are kept."""

    def __init__(self, config: Config) -> None:
        self._config = config

    async def load(self) -> tuple[Mapping[str, Any], Mapping[int, Mapping[str, Any]]]:
        """Return the global values and each guild's."""
        return await self._config.all(), await self._config.all_guilds()

    async def save(self, guild_id: int | None, key: str, value: Any) -> None:
        """Keep one value; guild None is the global scope."""
        # Config makes up its methods for the global scope at run time.
        config: Any = self._config
        scope = config if guild_id is None else config.guild_from_id(guild_id)
        await scope.set_raw(key, value=value)


async def owns(bot: Red, user_id: int) -> bool:
    """Tell whether somebody owns the bot."""
    return user_id in (bot.owner_ids or ())


async def manages(bot: Red, member: discord.Member) -> bool:
    """Tell whether somebody may manage a server, or is an admin of the bot's there."""
    return member.guild_permissions.manage_guild or await bot.is_admin(member)


def folders(backend: object) -> Collection[str]:
    """Return the folders of the agents' host that must not be told."""
    told = backend.folders if isinstance(backend, Housed) else ()
    return {folder for path in told for folder in folders_of(path)}


def role_name(bot: Red, guild_id: int | None, role_id: int) -> str | None:
    """Return what a role of a guild is called, if it is still there."""
    guild = bot.get_guild(guild_id or 0)
    role = guild.get_role(role_id) if guild is not None else None
    return role.name if role is not None else None


def dispatch(bot: Red, change: Change) -> None:
    """Tell other cogs, as discord.py tells of everything: `on_aurora_event`."""
    bot.dispatch("aurora_event", change)
