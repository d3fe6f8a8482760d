"""What a text becomes that is too long for one message: several, the last one with a file."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

import discord

from ..guard.pressing import options_under
from ..model import Ballot
from ..words import cutting, say
from .places import Place
from .splitting import LIMIT, split_message

_MOST_BYTES = 8 * 2**20  # of a file; Discord takes 10 MB from a bot


class Part(NamedTuple):
    """One message: its text, what stands in a file of that name, a poll, or buttons to choose."""

    text: str
    name: str = ""
    content: bytes = b""
    ballot: Ballot | None = None
    options: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """Return what the message is recognised by."""
        poll = self.ballot and (self.ballot.question, *self.ballot.answers)
        return _said(self.text, (self.name, *(poll or ())))

    def beside(self, event_id: str) -> dict[str, Any]:
        """Return what discord.py is to send beside the text; anew for each try."""
        if self.options:
            return {"view": options_under(event_id, self.options)}
        if self.ballot is not None:
            duration = timedelta(hours=self.ballot.hours)
            poll = discord.Poll(self.ballot.question, duration, multiple=self.ballot.multiple)
            for answer in self.ballot.answers:
                poll.add_answer(text=answer)
            return {"poll": poll}
        if not self.name:
            return {}
        return {"file": discord.File(io.BytesIO(self.content), filename=self.name)}


def said_in(message: discord.Message) -> str:
    """Return what a message is recognised by, as `Part.said` has it."""
    names = [one.filename for one in message.attachments]
    poll = message.poll
    answers = [one.text for one in poll.answers] if poll is not None else []
    return _said(message.content, (*names, *([poll.question] if poll else []), *answers))


def _said(text: str, more: Iterable[str]) -> str:
    return "\n".join(one for one in (text, *more) if one)


def in_messages(text: str) -> list[Part]:
    """Split a text into messages; none if there is nothing to say."""
    return [Part(one) for one in split_message(text)]


def with_file(parts: list[Part], most: int, text: str, name: str) -> list[Part]:
    """Keep so many messages of a text, the last of them with the rest of it in a Markdown file."""
    kept = parts[: most - 1]
    rest = "\n".join(one.text for one in parts[most - 1 :]) if kept else text
    content = rest.encode()
    if len(content) > _MOST_BYTES:
        content = content[:_MOST_BYTES].decode(errors="ignore").encode()
    file = f"text-{name}.md"
    told = cutting.REST_IN_FILE if kept else cutting.IN_FILE
    # The name is in the line, by which the message is found again.
    return [*kept, Part(say(told(count=len(rest), file=file)), file, content)]


def cut_short(parts: list[Part], most: int) -> list[Part]:
    """Keep so many messages of a text; the last one says how much is missing."""
    missing = sum(len(one.text) for one in parts[most - 1 :])
    if most > 1:
        return [*parts[: most - 1], Part(say(cutting.TOO_MANY(count=missing)))]
    told = say(cutting.TOO_MANY(count=missing))
    (first, *_) = split_message(parts[0].text, LIMIT - len(told) - 1)
    return [Part(f"{first}\n{say(cutting.TOO_MANY(count=missing - len(first)))}")]


def may_attach(channel: Place | discord.DMChannel, author_id: int) -> bool:
    """Tell whether the bot may send files there, and the person for whom it is done."""
    if isinstance(channel, discord.DMChannel):
        return True
    guild = channel.guild
    # Of somebody who is in no cache it is asked what everybody may.
    author = guild.get_member(author_id) or guild.default_role
    return all(channel.permissions_for(one).attach_files for one in (guild.me, author))
