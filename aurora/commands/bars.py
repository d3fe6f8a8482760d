"""Days as bars: a picture where Pillow is there, and the channel takes one; else a text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

import discord
from redbot.core import commands
from redbot.core.utils.chat_formatting import humanize_number

from ..context.child import ChildFailed, NoLibrary
from ..model import Used
from ..model.usage import date_of
from ..runs.usage import Summary
from ..services import Services

FILE_NAME = "usage.png"
COLOURS = ("#3498db", "#9b59b6", "#e67e22")
"""Those of the squares that the legend shows: blue, purple, orange."""

_MOST_BARS = 31
_MOST_BYTES = 500_000
_CHARS = 16


class Bar(NamedTuple):
    """Some days together, named for the first of them."""

    name: str
    used: Used

    @property
    def parts(self) -> tuple[int, int, int]:
        """Return the tokens of the prompt that were not cached, those that were, and the rest."""
        used = self.used
        return max(0, used.prompt - used.cached), min(used.cached, used.prompt), used.completion


def bars(summary: Summary, since: int, today: int) -> Iterator[Bar]:
    """Yield the days in order, several to a bar where they are many."""
    step = math.ceil((today - since + 1) / _MOST_BARS)
    for first in range(since, today + 1, step):
        used = Used(first)
        for day in range(first, first + step):
            if day in summary.days:
                used = used.plus(summary.days[day])
        yield Bar(f"{date_of(first):%m-%d}", used)


def as_lines(summary: Summary, since: int, today: int) -> Iterator[str]:
    """Yield a line for each bar that has any runs."""
    found = [one for one in bars(summary, since, today) if one.used.runs]
    most = max((one.used.tokens for one in found), default=0) or 1
    for name, used in found:
        bar = "█" * math.ceil(_CHARS * used.tokens / most)
        unknown = " + ?" if used.unknown else ""
        yield f"`{name}` {bar} {humanize_number(used.tokens)}{unknown}"


async def as_picture(
    ctx: commands.Context, services: Services, summary: Summary, since: int, today: int
) -> discord.File | None:
    """Draw the bars, in another process; None where that can't be done, or sent."""
    if not summary.total.tokens or not ctx.bot_permissions.attach_files:
        return None
    drawn = [(one.name, one.parts, one.used.unknown > 0) for one in bars(summary, since, today)]
    try:
        made = await services.drawing.work(
            "chart", json.dumps(drawn).encode(), most=_MOST_BYTES, colours=COLOURS
        )
    except (NoLibrary, ChildFailed):
        return None
    return discord.File(BytesIO(made.data), FILE_NAME)
