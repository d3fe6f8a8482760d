"""What the demo looks for in another language: whether an English sentence of Aurora's is left."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

import aurora
from doubles.local_discord import Channel, LocalDiscord, Message, User

from .neighbourhood import Neighbourhood
from .transcript import Transcript

_LOCALES = Path(aurora.__file__).with_name("locales")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_PAGE = re.compile(r"\*\D+(\d+)\D+(\d+)\*$", re.MULTILINE)
_LEAST_LETTERS = 12
"""A shorter English text may stand in another by chance, or be the same in both languages."""
COMMANDS = (
    "config show",
    "config replydepth 99",
    "config dm",
    "config budget",
    "config budget calls 0",
    "config userlimit nonsense",
    "config audience",
    "config audience block general general",
    "config memory role nobody",
    "config embedhosts",
    "config channels deny #nowhere",
    "queue status",
    "queue list",
    "queue retry 1",
    "events status",
    "events errors",
    "events pause",
    "events resume",
    "events resetcircuit",
    "memory log",
    "memory undo 1",
    "agents list",
    "agents allow no agent",
    "agents revoke nobody",
    "enable no agent",
    "lettaurl nonsense",
    "context 1",
)
"""What an admin asks for, so that there is something to read."""


def languages() -> list[str]:
    """Return the languages there are beside English, by Red's names."""
    return sorted(path.stem for path in _LOCALES.glob("*.po"))


@cache
def _english(language: str) -> list[tuple[str, re.Pattern[str]]]:
    """Return each English line that the language says otherwise, and what recognises it."""
    with (_LOCALES / f"{language}.po").open("rb") as file:
        texts = [(str(one.id), str(one.string)) for one in read_po(file) if one.id]
    return [
        (line, re.compile(r"\b" + ".+?".join(map(re.escape, _PLACEHOLDER.split(line)))))
        for english, said in texts
        for line in map(str.strip, english.splitlines())
        if line not in said and _letters(line) >= _LEAST_LETTERS and line[0].isalpha()
    ]


def _letters(line: str) -> int:
    return sum(map(str.isalpha, _PLACEHOLDER.sub("", re.sub(r"`[^`]*`", "", line))))


def english_in(text: str, language: str) -> list[str]:
    """Return the English lines in a text for which the language has other words."""
    return [line for line, pattern in _english(language) if pattern.search(text)]


def texts_of(message: Message) -> Iterator[str]:
    """Yield all that a message says: its text, and what stands in its embeds."""
    yield message.content
    for embed in message.embeds:
        yield str(embed.get("title", ""))
        yield str(embed.get("description", ""))
        for one in embed.get("fields", ()):
            yield f"{one['name']}\n{one['value']}"


def _is_last(message: Message) -> bool:
    """Tell whether no more pages of a help follow: "Page 2 of 3" stands above them."""
    above = "".join(str(embed.get("description", "")) for embed in message.embeds)
    found = _PAGE.match(above)
    return found is None or found[1] == found[2]


class Interpreter:
    """Lets the bot speak another language, asks it for all sorts of things, and reads along."""

    def __init__(
        self, discord: LocalDiscord, places: Neighbourhood, transcript: Transcript, language: str
    ) -> None:
        self._discord = discord
        self._places = places
        self._transcript = transcript
        self._language = language
        self._since = 0

    async def begin(self) -> None:
        """Set the bot's language, as its owner does."""
        said = await self._order(self._places.setup, f"!set locale global {self._language}")
        self._since = said.id

    async def end(self) -> list[str]:
        """Ask as an admin does; return which English sentences people got to read meanwhile."""
        self._transcript.heading(f"What an admin reads in {self._language}")
        for command in (
            "aurora",
            "aurora config",
            "aurora config ratelimit",
            "aurora memory",
            "aurora agents",
        ):
            await self._order(self._places.setup, f"!help {command}")
        for command in COMMANDS:
            await self._order(self._places.setup, f"!aurora {command}")
        return self.left(self._said_since(self._since))

    def left(self, messages: Iterable[Message]) -> list[str]:
        """Return what is English in messages."""
        found = (text for message in messages for text in texts_of(message))
        left = (line for text in found for line in english_in(text, self._language))
        return [f"English in {self._language}: {line}" for line in dict.fromkeys(left)]

    async def _order(self, channel: Channel, command: str) -> Message:
        """Give a command, and return the bot's first answer.

        Red sends a help of many pages as a direct message.
        """
        said = self._discord.say(self._owner, channel, command)
        self._transcript.line(said)
        places = channel, self._discord.open_dm(self._owner)

        def answered() -> list[Message]:
            pages = [one for one in self._said_since(said.id) if one.channel in places]
            return pages if pages and _is_last(pages[-1]) else []

        answers: list[Message] = await self._discord.wait_for(answered, 20.0)
        for answer in answers:
            self._transcript.line(answer)
        return answers[0]

    def _said_since(self, message_id: int) -> list[Message]:
        world = self._discord.world
        return [
            one
            for key, one in world.messages.items()
            if key > message_id and one.author is world.bot
        ]

    @property
    def _owner(self) -> User:
        return self._places.ada
