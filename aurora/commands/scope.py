"""What a command is about: one server, or everything, which is the owner's alone."""

from __future__ import annotations

from typing import Literal

from redbot.core import commands

from ..ledger import EVERYWHERE, Where
from ..services import Services

Scope = Literal["here", "everywhere"]
"""What a person types; in a direct message both mean everything."""

_OWNERS_ALONE = "Only the bot's owner may do that everywhere. Leave `everywhere` out."
_NOT_STARTED = "Aurora could not start, and does nothing. {why}Then use `{prefix}reload aurora`."


async def ensure_started(ctx: commands.Context, services: Services) -> None:
    """Refuse a command of a cog that could not start; its owner reads why."""
    if services.failure is None:
        return
    owner = await ctx.bot.is_owner(ctx.author)
    why = f"The reason: {services.failure} " if owner else "The log says why. "
    # `reload` need not be among the slash commands.
    prefix = (await ctx.bot.get_valid_prefixes(ctx.guild))[0]
    said = _NOT_STARTED.format(why=why, prefix=prefix)
    raise commands.UserFeedbackCheckFailure(said)


async def place_of(ctx: commands.Context, scope: Scope) -> Where:
    """Return the server's id, or EVERYWHERE; refuse that to all but the owner."""
    if ctx.guild is not None and scope == "here":
        return ctx.guild.id
    if not await ctx.bot.is_owner(ctx.author):
        raise commands.UserFeedbackCheckFailure(_OWNERS_ALONE)
    return EVERYWHERE


def in_words(place: Where, everywhere: str = "everywhere") -> str:
    """Name a place within a sentence; "anywhere" in one that denies."""
    return everywhere if place == EVERYWHERE else "in this server"
