"""What several commands do while a person waits for them."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from redbot.core import commands
from redbot.core.utils.views import ConfirmView

from ..services import Services


async def confirm(ctx: commands.Context, services: Services, question: str) -> bool:
    """Ask the author of a command; no answer in time is a no."""
    return bool(await ask(ctx, services, question))


async def ask(ctx: commands.Context, services: Services, question: str) -> bool | None:
    """Ask the author of a command; None if there is no answer in time."""
    view = ConfirmView(ctx.author, timeout=services.answer_seconds, disable_buttons=True)
    services.views.add(view)
    view.message = await ctx.send(question, view=view)
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
