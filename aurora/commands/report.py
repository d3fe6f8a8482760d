"""What the status commands say: the same sections as embeds, or as text where none may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import discord
from redbot.core import commands

from ..guard.pressing import Menu
from ..services import Services
from ..words import Phrase, say
from ..words.commands import BEYOND

_TITLE_CHARS = 120
_NAME_CHARS = 100
_LINE_CHARS = 300
_NO_NAME = "\u200b"


class _Form(NamedTuple):
    """How much a page holds, in characters; the markup of each field takes `frame`."""

    room: int
    field_room: int
    fields: int
    frame: int


_EMBED = _Form(room=6000 - _TITLE_CHARS, field_room=1024, fields=25, frame=0)
_TEXT = _Form(room=2000 - _TITLE_CHARS, field_room=2000, fields=25, frame=len("\n____\n"))


class Section(NamedTuple):
    """A heading and the lines under it."""

    name: str
    lines: Sequence[str]


@dataclass(slots=True)
class _Page:
    """Fields of a name and a text, as many as there is room for."""

    form: _Form
    fields: list[tuple[str, str]] = field(default_factory=list)
    used: int = 0
    section: Section | None = None

    def take(self, section: Section, line: str) -> bool:
        """Add a line of a section; False if there is no room for it."""
        goes_on = section is self.section
        if goes_on and len(self.fields[-1][1]) + 1 + len(line) <= self.form.field_room:
            name, text = self.fields[-1]
            return self._fit(len(line) + 1, self.fields[:-1], (name, f"{text}\n{line}"))
        name = _NO_NAME if goes_on else section.name
        cost = len(name) + self.form.frame + len(line)
        if not self._fit(cost, self.fields, (name, line)):
            return False
        self.section = section
        return True

    def _fit(self, cost: int, before: list[tuple[str, str]], last: tuple[str, str]) -> bool:
        if self.used + cost > self.form.room or len(before) == self.form.fields:
            return False
        self.used += cost
        self.fields = [*before, last]
        return True


@dataclass(slots=True)
class Report:
    """Sections under a title; what does not fit into one message is on further pages."""

    title: Phrase
    sections: list[Section] = field(default_factory=list)

    def add(self, name: Phrase, lines: Iterable[str], *, beyond: int = 0) -> None:
        """Add a section; one without lines is left out, `beyond` more are only counted."""
        kept = [_shortened(line, _LINE_CHARS) for line in lines]
        if beyond:
            kept.append(say(BEYOND(count=beyond)))
        if kept:
            self.sections.append(Section(_shortened(say(name), _NAME_CHARS), kept))

    def embeds(self, colour: discord.Colour | None = None) -> list[discord.Embed]:
        """Return it as embeds that Discord takes, one a page."""
        embeds = []
        for title, fields in self._paged(_EMBED):
            embed = discord.Embed(title=title, colour=colour)
            for name, value in fields:
                embed.add_field(name=name, value=value, inline=False)
            embeds.append(embed)
        return embeds

    def texts(self) -> list[str]:
        """Return it as messages that Discord takes, one a page."""
        return [
            "\n".join([f"**{title}**", *(f"__{name}__\n{value}" for name, value in fields)])
            for title, fields in self._paged(_TEXT)
        ]

    async def send(
        self,
        ctx: commands.Context,
        services: Services,
        *,
        ephemeral: bool = False,
        picture: discord.File | None = None,
    ) -> None:
        """Answer a command with it, in the form that is wanted and allowed there.

        An `ephemeral` answer to a slash command is for who gave it alone. A picture goes with it.
        """
        quiet = discord.AllowedMentions.none()
        pages: list[Any]  # Red's menu passes on more than its annotation says
        if await ctx.embed_requested():
            embeds = self.embeds(await ctx.embed_colour())
            pages = [{"embed": one, "allowed_mentions": quiet} for one in embeds]
        else:
            pages = [{"content": one, "allowed_mentions": quiet} for one in self.texts()]
        if len(pages) == 1:
            if picture is not None:
                pages[0]["file"] = picture
                if "embed" in pages[0]:
                    pages[0]["embed"].set_image(url=f"attachment://{picture.filename}")
            await ctx.send(**pages[0], ephemeral=ephemeral)
            return
        menu = Menu(pages)
        services.views.add(menu)
        await menu.start(ctx, ephemeral=ephemeral)
        if picture is not None:
            await ctx.send(file=picture, ephemeral=ephemeral)

    def _paged(self, form: _Form) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Yield the title and the fields of each page."""
        pages = [_Page(form)]
        for section in self.sections:
            for line in section.lines:
                if not pages[-1].take(section, line):
                    pages.append(_Page(form))
                    pages[-1].take(section, line)
        title = _shortened(say(self.title), _NAME_CHARS)
        for number, page in enumerate(pages, 1):
            which = f" ({number}/{len(pages)})" if len(pages) > 1 else ""
            yield title + which, page.fields


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
