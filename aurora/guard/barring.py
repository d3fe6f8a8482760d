"""Who may use the bot at all: as Red has it, and as a server's own lists do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, cast

import discord
from redbot.core import commands
from redbot.core.bot import Red

from ..chat.places import Channel
from ..reasons import Reason
from ..settings import Settings
from .access import Asker, has_lists, places_of, refusal

Barred = Callable[
    [int, discord.Member | None, discord.Guild | None, Channel | None], Awaitable[Reason | None]
]
"""Returns why a user may not use the bot somewhere; None if they may.

Given are the user's id and, of a guild, the member, the guild and the place, as far as known.
"""


async def barred_by_red(
    bot: Red,
    cog: commands.Cog,
    user_id: int,
    member: discord.Member | None,
    guild: discord.Guild | None,
) -> Reason | None:
    """Ask Red: the cog may be disabled there, and its lists may keep the user out."""
    if await bot.cog_disabled_in_guild(cog, guild):
        return Reason.COG_DISABLED
    if not await bot.allowed_by_whitelist_blacklist(member, who_id=user_id, guild=guild):
        return Reason.INELIGIBLE
    return None


async def barred(
    bot: Red,
    cog: commands.Cog,
    settings: Settings,
    user_id: int,
    member: discord.Member | None,
    guild: discord.Guild | None,
    place: Channel | None,
) -> Reason | None:
    """Ask Red, and then the server's own lists."""
    reason = await barred_by_red(bot, cog, user_id, member, guild)
    if reason is not None or guild is None or place is None:
        return reason
    return await barred_there(bot, settings, user_id, member, guild, place)


async def barred_there(
    bot: Red,
    settings: Settings,
    user_id: int,
    member: discord.Member | None,
    guild: discord.Guild,
    place: Channel,
) -> Reason | None:
    """Ask Red and the server's own lists about the place; what is not known is no reason."""
    if member is not None and await _is_ignored(bot, member, place):
        return Reason.INELIGIBLE
    return await kept_out(bot, settings, user_id, member, guild, place)


class _Context(NamedTuple):
    """What Red looks at in a context, to tell whether it ignores one."""

    author: discord.Member
    channel: Channel
    guild: discord.Guild
    permissions: discord.Permissions


async def _is_ignored(bot: Red, member: discord.Member, place: Channel) -> bool:
    """Tell whether Red ignores somebody in a place, or in its whole server."""
    if isinstance(place, discord.Thread) and place.parent is None:
        return False
    granted = place.permissions_for(member)
    context = _Context(member, place, member.guild, granted)
    return not await bot.ignored_channel_or_guild(cast(commands.Context, context))


async def kept_out(
    bot: Red,
    settings: Settings,
    user_id: int,
    member: discord.Member | None,
    guild: discord.Guild,
    place: discord.abc.Snowflake,
) -> Reason | None:
    """Ask a guild's own lists; who is above them is only looked at where there are any."""
    mine = settings.guild(guild.id)
    if not has_lists(mine):
        return None
    owner = user_id in (bot.owner_ids or ())
    manages = member is not None and (
        member.guild_permissions.manage_guild or await bot.is_admin(member)
    )
    asker = Asker(
        user_id,
        None if member is None else [role.id for role in member.roles],
        above_people=owner or user_id == guild.owner_id,
        above_places=owner or manages,
    )
    return refusal(mine, asker, places_of(place))


async def nobody_barred(
    _user_id: int,
    _member: discord.Member | None,
    _guild: discord.Guild | None,
    _place: Channel | None,
) -> Reason | None:
    """Let everybody use a bot that is no Red."""
    return None
