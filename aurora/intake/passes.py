"""Passes: one over each guild that missed something; live messages wait for it in their lines."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import aiohttp
import discord
from redbot.core.bot import Red

from ..ids import written_at
from ..ledger import LedgerError, Store
from ..model import Unread
from .authors import with_member
from .gaps import Written
from .lines import Line, place_anew
from .receiving import Intake

log = logging.getLogger("red.aurora.catchup")

WINDOW_SECONDS = 10 * 60.0
"""How old a missed message may be to be answered still."""
_AT_ONCE = 4
_PATIENCE = (1.0, 30.0)
_TROUBLE = (discord.DiscordException, aiohttp.ClientError, OSError)


class Bounds(NamedTuple):
    """How much is read of a guild, and how long that may take, in seconds.

    Of a channel the latest `messages` are read, of `channels` and `dms` those written in last. A
    live message waits for older ones no longer than `whole` from when its guild came, if Discord
    is slow. What was heard is kept every `heartbeat`.
    """

    messages: int = 50
    channels: int = 200
    dms: int = 500
    channel: float = 10.0
    whole: float = 60.0
    heartbeat: float = 10.0


class Missed(NamedTuple):
    """What to read of a channel: what is above `floor` and not above `ceiling`.

    discord.py knows neither the channels of direct messages nor where they end. `since` is the
    last message that was heard around there. Where only a line has to end, nothing is read.
    """

    channel_id: int
    floor: int
    since: int = 0
    channel: Written | None = None
    ceiling: int | None = None

    def unread(self, guild_id: int, until: int) -> Unread:
        """Return what of it nobody looked at, up to a message."""
        since = self.since or self.floor
        return Unread(guild_id or None, self.channel_id, written_at(since), written_at(until))


class _Found(NamedTuple):
    """What stands in a gap, if that is known, and what of it is wanted."""

    read: Sequence[discord.Message] = ()
    wanted: Sequence[discord.Message] = ()


@dataclass(frozen=True, slots=True)
class Pass:
    """One way through a guild: what to read, until when (in the loop's time).

    It begins at `now`; what is older than `oldest` comes too late to be answered. Both are ids.
    """

    guild_id: int
    places: Sequence[Missed]
    until: float
    now: int
    oldest: int
    bounds: Bounds
    taken: list[int] = field(default_factory=list)


class Passes:
    """Reads what guilds missed, a few channels at a time, and hands it on with what waited.

    `read` is told of each channel that was read, and up to where; `ended` of each guild whose pass
    is over; `unread` of what was not looked at. A guild has one pass: a later one takes its place.
    """

    def __init__(
        self,
        bot: Red,
        store: Store,
        intake: Intake,
        *,
        read: Callable[[int, int, int], None],
        ended: Callable[[int], None],
        unread: Callable[[Unread], None],
    ) -> None:
        self._bot = bot
        self._store = store
        self._intake = intake
        self._was_read = read
        self._ended = ended
        self._unread = unread
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._current: dict[int, Pass] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.loaded_at = 0
        """The last message before the cog's listeners began to hear."""

    @property
    def busy(self) -> bool:
        """Whether any pass is under way."""
        return bool(self._current)

    def start(self, one: Pass) -> None:
        """Begin a pass; one of the same guild that is under way takes nothing in any more."""
        self._current[one.guild_id] = one
        task = asyncio.create_task(self._run(one), name=f"aurora catch-up of {one.guild_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End all passes where they are."""
        for task in (tasks := set(self._tasks)):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self, one: Pass) -> None:
        async with asyncio.TaskGroup() as group:
            for place in one.places:
                group.create_task(self._try(one, place))
        if not self._is_current(one):
            return
        del self._current[one.guild_id]
        self._ended(one.guild_id)
        if read := [place for place in one.places if place.ceiling is not None]:
            taken = sum(one.taken)
            log.info("Caught up in %d channels: %d missed messages", len(read), taken)

    async def _try(self, one: Pass, place: Missed) -> None:
        try:
            await self._catch_up(one, place)
        except Exception as error:
            # The other channels are read all the same.
            log.exception("Channel %d can't be caught up", place.channel_id, exc_info=error)

    def _is_current(self, one: Pass) -> bool:
        return self._current.get(one.guild_id) is one

    async def _catch_up(self, one: Pass, place: Missed) -> None:
        """Take in what was missed in a channel, then what waited for it."""
        found = await self._insist(one, place)
        async with self._intake.in_order(place.channel_id):
            # A newer session's pass reads it anew, with what was missed since.
            if not self._is_current(one):
                return
            line = self._intake.lines.close(one.guild_id, place.channel_id, place.ceiling or 0)
            await self._intake.receive_missed(self._merged(place, found, line))
            one.taken.append(len(found.wanted))
            self._was_read(one.guild_id, place.channel_id, place.ceiling or 0)

    async def _insist(self, one: Pass, place: Missed) -> _Found:
        """Find what was missed, however long the ledger can't tell what of it is known."""
        loop, (pause, longest), until = asyncio.get_running_loop(), _PATIENCE, one.until
        while self._is_current(one):
            try:
                return await self._find(one, place, until)
            except LedgerError as error:
                log.warning("Channel %d will be read again: %s", place.channel_id, error)
            if loop.time() >= one.until:
                await self._let_go(one, place)
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)
            # Once more, it has its time anew.
            until = max(one.until, loop.time() + one.bounds.channel)
        return _Found()

    async def _let_go(self, one: Pass, place: Missed) -> None:
        """Hand on what has waited too long: where nothing can be kept its authors see that."""
        async with self._intake.in_order(place.channel_id):
            if self._is_current(one):
                # What came before its guild is read with what was missed.
                line = self._intake.lines.close(one.guild_id, place.channel_id, 0)
                await self._intake.receive_missed(self._merged(place, _Found(), line))

    async def _find(self, one: Pass, place: Missed, until: float) -> _Found:
        """Return what stands in a channel's gap and may be answered; tell of what may not.

        Raise LedgerError if that can't be known now.
        """
        if place.ceiling is None:
            return _Found()
        try:
            async with asyncio.timeout_at(until), self._slots:
                if not self._is_current(one):
                    return _Found()
                async with asyncio.timeout(one.bounds.channel):
                    found = await self._read(one, place)
                kept = [
                    message for message in found[-one.bounds.messages :] if message.id > one.oldest
                ]
                cut = found[: len(found) - len(kept)]
                if cut and await self._matters(found, cut, one):
                    self._unread(place.unread(one.guild_id, cut[-1].id))
                return _Found(kept, [message for message in kept if await self._wanted(message)])
        except _TROUBLE as error:
            why = str(error) or "Discord is too slow; live messages go on"
            log.warning("Channel %d can't be read: %s", place.channel_id, why)
        except LedgerError:
            raise
        except Exception as error:
            log.exception("Channel %d can't be caught up", place.channel_id, exc_info=error)
        if self._is_current(one):
            self._unread(place.unread(one.guild_id, place.ceiling or one.now))
        return _Found()

    async def _read(self, one: Pass, place: Missed) -> Sequence[discord.Message]:
        """Return the latest messages of a gap, oldest first; one too many if these are not all."""
        channel = place.channel or self._bot.get_partial_messageable(
            place.channel_id, type=discord.ChannelType.private
        )
        history = channel.history(
            limit=one.bounds.messages + 1,
            before=discord.Object(place.ceiling + 1) if place.ceiling else None,
            after=discord.Object(place.floor),
            oldest_first=False,
        )
        return [message async for message in history][::-1]

    async def _matters(
        self, found: Sequence[discord.Message], cut: Sequence[discord.Message], one: Pass
    ) -> bool:
        """Tell whether somebody may wait in vain behind what is too much or too old."""
        # Where that is known, all before it is: of direct messages every one is.
        if len(found) > one.bounds.messages and not await self._is_known(found[0]):
            return True
        return any([await self._wanted(message) for message in cut])

    async def _is_known(self, message: discord.Message) -> bool:
        """Tell whether a message was accepted or refused before, or is the bot's own."""
        if message.author == self._bot.user or await self._store.find(message.id):
            return True
        return await self._store.refusal(message.id) is not None

    async def _wanted(self, message: discord.Message) -> bool:
        """Tell whether a message addresses the bot and was never seen, as the listener would."""
        triggers = self._intake.triggers
        if not triggers.may_ask(message) or not triggers.may_address(message):
            return False
        if self._was_heard(message) or await self._is_known(message):
            return False
        # A missed command is not run, and not for the agent either.
        return await with_member(message) and await triggers.why_not(message) is None

    def _was_heard(self, message: discord.Message) -> bool:
        """Tell whether a guild's message came live, and so was looked at as it was then."""
        if message.guild is None or message.id <= self.loaded_at:
            return False
        if message.id in self._intake.lines.unheard(message.channel.id):
            return False
        return any(one.id == message.id for one in self._bot.cached_messages)

    def _merged(self, place: Missed, found: _Found, line: Line) -> Sequence[discord.Message]:
        """Return what was missed and what waited, in the order in which it was written."""
        batch = {message.id: place_anew(message, self._bot) for message in line.messages.values()}
        if found.read:
            # What waited through the loss of a session is gone if it can't be read any more.
            read = {message.id for message in found.read}
            span = range(min(read), (place.ceiling or max(read)) + 1)
            batch = {one: batch[one] for one in batch if one in read or one not in span}
        batch |= {message.id: message for message in found.wanted}
        edited = _edited(batch, line.edits)
        may_address = self._intake.triggers.may_address
        return [
            message
            for message_id, message in sorted(edited.items())
            if message_id not in line.edits or may_address(message)
        ]


def _edited(
    batch: Mapping[int, discord.Message], edits: Mapping[int, discord.Message]
) -> dict[int, discord.Message]:
    """Put the latest edits into a batch; their place and author are those of the original."""
    edited = dict(batch)
    for message_id in batch.keys() & edits.keys():
        edit, original = edits[message_id], batch[message_id]
        edit.guild, edit.channel, edit.author = original.guild, original.channel, original.author
        edited[message_id] = edit
    return edited
