"""What is said when a command did not run: each interaction is answered, once and privately.

Typed commands stay as Red has them, silent to those who may not; where Red would show no more
than the help, a sentence says what was wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import discord
from discord import app_commands
from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..chat.failures import FAILURES
from ..words import Phrase, verbatim
from ..words import commands as w
from .asking import tell, unfenced
from .scope import StandingByError, servers_of

log = logging.getLogger("red.aurora.commands")

_SHOWN_CHARS = 50
_SERVER = "server"
"""The parameter of commands that can be told of another server."""


async def explain_failure(ctx: commands.Context, error: Exception) -> None:
    """Say why a command did not run, in Red's words where Red has some; never raise."""
    error = _original(error)
    if isinstance(error, StandingByError):
        return
    try:
        if ctx.interaction is not None:
            await _answer(ctx, ctx.interaction, error)
            return
        if isinstance(error, commands.NoPrivateMessage):
            await tell(ctx, await _which_server(ctx))
            return
        if (said := _about_input(ctx, error)) is not None:
            await tell(ctx, said)
        await _leave_to_red(ctx, error)
    except FAILURES as failure:
        log.debug("A failed command was not told of: %s", type(failure).__name__)


async def explain_mismatch(
    interaction: discord.Interaction, error: app_commands.AppCommandError
) -> None:
    """Answer a slash command that Discord knows in an older shape; Red would only log it."""
    if isinstance(error, app_commands.CommandSignatureMismatch):
        ctx = await commands.Context.from_interaction(interaction)
        await explain_failure(ctx, error)


async def _answer(
    ctx: commands.Context, interaction: discord.Interaction, error: Exception
) -> None:
    """Answer an interaction."""
    if isinstance(error, commands.CommandInvokeError):
        if not interaction.response.is_done():
            # What Red says, and logs, then takes the place of this.
            await ctx.defer(ephemeral=True)
        await _leave_to_red(ctx, error)
        return
    said = await _refusal(ctx, error)
    if said is None:
        log.error("The command %s failed", ctx.command, exc_info=error)
        said = w.NOT_DONE
    await tell(ctx, said, ephemeral=True)


async def _refusal(ctx: commands.Context, error: Exception) -> Phrase | None:
    """Say what is in the way of a slash command; None if nobody can know."""
    match error:
        case commands.UserFeedbackCheckFailure(message=str(message)) if message:
            return verbatim(message)
        case commands.NoPrivateMessage():
            return await _which_server(ctx)
        case commands.DisabledCommand():
            return w.SWITCHED_OFF
        case commands.BotMissingPermissions():
            return w.I_MAY_NOT
        case commands.CheckFailure():
            return await _who_may(ctx)
        case commands.MaxConcurrencyReached() | commands.CommandOnCooldown():
            return w.STILL_AT_IT
        case app_commands.CommandSignatureMismatch():
            return w.OUT_OF_DATE
        case commands.UserInputError() | app_commands.TransformerError():
            return _about_input(ctx, error) or w.NOT_UNDERSTOOD
    return None


async def _which_server(ctx: commands.Context) -> Phrase:
    """Say that a command needs a server, and to the owner how to name one."""
    if not await ctx.bot.is_owner(ctx.author):
        return await _who_may(ctx)
    if ctx.command is not None and _SERVER in ctx.command.clean_params:
        return w.WHICH_SERVER(servers=servers_of(ctx))
    return w.IN_A_SERVER


async def _who_may(ctx: commands.Context) -> Phrase:
    """Say for whom a command is."""
    needs = ctx.command.requires if ctx.command is not None else None
    if needs is None or await ctx.bot.is_owner(ctx.author):
        return w.FORBIDDEN
    if needs.privilege_level is commands.PrivilegeLevel.BOT_OWNER:
        return w.FOR_OWNERS
    if ctx.guild is None:
        return w.FOR_OWNERS_IN_DMS
    if needs.user_perms is not None and not ctx.permissions >= needs.user_perms:
        return w.FOR_ADMINS
    # Who could, is kept from it by a rule of Red's.
    return w.FORBIDDEN


def _about_input(ctx: commands.Context, error: Exception) -> Phrase | None:
    """Say what is wrong with what was typed, where Red shows only the help."""
    match error:
        case commands.MissingRequiredArgument(param=param):
            return w.MISSING(name=inline(f"<{param.displayed_name or param.name}>"))
        case commands.BadLiteralArgument(argument=argument):
            values = list(dict.fromkeys(_choices(ctx)))
            return w.NO_SUCH_VALUE(
                given=_quoted(argument), values=", ".join(inline(one) for one in values)
            )
        case commands.ArgumentParsingError():
            return w.ODD_QUOTES
    return None


def _choices(ctx: commands.Context) -> Iterator[str]:
    """Yield the words that a command takes; what is left out counts for the next."""
    params: Any = ctx.command.clean_params.values() if ctx.command is not None else ()
    for param in params:
        for one in (param.annotation, *get_args(param.annotation)):
            if get_origin(one) is Literal:
                yield from map(str, get_args(one))


def _quoted(argument: str) -> str:
    short = argument if len(argument) <= _SHOWN_CHARS else f"{argument[:_SHOWN_CHARS]}…"
    return inline(unfenced(short)) if short.strip() else '""'


def _original(error: Exception) -> Exception:
    """Unwrap what discord.py puts around an error of a hybrid command."""
    if not isinstance(error, commands.HybridCommandError):
        return error
    inner: Exception = error.original
    if isinstance(inner, app_commands.CommandInvokeError):
        return commands.CommandInvokeError(inner.original)
    return inner


async def _leave_to_red(ctx: commands.Context, error: Exception) -> None:
    """Let Red say and log what it has to."""
    # discord.py's signature knows nothing of what Red adds to it.
    bot: Any = ctx.bot
    await bot.on_command_error(ctx, error, unhandled_by_cog=True)
