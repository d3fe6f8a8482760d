"""Catch-up: what people asked while the bot was not connected is answered after all."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import aiohttp
import discord
from redbot.core.bot import Red

from ..clock import Clock
from ..ledger import DEDUPE_SECONDS, Store
from ..settings import Settings
from .gaps import (
    Gap,
    Gaps,
    Written,
    last_heard,
    written,
)
from .receiving import Intake
from .triggers import addressed, unresolved

log = logging.getLogger("red.aurora.catchup")

WINDOW_SECONDS = 10 * 60.0
"""How old a missed message may be to be answered still."""
_SOON = 1.0
_AT_ONCE = 4
_HEARD = "listening"
_TROUBLE = (discord.DiscordException, aiohttp.ClientError, OSError)


class Bounds(NamedTuple):
    """How much is read after one gap, and how long that may take, in seconds.

    Of a channel the latest `messages` are read, of `channels` and `dms` those written in last. A
    live message waits for older ones no longer than `whole`, if Discord is slow. What was heard is
    kept every `heartbeat`.
    """

    messages: int = 50
    channels: int = 200
    dms: int = 50
    channel: float = 10.0
    whole: float = 60.0
    heartbeat: float = 10.0


class _Missed(NamedTuple):
    """What to read of a channel: what is above `floor` and not above `ceiling`.

    discord.py knows neither the channels of direct messages nor where they end.
    """

    channel_id: int
    floor: int
    channel: Written | None = None
    ceiling: int = 0


class _Plan(NamedTuple):
    """What to read after one gap; `dm_floor` is None if direct messages are not read."""

    channels: Sequence[_Missed]
    dm_floor: int | None


class CatchUp:
    """Reads what was missed after a start or a new gateway session, never after a RESUME.

    The store keeps up to which message Aurora has heard (`listening`), and that moves on only
    when no gap is left: what a crash cut short is read again, and dedupe makes that harmless.
    """

    def __init__(
        self,
        bot: Red,
        settings: Settings,
        store: Store,
        intake: Intake,
        clock: Clock,
        bounds: Bounds | None = None,
    ) -> None:
        self._bot = bot
        self._settings = settings
        self._store = store
        self._intake = intake
        self._clock = clock
        self.bounds = bounds or Bounds()
        self._gaps = Gaps(bot, None)
        self._due: deque[_Plan] = deque()
        self._wake = asyncio.Event()
        self._noted = -1
        self._loaded_at = 0
        self._busy = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen; the last step of loading, so that no message falls between."""
        noted = await self._store.noted(_HEARD)
        self._noted = int(noted) if noted is not None else -1
        origin = Gap(self._noted) if noted is not None else None
        self._gaps = Gaps(self._bot, origin)
        self._task = asyncio.create_task(self._listen(origin), name="aurora catch-up")

    async def stop(self) -> None:
        """Keep what was heard and end; call it first, as nothing is heard any more."""
        heard = last_heard(self._bot.guilds)
        task, self._task = self._task, None
        if task is None:
            return
        complete = self._complete
        task.cancel()
        await asyncio.wait({task})
        if complete:
            await self._note(heard)

    def lost(self, shard_id: int) -> None:
        """Follow discord.py's `shard_disconnect`."""
        self._gaps.lost(shard_id)

    def opened(self, shard_id: int) -> None:
        """Follow discord.py's `shard_connect`: READY has come, the guilds have not."""
        self._gaps.opened(shard_id)

    def resumed(self, shard_id: int) -> None:
        """Follow discord.py's `shard_resumed`."""
        self._gaps.resumed(shard_id)

    def ready(self, shard_id: int) -> None:
        """Follow discord.py's `shard_ready`: a new session, and its guilds are here."""
        gap = self._gaps.close(shard_id)
        guilds = [guild for guild in self._bot.guilds if guild.shard_id == shard_id]
        # Discord sends direct messages to the first shard.
        self._plan(gap, guilds, with_dms=shard_id == 0)

    @property
    def _complete(self) -> bool:
        """Whether all was heard or read up to now."""
        return self._bot.is_ready() and self._gaps.closed and not self._due and not self._busy

    def _plan(self, gap: Gap | None, guilds: Iterable[discord.Guild], *, with_dms: bool) -> None:
        if gap is None:
            return
        oldest = datetime.fromtimestamp(self._clock.time() - WINDOW_SECONDS, UTC)
        limit = discord.utils.time_snowflake(oldest)
        missed = []
        for guild in guilds:
            if guild.unavailable or self._settings.agent_for(guild.id) is None:
                continue
            for channel in written(guild):
                floor, last = max(limit, gap.floor(channel.id)), channel.last_message_id or 0
                if last > floor and _may_read(channel):
                    missed.append(_Missed(channel.id, floor, channel, last))
        missed.sort(key=lambda one: one.ceiling, reverse=True)
        if len(missed) > self.bounds.channels:
            log.warning("Messages were missed in %d channels; not all are read", len(missed))
        answers_dms = with_dms and self._settings.agent_for(None) is not None
        dm_floor = max(limit, gap.anywhere) if answers_dms else None
        self._due.append(_Plan(missed[: self.bounds.channels], dm_floor))
        self._wake.set()

    async def _listen(self, origin: Gap | None) -> None:
        # From here on the cog's listeners hear.
        self._loaded_at = last_heard(self._bot.guilds)
        if self._bot.is_ready():
            self._plan(origin, self._bot.guilds, with_dms=True)
        while True:
            self._wake.clear()
            while self._due:
                self._busy = True
                try:
                    await self._pass(self._due.popleft())
                except Exception as error:
                    log.exception("What was missed can't be read", exc_info=error)
                self._busy = False
            if complete := self._complete:
                heard, arriving = last_heard(self._bot.guilds), self._intake.oldest_arriving
                # Were Aurora killed now, what is not in the ledger yet would have to be read.
                await self._note(heard if arriving is None else min(heard, arriving - 1))
            await self._clock.wait(self._wake, self.bounds.heartbeat if complete else _SOON)

    async def _note(self, heard: int) -> None:
        # Never back: what has been heard stays heard when its channel is gone.
        if heard <= self._noted:
            return
        try:
            await self._store.note(_HEARD, str(heard))
            self._noted = heard
        except Exception as error:
            log.exception("It can't be kept what was heard", exc_info=error)

    async def _pass(self, plan: _Plan) -> None:
        places = [*plan.channels, *await self._dms(plan.dm_floor)]
        if not places:
            return
        slots = asyncio.Semaphore(_AT_ONCE)
        until = asyncio.get_running_loop().time() + self.bounds.whole
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._catch_up(one, slots, until)) for one in places]
        taken = sum(task.result() for task in tasks)
        log.info("Caught up in %d channels: %d missed messages", len(places), taken)

    async def _dms(self, floor: int | None) -> list[_Missed]:
        if floor is None:
            return []
        channels = await self._store.dm_channels(self._clock.time() - DEDUPE_SECONDS)
        return [_Missed(channel_id, floor) for channel_id in channels[-self.bounds.dms :]]

    async def _catch_up(self, missed: _Missed, slots: asyncio.Semaphore, until: float) -> int:
        """Take in what was missed in a channel, before anything newer in it."""
        try:
            async with asyncio.timeout_at(until) as limit:
                async with self._intake.in_order(missed.channel_id), slots:
                    async with asyncio.timeout(self.bounds.channel):
                        found = await self._read(missed)
                    wanted = [message for message in found if await self._wanted(message)]
                    # Cut off from here on, what the ledger has accepted would be in no lane.
                    limit.reschedule(None)
                    await self._intake.receive_missed(wanted)
                return len(wanted)
        except _TROUBLE as error:
            log.warning("Channel %d can't be read: %s", missed.channel_id, error or "too slow")
        except Exception as error:
            # The other channels are read all the same.
            log.exception("Channel %d can't be caught up", missed.channel_id, exc_info=error)
        return 0

    async def _read(self, missed: _Missed) -> Sequence[discord.Message]:
        """Return what stands in the gap and was not heard, oldest first."""
        channel = missed.channel or self._bot.get_partial_messageable(
            missed.channel_id, type=discord.ChannelType.private
        )
        history = channel.history(
            limit=self.bounds.messages,
            before=discord.Object(missed.ceiling + 1) if missed.ceiling else None,
            after=discord.Object(missed.floor),
            oldest_first=False,
        )
        found = [message async for message in history][::-1]
        if missed.channel is None:
            return found
        # The new session may have brought some before its guilds were ready; these were heard.
        heard = {one.id for one in self._bot.cached_messages if one.id > self._loaded_at}
        return [message for message in found if message.id not in heard]

    async def _wanted(self, message: discord.Message) -> bool:
        """Tell whether a message addresses the bot and was never seen, as the listener would."""
        me = self._bot.user
        if me is None or message.author.bot:
            return False
        if addressed(message, me) is None and not unresolved(message):
            return False
        if await self._store.find(message.id) or await self._store.refusal(message.id):
            return False
        if message.guild is not None and not isinstance(message.author, discord.Member):
            try:
                message.author = await message.guild.fetch_member(message.author.id)
            except discord.NotFound:
                return False
        # A missed command is not run, and not for the agent either.
        return not (await self._bot.get_context(message)).valid


def _may_read(channel: Written) -> bool:
    try:
        may = channel.permissions_for(channel.guild.me)
    except discord.ClientException:  # a thread whose parent the bot can't see
        return False
    return may.view_channel and may.read_message_history
