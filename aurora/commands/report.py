"""What the status commands say: the same sections as an embed, or as text where none may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import discord
from redbot.core import commands

_FIELD_CHARS = 1024
_EMBED_CHARS = 6000
_TEXT_CHARS = 2000
_NAME_CHARS = 100
_LINE_CHARS = 300
# Room for "… and 100000 more" is kept for each section that is still to come.
_LEAST_CHARS = 20
# Long sections take several of an embed's 25 fields: at most eight more, as lines are short.
_SECTIONS = 17
_MORE_FIELDS = 8
_NO_NAME = "\u200b"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the lines under it."""

    name: str
    lines: Sequence[str]
    beyond: int = 0
    """How many more lines there are than were looked up."""


@dataclass(slots=True)
class Report:
    """Sections under a title. What does not fit is counted, never left out in silence."""

    title: str
    sections: list[Section] = field(default_factory=list)

    def add(self, name: str, *lines: str, beyond: int = 0) -> None:
        """Add a section; one without lines is left out, `beyond` more are only counted."""
        if lines:
            self.sections.append(Section(name, lines, beyond))

    def embed(self, colour: discord.Colour | None = None) -> discord.Embed:
        """Return it as an embed that Discord takes."""
        title = _shortened(self.title, _NAME_CHARS)
        embed = discord.Embed(title=title, colour=colour)
        for name, value in self._fitted(_EMBED_CHARS - _MORE_FIELDS - len(title), frame=0):
            first, *more = _parts(value)
            embed.add_field(name=name, value=first, inline=False)
            for part in more:
                embed.add_field(name=_NO_NAME, value=part, inline=False)
        return embed

    def text(self) -> str:
        """Return it as a message that Discord takes."""
        title = f"**{_shortened(self.title, _NAME_CHARS)}**"
        fitted = self._fitted(_TEXT_CHARS - len(title), frame=len("\n____\n"))
        return "\n".join([title, *(f"__{name}__\n{value}" for name, value in fitted)])

    async def send(self, ctx: commands.Context) -> None:
        """Answer a command with it, in the form that is wanted and allowed there."""
        quiet = discord.AllowedMentions.none()
        if await ctx.embed_requested():
            await ctx.send(embed=self.embed(await ctx.embed_colour()), allowed_mentions=quiet)
        else:
            await ctx.send(self.text(), allowed_mentions=quiet)

    def _fitted(self, room: int, *, frame: int) -> list[tuple[str, str]]:
        """Cut the sections to `room` characters in all; the markup of each takes `frame`."""
        sections = self._shown(room, frame)
        names = [section.name for section in sections]
        fitted = []
        for index, (name, section) in enumerate(zip(names, sections, strict=True)):
            later = sum(len(one) + frame + _LEAST_CHARS for one in names[index + 1 :])
            value = cut(section.lines, room - later - len(name) - frame, section.beyond)
            room -= len(name) + frame + len(value)
            fitted.append((name, value))
        return fitted

    def _shown(self, room: int, frame: int) -> list[Section]:
        """Return as many sections as there is room for a little of each, and say what is left."""
        every = [replace(one, name=_shortened(one.name, _NAME_CHARS)) for one in self.sections]
        shown = every[:_SECTIONS]
        while sum(len(one.name) + frame + _LEAST_CHARS for one in shown) > room:
            del shown[-1]
        if len(shown) < len(every):
            left = len(every) - len(shown) + 1
            shown[-1] = Section("More", [f"… {left} sections"])
        return shown


def cut(lines: Sequence[str], limit: int, beyond: int = 0) -> str:
    """Join as many lines as fit into `limit` characters; say how many do not, or are `beyond`."""
    lines = [_shortened(line, _LINE_CHARS) for line in lines]
    for kept in range(len(lines), 0, -1):
        left = len(lines) - kept + beyond
        text = "\n".join([*lines[:kept], *([f"… and {left} more"] if left else [])])
        if len(text) <= limit:
            return text
    return f"… {len(lines) + beyond} lines"[: max(limit, 1)]


def _parts(text: str) -> list[str]:
    """Split a text between its lines into parts that fit into a field."""
    parts = [""]
    for line in text.split("\n"):
        joined = f"{parts[-1]}\n{line}".removeprefix("\n")
        if len(joined) <= _FIELD_CHARS:
            parts[-1] = joined
        else:
            parts.append(line)
    return parts


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
