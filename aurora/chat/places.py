"""Find the channel an id names; only ids travel in an event, and caches forget."""

from __future__ import annotations

import asyncio

import discord

from ..model import Event
from .failures import FAILURES, PATIENCE, GuildNotHereError, Patience

Place = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
"""A channel or thread of a guild that holds messages."""

Channel = discord.abc.GuildChannel | discord.Thread | discord.DMChannel

_LOOK_SECONDS = 0.1


async def find_guild(
    bot: discord.Client, guild_id: int, patience: Patience = PATIENCE
) -> discord.Guild | None:
    """Return a guild once Discord has told what is in it; None if the bot is in no such guild.

    A new session begins with their ids, and they come one by one. Until then a guild looks as if
    nobody could see or do anything there. Raise GuildNotHereError if it takes long.
    """
    try:
        async with asyncio.timeout(patience.coming):
            guild = bot.get_guild(guild_id)
            while guild is not None and not _has_come(guild):
                await asyncio.sleep(_LOOK_SECONDS)
                guild = bot.get_guild(guild_id)
            return guild
    except TimeoutError:
        raise GuildNotHereError("Discord has not brought the server yet") from None


def _has_come(guild: discord.Guild) -> bool:
    # One that went away in an outage of Discord's is still known.
    return not guild.unavailable or guild.me is not None


def is_away(bot: discord.Client, guild_id: int) -> bool:
    """Tell whether a guild is not known yet, or has an outage: there is nothing to begin there."""
    guild = bot.get_guild(guild_id)
    return guild.unavailable if guild is not None else not bot.is_ready()


async def find_channel(
    bot: discord.Client, event: Event, channel_id: int, patience: Patience = PATIENCE
) -> Channel | None:
    """Return a channel of the guild or DM an event came from; None if it has no such channel.

    Raise discord.DiscordException if Discord did not say; 403 and 404 mean None.
    """
    if event.guild_id is None:
        if channel_id != event.channel_id:
            return None
        found = bot.get_channel(channel_id) or await _fetch(bot, channel_id)
        return found if isinstance(found, discord.DMChannel) else None
    guild = await find_guild(bot, event.guild_id, patience)
    if guild is None:
        return None
    # Archived threads are in no cache.
    found = guild.get_channel_or_thread(channel_id) or await _fetch(bot, channel_id)
    if not isinstance(found, discord.abc.GuildChannel | discord.Thread):
        return None
    return found if found.guild.id == guild.id else None


async def find_place(
    bot: discord.Client, event: Event, channel_id: int, patience: Patience = PATIENCE
) -> Place | discord.DMChannel | None:
    """Do the same as find_channel, but for what holds messages alone."""
    found = await find_channel(bot, event, channel_id, patience)
    return found if isinstance(found, Place | discord.DMChannel) else None


async def _fetch(
    bot: discord.Client, channel_id: int
) -> discord.abc.GuildChannel | discord.abc.PrivateChannel | discord.Thread | None:
    try:
        return await bot.fetch_channel(channel_id)
    except (discord.NotFound, discord.Forbidden, discord.InvalidData):
        return None


async def find_dm(bot: discord.Client, user_id: int) -> int | None:
    """Return the id of a person's DM channel, None if Discord does not name it."""
    user = bot.get_user(user_id)
    if user is None:
        return None
    try:
        return (user.dm_channel or await user.create_dm()).id
    except FAILURES:
        return None
