"""A conversation written to a terminal as it happens."""

from __future__ import annotations

import re
import sys
from time import monotonic
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from doubles.local_discord import DM, Channel, LocalDiscord, Message

_MENTION = re.compile(r"<@!?(\d+)>")
_NARROWEST, _WIDEST = 60, 120


class Transcript:
    """Prints who says what where, and when, with colour only on a terminal.

    Args:
        discord: knows the names.
        out: where to print.

    """

    def __init__(self, discord: LocalDiscord, out: TextIO = sys.stdout) -> None:
        self._discord = discord
        self._console = Console(file=out, highlight=False)
        self._console.width = max(_NARROWEST, min(self._console.width, _WIDEST))
        self._began = monotonic()

    def heading(self, text: str) -> None:
        """Start a scene."""
        self._console.print()
        self._console.print(Text(text, "bold"))

    def line(self, message: Message, *, took: float | None = None) -> None:
        """Print a message; `took` is how many seconds an answer was waited for."""
        author, answered = message.author, message.referenced
        arrow = "" if answered is None else f"↪ {answered.author.name}: "
        row = Table.grid(padding=(0, 2, 0, 0))
        row.add_column(width=6, justify="right", style="dim")
        row.add_column(width=15, style="dim")
        row.add_column(width=7, style="cyan" if author.bot else "bold")
        row.add_column(ratio=1)
        row.add_column(width=7, justify="right", style="dim")
        row.add_row(
            f"{monotonic() - self._began:.2f}",
            Text(place(message.channel)),
            Text(author.name),
            Text(arrow + self._plain(message.content)),
            "" if took is None else f"{took:.2f} s",
        )
        self._console.print(row)

    def verdict(self, text: str, *, good: bool) -> None:
        """Print how it ended."""
        self._console.print(Text(text, "green" if good else "red"), soft_wrap=True)

    def _plain(self, content: str) -> str:
        users = self._discord.world.users

        def name(match: re.Match[str]) -> str:
            user = users.get(int(match[1]))
            return f"@{user.name}" if user else match[0]

        return _MENTION.sub(name, content)


def place(channel: Channel) -> str:
    """Name a channel for people."""
    return "DM" if channel.type == DM else f"#{channel.name}"
