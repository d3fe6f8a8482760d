"""What a command is about: one server, or everything, which is the owner's alone."""

from __future__ import annotations

from typing import Literal

from redbot.core import commands

from ..ledger import EVERYWHERE, Where
from ..services import Services
from ..words import Phrase, say
from ..words import commands as w

Scope = Literal["here", "everywhere"]
"""What a person types; in a direct message both mean everything."""


async def ensure_started(ctx: commands.Context, services: Services) -> None:
    """Refuse a command of a cog that could not start, or stands by; its owner reads why."""
    if services.standing_by:
        if ctx.interaction is not None:
            # It can be answered once, and the Aurora that works is about to do so.
            raise commands.CheckFailure
        raise commands.UserFeedbackCheckFailure(say(w.STANDING_BY))
    if services.failure is None:
        return
    owner = await ctx.bot.is_owner(ctx.author)
    why = w.NOT_STARTED_FOR(reason=services.failure) if owner else w.NOT_STARTED_LOG
    # `reload` need not be among the slash commands.
    prefix = (await ctx.bot.get_valid_prefixes(ctx.guild))[0]
    raise commands.UserFeedbackCheckFailure(say(w.NOT_STARTED(why=why), prefix))


async def place_of(ctx: commands.Context, scope: Scope) -> Where:
    """Return the server's id, or EVERYWHERE; refuse that to all but the owner."""
    if ctx.guild is not None and scope == "here":
        return ctx.guild.id
    if not await ctx.bot.is_owner(ctx.author):
        raise commands.UserFeedbackCheckFailure(say(w.OWNERS_ALONE))
    return EVERYWHERE


def in_words(place: Where, everywhere: Phrase = w.EVERYWHERE) -> Phrase:
    """Name a place within a sentence; "anywhere" in one that denies."""
    return everywhere if place == EVERYWHERE else w.HERE
