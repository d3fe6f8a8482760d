"""What several commands do while a person waits for them."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import discord
from redbot.core import commands
from redbot.core.utils.chat_formatting import box

from ..chat.splitting import shorten
from ..guard.pressing import Question
from ..services import Services
from ..words import Phrase, say


async def tell(ctx: commands.Context, what: Phrase, **options: Any) -> discord.Message:
    """Answer a command, in the language and with the prefix of who gave it."""
    sent: discord.Message = await ctx.send(say(what, await prefix_for(ctx)), **options)
    return sent


async def refuse(ctx: commands.Context, why: Phrase) -> None:
    """Say why a command did nothing; of a slash command nobody else has to read it."""
    await tell(ctx, why, ephemeral=True)


async def prefix_for(ctx: commands.Context) -> str:
    """Return the prefix behind which every command works that an answer may name."""
    if ctx.interaction is None:
        return ctx.clean_prefix
    # Not all are slash commands, nor is any that was not synced.
    prefixes: list[str] = await ctx.bot.get_valid_prefixes(ctx.guild)
    return prefixes[0]


async def confirm(ctx: commands.Context, services: Services, question: Phrase) -> bool:
    """Ask the author of a command; no answer in time is a no."""
    return bool(await ask(ctx, services, question))


async def ask(ctx: commands.Context, services: Services, question: Phrase) -> bool | None:
    """Ask the author of a command; None if there is no answer in time."""
    view = Question(ctx, timeout=services.answer_seconds)
    services.views.add(view)
    view.message = await tell(ctx, question, view=view)
    await view.wait()
    return view.result


def working(ctx: commands.Context) -> AbstractAsyncContextManager[Any]:
    """Show that the answer takes a moment; Discord waits three seconds for a slash command's."""
    if ctx.interaction is not None and ctx.interaction.response.is_done():
        return nullcontext()
    return ctx.typing()


def unfenced(text: str) -> str:
    """Make a text safe in a box: no run of backticks, however long, ends it."""
    return text.replace("`", "`\u200b")


def boxed(text: str, limit: int) -> str:
    """Put a text of others, of so many characters at most, into a box."""
    return box(shorten(unfenced(text), limit))
