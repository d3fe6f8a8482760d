"""A list of settings, in as many messages as it takes."""

from __future__ import annotations

from collections.abc import Iterable

from redbot.core import commands
from redbot.core.utils.chat_formatting import box, pagify

from ..words import Phrase, say

Row = tuple[str, str, Phrase | None]
"""A setting: its name, its value, and what values it takes."""

_LONGEST = 2000
_PAGE = 1900


async def show_rows(ctx: commands.Context, rows: Iterable[Row], below: str) -> None:
    """Show settings, and a text below them; in other languages they take more room."""
    table = "\n".join(_line(*row) for row in rows)
    if len(whole := box(table) + below) <= _LONGEST:
        await ctx.send(whole)
        return
    for page in pagify(table, page_length=_PAGE):
        await ctx.send(box(page))
    await ctx.send(below)


def _line(name: str, value: str, values: Phrase | None) -> str:
    return f"{name:<16} {value:<6} {'' if values is None else say(values)}".rstrip()
