"""A conversation written to a terminal as it happens."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from time import monotonic
from typing import TextIO

from doubles.local_discord import LocalDiscord, Message
from doubles.local_discord.model import DM, Channel

_MENTION = re.compile(r"<@!?(\d+)>")
_DIM, _BOLD, _BOT, _GOOD, _BAD, _PLAIN = "2", "1", "36", "32", "31", "0"


class Transcript:
    """Prints who says what where, and when, with colour only on a terminal.

    Args:
        discord: knows the names.
        out: where to print.

    """

    def __init__(self, discord: LocalDiscord, out: TextIO = sys.stdout) -> None:
        self._discord = discord
        self._out = out
        self._colour = out.isatty()
        self._width = max(60, min(shutil.get_terminal_size((100, 24)).columns, 120))
        self._began = monotonic()

    def heading(self, text: str) -> None:
        """Start a scene."""
        self._print(f"\n{self._paint(text, _BOLD)}")

    def line(self, message: Message, *, took: float | None = None) -> None:
        """Print a message; `took` is how many seconds an answer was waited for."""
        author = message.author
        at = f"{monotonic() - self._began:6.2f}"
        where, who = f"{place(message.channel):<15}", f"{author.name:<7}"
        head = f"{at}  {where} {who}"
        arrow = ""
        if message.referenced is not None:
            arrow = f"↪ {message.referenced.author.name}: "
        after = "" if took is None else f"  {took:.2f} s"
        room = self._width - len(head) - 2
        lines = textwrap.wrap(arrow + self._plain(message.content), room - len(after)) or [""]
        shown = self._paint(who, _BOT if author.bot else _BOLD)
        first = f"{self._paint(at, _DIM)}  {self._paint(where, _DIM)} {shown}  {lines[0]}"
        self._print(first + self._paint(after, _DIM))
        for more in lines[1:]:
            self._print(" " * (len(head) + 2) + more)

    def verdict(self, text: str, *, good: bool) -> None:
        """Print how it ended."""
        self._print(self._paint(text, _GOOD if good else _BAD))

    def _plain(self, content: str) -> str:
        users = self._discord.world.users

        def name(match: re.Match[str]) -> str:
            user = users.get(int(match[1]))
            return f"@{user.name}" if user else match[0]

        return _MENTION.sub(name, content)

    def _paint(self, text: str, colour: str) -> str:
        return f"\033[{colour}m{text}\033[{_PLAIN}m" if self._colour else text

    def _print(self, text: str) -> None:
        print(text, file=self._out, flush=True)


def place(channel: Channel) -> str:
    """Name a channel for people."""
    return "DM" if channel.type == DM else f"#{channel.name}"
