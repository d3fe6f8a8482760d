"""Progress lines: what tells people how far their run is, and is gone when its answer is there.

A line is recorded before it is posted, so that what a crash leaves of it is found: by its record,
or by its button. Nothing that is done for one is waited for by a run.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import discord

from ..ledger import LedgerError, Store
from ..model import Change, Event, Send, State, Turn
from ..model.progress import Progress
from ..reasons import Reason
from ..words import progress as w
from ..words import say
from .failures import FAILURES, SendFailed, insist
from .languages import Speak
from .lookup import LOOK_BACK
from .places import Place, find_place
from .sender import Sender

log = logging.getLogger("red.aurora.delivery")

STOP_IDS = "aurora:stop:"
"""How the custom ids of the buttons under progress lines begin; an event's id follows."""
_NOTICE_SECONDS = 5.0
"""How long a line may take to become a notice; after that one is posted."""

Start = Callable[[Coroutine[Any, Any, object], str], "asyncio.Task[Any]"]
"""Runs something in the background, under a name."""
Named = Callable[[Event, int], Awaitable[str | None]]
"""Returns how a channel is named where an event came from; None if not all there may know it."""


@dataclass(slots=True, eq=False)
class _Line:
    """The line of an event: what it says, and what it is to say next.

    It may be in Discord under an id that is not known if it is `recorded` without one. Each has a
    `key` of its own: Discord takes the next line of an event for this one if they go by the same.
    """

    event: Event
    key: str
    message_id: int | None = None
    recorded: bool = False
    text: str = ""
    wanted: Progress | None = None
    task: asyncio.Task[Any] | None = None
    posting: bool = False
    over: bool = False


class Lines:
    """Posts, edits and takes away progress lines, one for an event at most."""

    def __init__(
        self,
        bot: discord.Client,
        store: Store,
        sender: Sender,
        *,
        start: Start,
        speak: Speak,
        named: Named,
        stop_view: Callable[[Event], Any],
    ) -> None:
        self._bot = bot
        self._store = store
        self._sender = sender
        self._edits = sender.edits
        self._start = start
        self._speak = speak
        self._named = named
        self._stop_view = stop_view
        self._lines: dict[str, _Line] = {}

    async def restore(self) -> None:
        """Take over what an earlier Aurora left: of whom it has ended a line is taken away.

        Of who is unfinished it stands, and stops the run if it is pressed, until that goes on.
        """
        for event, send in await self._store.lines():
            message_id = send.message_ids[0] if send.message_ids else None
            self._lines[event.id] = _Line(event, send.key, message_id, recorded=True)
            if event.state.final:
                self.remove(event)

    def has(self, event: Event) -> bool:
        """Tell whether an event has a line already."""
        return event.id in self._lines

    def show(self, event: Event, progress: Progress) -> None:
        """Let an event's line say how far it is: as soon as edits may be made, and only then."""
        line = self._lines.get(event.id)
        if line is None:
            key = f"progress:{secrets.token_hex(4)}"
            line = self._lines[event.id] = _Line(event, key)
        if line.over:
            return
        line.event, line.wanted = event, progress
        if line.task is None:
            line.task = self._start(self._keep_up(line), "shows progress")

    def remove(self, event: Event) -> None:
        """Take an event's line away, if it has one."""
        if (line := self._lines.pop(event.id, None)) is not None:
            self._start(self._remove(line), "takes a progress line away")

    def heard(self, change: Change) -> None:
        """Take a line away whose event has ended, or waits again.

        Whoever stops a run says so in its line.
        """
        line = self._lines.get(change.event_id)
        over = change.step == "retrying" or change.step in _FINAL
        if line is not None and over and change.detail != Reason.STOPPED:
            self.remove(line.event)

    async def become(self, event: Event, text: str, key: str, view: Any = None) -> bool:
        """Turn an event's line into a notice; False if that can't be done, or takes long."""
        line = self._lines.pop(event.id, None)
        if line is None:
            return False
        try:
            async with asyncio.timeout(self._sender.patience.call):
                await self._settle(line)
            if line.message_id is not None and await self._turn_into(line, text, key, view):
                return True
        except (*FAILURES, SendFailed, LedgerError) as error:
            log.debug("No notice in place of a line for %s: %r", event.id, error)
        self._start(self._remove(line), "takes a progress line away")
        return False

    # -- what goes on behind

    async def _keep_up(self, line: _Line) -> None:
        """Show what is wanted of a line, the newest each time."""
        try:
            while line.wanted is not None and not line.over:
                await self._say(line)
        except (*FAILURES, SendFailed, LedgerError) as error:
            # The run goes on without: this is the least of what may fail now.
            log.debug("No progress for event %s: %r", line.event.id, error)
            line.over = line.message_id is None or isinstance(error, discord.NotFound)
            line.wanted = None
        finally:
            line.task = None

    async def _say(self, line: _Line) -> None:
        event = line.event
        place = await find_place(self._bot, event, event.channel_id, self._sender.patience)
        if place is None:
            line.over = True
            return
        await self._speak(event.guild_id)
        if line.message_id is None and line.recorded:
            line.message_id = await self._find(line, place)
        wanted, text = await self._text(line)
        if line.message_id is None:
            await self._post(line, place, text)
        elif text != line.text:
            await self._edits.turn(place.id)
            # What it is to say may have changed while others were edited.
            wanted, line.text = await self._text(line)
            message = place.get_partial_message(line.message_id)
            nobody = discord.AllowedMentions.none()
            await message.edit(content=line.text, allowed_mentions=nobody)
        if line.wanted is wanted:
            line.wanted = None

    async def _post(self, line: _Line, place: Place | discord.DMChannel, text: str) -> None:
        event = line.event
        # From here on it may be there: it must not be left before that is known.
        line.posting = line.recorded = True
        try:
            send = await self._sender.send(
                Turn((event,)),
                place,
                text,
                by="progress",
                key=line.key,
                ping=False,
                view=self._stop_view(event),
            )
        finally:
            line.posting = False
        line.message_id, line.text = send.message_ids[0], text

    async def _text(self, line: _Line) -> tuple[Progress | None, str]:
        """Return what a line is to tell now, and how it says that."""
        if (wanted := line.wanted) is None:
            return None, line.text
        doings = [one for one in (wanted.doing, *wanted.calls) if one is not None]
        ids = {one.channel_id for one in doings if one.channel_id is not None}
        names = {one: await self._named(line.event, one) for one in ids}
        return wanted, "\n".join(say(one) for one in w.told(wanted, names))

    async def _settle(self, line: _Line) -> None:
        """Let nothing be under way for a line any more; a post is waited for, an edit is left."""
        line.over = True
        task = line.task
        if task is None or task.done():
            return
        if not line.posting:
            task.cancel()
        await asyncio.wait({task})

    async def _turn_into(self, line: _Line, text: str, key: str, view: Any) -> bool:
        event = line.event
        place = await find_place(self._bot, event, event.channel_id, self._sender.patience)
        if place is None or line.message_id is None:
            return False
        print_ = self._sender.fingerprints.of(text)
        notice = Send(key, "message", "notice", place.id, print_, None, (), length=len(text))
        known = {one.key: one for one in await self._store.sends(event.id)}
        if key in known and known[key].message_ids:
            return False
        await self._sender.begin(event, notice)
        self._edits.take(place.id)
        message = place.get_partial_message(line.message_id)
        nobody = discord.AllowedMentions.none()
        async with asyncio.timeout(_NOTICE_SECONDS):
            await message.edit(content=text, view=view, allowed_mentions=nobody)
        # With the end of the turn, which is written next.
        notice = notice._replace(message_ids=(line.message_id,))
        await self._store.drop_line(event, line.key, notice, lazily=True)
        return True

    async def _remove(self, line: _Line) -> None:
        """Take a line away, and forget it; what can't be taken away now is by the next Aurora."""
        await self._settle(line)
        if not line.recorded:
            return
        event = line.event
        await self._bot.wait_until_ready()
        try:
            place = await find_place(self._bot, event, event.channel_id, self._sender.patience)
            if place is not None:
                await self._delete(line, place)
        except (discord.NotFound, discord.Forbidden):
            # It is gone, or out of reach for good.
            pass
        except (*FAILURES, SendFailed) as error:
            log.info("A progress line of %s was left behind: %r", event.id, error)
            return
        await self._store.drop_line(event, line.key, lazily=True)

    async def _delete(self, line: _Line, place: Place | discord.DMChannel) -> None:
        message_id = line.message_id or await self._find(line, place)
        if message_id is not None:
            message = place.get_partial_message(message_id)
            await insist(message.delete, self._sender.patience.for_answer)

    async def _find(self, line: _Line, place: Place | discord.DMChannel) -> int | None:
        """Look for a line that was posted by an Aurora that died before it knew."""
        wanted, after = f"{STOP_IDS}{line.event.id}", discord.Object(line.event.message_id)
        async for message in place.history(limit=LOOK_BACK, after=after, oldest_first=False):
            if message.author == self._bot.user and wanted in _button_ids(message):
                return message.id
        return None


_FINAL = frozenset(state for state in State if state.final)


def tells_progress(message: discord.Message) -> bool:
    """Tell whether a message of the bot's is a progress line: it is part of no conversation."""
    return any(one.startswith(STOP_IDS) for one in _button_ids(message))


def _button_ids(message: discord.Message) -> set[str]:
    rows = (one for one in message.components if isinstance(one, discord.ActionRow))
    buttons = (one for row in rows for one in row.children if isinstance(one, discord.Button))
    return {one.custom_id for one in buttons if one.custom_id is not None}
