"""What a command is about: one server, or everything, which is the owner's alone."""

from __future__ import annotations

from typing import Literal, NoReturn

import discord
from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..ledger import EVERYWHERE, Where
from ..reasons import AuroraError
from ..services import Services
from ..words import Phrase, say
from ..words import commands as w
from .asking import prefix_for, unfenced

Scope = Literal["here", "everywhere"]
"""What a person types; in a direct message both mean everything."""

_NAME_CHARS = 40
_SERVERS_SHOWN = 5


class StandingByError(AuroraError, commands.CheckFailure):
    """A command that is left to another process without a word."""


async def ensure_started(ctx: commands.Context, services: Services) -> None:
    """Refuse a command of a cog that could not start, or stands by; its owner reads why."""
    if services.standing_by:
        if ctx.interaction is not None:
            # It can be answered once, and the Aurora that works is about to do so.
            raise StandingByError
        raise commands.UserFeedbackCheckFailure(say(w.STANDING_BY))
    if services.failure is None:
        return
    owner = await ctx.bot.is_owner(ctx.author)
    await _refuse(ctx, w.NOT_STARTED_FOR(reason=services.failure) if owner else w.NOT_STARTED)


async def place_of(ctx: commands.Context, scope: Scope) -> Where:
    """Return the server's id, or EVERYWHERE; refuse that to all but the owner."""
    if ctx.guild is not None and scope != "everywhere":
        return ctx.guild.id
    if not await ctx.bot.is_owner(ctx.author):
        await _refuse(ctx, w.OWNERS_ALONE if ctx.guild else w.OWNERS_ALONE_IN_DMS)
    return EVERYWHERE


async def guild_of(ctx: commands.Context, server: str | None) -> discord.Guild:
    """Return the server that a command is about: this one, or one that the owner names."""
    if not server:
        if ctx.guild is None:
            raise commands.NoPrivateMessage
        return ctx.guild
    wanted = server.strip().strip('"')
    named = [one for one in ctx.bot.guilds if wanted in (str(one.id), one.name)]
    named = named or [one for one in ctx.bot.guilds if one.name.lower() == wanted.lower()]
    given = inline(unfenced(wanted[:_NAME_CHARS]))
    if not await ctx.bot.is_owner(ctx.author):
        # Which servers there are is nobody else's to find out.
        if ctx.guild is not None and named == [ctx.guild]:
            return ctx.guild
        return await _refuse(ctx, w.OTHER_SERVER(name=given))
    if len(named) == 1:
        return named[0]
    if named:
        return await _refuse(ctx, w.TWO_SERVERS(name=given))
    return await _refuse(ctx, w.NO_SUCH_SERVER(name=given, servers=servers_of(ctx)))


def named_in(ctx: commands.Context, guild: discord.Guild) -> Phrase:
    """Name a server within a sentence."""
    if guild == ctx.guild:
        return w.HERE
    return w.IN(server=discord.utils.escape_markdown(guild.name[:_NAME_CHARS]))


async def _refuse(ctx: commands.Context, why: Phrase) -> NoReturn:
    raise commands.UserFeedbackCheckFailure(say(why, await prefix_for(ctx)))


def servers_of(ctx: commands.Context) -> Phrase | str:
    """List the servers that the bot is in, the first few of them."""
    names = [
        f"{discord.utils.escape_markdown(one.name[:_NAME_CHARS])} (`{one.id}`)"
        for one in ctx.bot.guilds
    ]
    shown, more = ", ".join(names[:_SERVERS_SHOWN]), len(names) - _SERVERS_SHOWN
    return w.AND_MORE(servers=shown, count=more) if more > 0 else shown


def in_words(place: Where, everywhere: Phrase = w.EVERYWHERE) -> Phrase:
    """Name a place within a sentence; "anywhere" in one that denies."""
    return everywhere if place == EVERYWHERE else w.HERE
