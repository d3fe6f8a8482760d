"""What a group of commands says by itself: which there are for who asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..words import commands as w
from .asking import prefix_for, tell, unfenced

_TYPED_CHARS = 50


async def show_commands(ctx: commands.Context) -> None:
    """Show a group's commands to who may use any of them, unless one of them was given."""
    group = ctx.command
    if ctx.invoked_subcommand is not None or not isinstance(group, commands.Group):
        return
    if not await _any_for(ctx, group):
        await tell(ctx, w.NOTHING_FOR_YOU)
        return
    if ctx.subcommand_passed:
        typed = unfenced(ctx.subcommand_passed[:_TYPED_CHARS])
        name = f"{await prefix_for(ctx)}{group.qualified_name} {typed}"
        await tell(ctx, w.NO_SUCH_COMMAND(name=inline(name)))
    await ctx.send_help()


async def _any_for(ctx: commands.Context, group: commands.Group) -> bool:
    """Tell whether there is a command for who asks."""
    found: Iterator[Any] = group.walk_commands()  # of Red's, which the annotation does not say
    for one in found:
        if not isinstance(one, commands.Group) and await one.can_see(ctx):
            return True
    return False
