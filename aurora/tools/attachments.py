"""The files of messages, opened for an agent: those of a turn at once, earlier ones one by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Literal, NamedTuple

import discord

from ..agents.protocol import AgentBackend, PictureTeller
from ..agents.sight import Sight
from ..chat.failures import FAILURES, explain, insist
from ..chat.places import find_place
from ..context.attachments import Opener, Room, found_attachments
from ..files import Attachment, File, Opened
from ..guard.links import urls_in
from ..guard.looking import Guard
from ..guard.policy import Act, Denied, Target
from ..model import Quote, Turn

MOST_FILES = 10
"""How many files of one turn are opened."""
GATHER_SECONDS = 20.0
"""How long all files of a turn may take."""

_Whose = Literal["current", "earlier", "chain"]
_LATE = Opened("not shown, for there was no time left for it")
_GONE = Opened("not shown, for its message was deleted")
_TOO_MANY = Opened(f"not shown: at most {MOST_FILES} files are, at a time")
_NOT_BY_TOOL = (
    "which this tool cannot show on this server: you get to see it when the person replies to "
    "that message and mentions you"
)


class _Wanted(NamedTuple):
    file: File
    whose: _Whose


class Files:
    """Opens the files of turns: the asker's first, then those of the reply chain, nearest first.

    They are fetched anew, by what their message says of them now: an address expires, and what
    was deleted meanwhile is not shown. `server` returns the backend in use; `folder` is Aurora's
    own, where libraries may be installed.
    """

    def __init__(
        self,
        bot: discord.Client,
        guard: Guard,
        server: Callable[[], AgentBackend | None] = lambda: None,
        folder: Path | None = None,
        *,
        opener: Opener | None = None,
        seconds: float = GATHER_SECONDS,
    ) -> None:
        self._bot = bot
        self._guard = guard
        self._opener = opener or Opener(bot, folder)
        self._sight = Sight()
        self._server = server
        self._seconds = seconds

    async def gather(self, turn: Turn) -> tuple[Attachment, ...]:
        """Open what came with a turn's messages; raise AgentError.

        What can't be shown is told of in words.
        """
        wanted, room = _wanted(turn), Room(lambda: self._sees(turn.agent_id))
        opened: list[Opened] = []
        try:
            async with asyncio.timeout(self._seconds):
                async for one in self._open(turn, wanted[:MOST_FILES], room):
                    opened.append(one)  # noqa: PERF401 - what is there counts when time is up
        except TimeoutError:
            opened += [_LATE] * (min(len(wanted), MOST_FILES) - len(opened))
        opened += [_TOO_MANY] * (len(wanted) - len(opened))
        gathered = tuple(
            Attachment(one.file, one.whose, what) for one, what in zip(wanted, opened, strict=True)
        )
        turn.heard |= frozenset(url for one in opened for url in urls_in(one.text or ""))
        return gathered

    async def view(self, agent_id: str, message: discord.Message, file: File) -> Opened:
        """Open one file of a message, as far as a tool's result can hold it; raise AgentError."""
        opened = await self._find(message, file, Room(lambda: self._sees(agent_id)))
        if opened.picture is not None and not isinstance(self._server(), PictureTeller):
            return Opened(f"{opened.about}, {_NOT_BY_TOOL}")
        return opened

    async def _sees(self, agent_id: str | None) -> bool:
        backend = self._server()
        return (
            backend is not None
            and agent_id is not None
            and await self._sight.sees(backend, agent_id)
        )

    async def _open(self, turn: Turn, wanted: list[_Wanted], room: Room) -> AsyncIterator[Opened]:
        messages: dict[str, discord.Message | Opened] = {}
        for file, whose in wanted:
            key = file["message_id"]
            if key not in messages:
                messages[key] = await self._message(turn, file, own=whose != "chain")
            found = messages[key]
            yield found if isinstance(found, Opened) else await self._find(found, file, room)

    async def _find(self, message: discord.Message, file: File, room: Room) -> Opened:
        for found in found_attachments(message):
            if str(found.id) == file["id"]:
                return await self._opener.open(file, found.url, room)
        return Opened("not shown, for it was taken off its message")

    async def _message(self, turn: Turn, file: File, *, own: bool) -> discord.Message | Opened:
        """Return a message as it is now, or why it can't be had.

        What others wrote is read with the rights that the asker has now (promise 11).
        """
        event, patience = turn.speaker, self._guard.patience
        message_id, channel_id = int(file["message_id"]), int(file["channel_id"])
        try:
            if own:
                place = await find_place(self._bot, event, event.channel_id, patience)
            else:
                answer = await self._guard.ask(turn, Act.READ, Target(channel_id))
                if isinstance(answer, Denied):
                    return Opened(f"not shown. {answer.text}")
                place = answer.place
            if place is None:
                return _GONE
            return await insist(lambda: place.fetch_message(message_id), patience)
        except discord.NotFound:
            return _GONE
        except discord.Forbidden as error:
            # Without the right to read the history the bot has what it heard itself.
            heard = discord.utils.get(self._bot.cached_messages, id=message_id)
            return heard or Opened(f"not shown. {explain(error)}")
        except FAILURES as error:
            return Opened(f"not shown. {explain(error)}")


def _wanted(turn: Turn) -> list[_Wanted]:
    """List the files of a turn's messages and their chains, each once, the most wanted first."""
    contexts = [event.context for event in reversed(turn.events)]
    quotes: list[tuple[Quote, _Whose]] = []
    for index, one in enumerate(contexts):
        quotes.append((one["message"], "earlier" if index else "current"))
    quotes += [(quote, "chain") for one in contexts for quote in reversed(one["chain"])]
    found: dict[str, _Wanted] = {}
    for quote, whose in quotes:
        for file in quote.get("files", ()):
            found.setdefault(file["id"], _Wanted(file, whose))
    return list(found.values())
