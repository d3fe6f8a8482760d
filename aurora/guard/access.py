"""Who may use the bot at all, as Red and its admins have it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import discord
from redbot.core import commands
from redbot.core.bot import Red

from ..reasons import Reason

Barred = Callable[[int, discord.Member | None, discord.Guild | None], Awaitable[Reason | None]]
"""Returns why a user may not use the bot in a guild, or in direct messages; None if they may."""


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


async def nobody_barred(
    _user_id: int, _member: discord.Member | None, _guild: discord.Guild | None
) -> Reason | None:
    """Let everybody use a bot that is no Red."""
    return None
