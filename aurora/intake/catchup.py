"""Catch-up: what people asked while the bot was not connected is answered after all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import discord
from redbot.core.bot import Red

from ..clock import Clock
from ..ids import message_id_at
from ..ledger import DEDUPE_SECONDS, Store
from ..model import Unread
from ..settings import Settings
from .gaps import DMS, Gap, Gaps, Written, written
from .passes import WINDOW_SECONDS, Bounds, Missed, Pass, Passes
from .receiving import Intake
from .times import DiscordTime
from .watermarks import Watermarks

log = logging.getLogger("red.aurora.catchup")

_SOON = 1.0
_SHUT_SECONDS = 5.0


class CatchUp:
    """Reads what each guild missed, as soon as it is there; never after a RESUME.

    A guild that is caught up moves on, whatever the others do; what a crash cut short is read
    again, and dedupe makes that harmless. `tell` hears of what nobody looked at.
    """

    def __init__(
        self,
        bot: Red,
        settings: Settings,
        store: Store,
        intake: Intake,
        clock: Clock,
        tell: Callable[[Sequence[Unread]], None] = lambda _unread: None,
        bounds: Bounds | None = None,
    ) -> None:
        self._bot = bot
        self._settings = settings
        self._store = store
        self._intake = intake
        self._lines = intake.lines
        self._clock = clock
        self._time = DiscordTime(clock)
        self._tell = tell
        self.bounds = bounds or Bounds()
        self._gaps = Gaps(bot, None)
        self._watermarks = Watermarks(bot, store, intake, self._time)
        self._wake = asyncio.Event()
        self._lines.first = self._wake.set
        self._passes = Passes(
            bot, store, intake, read=self._read, ended=self._ended, unread=self._found_unread
        )
        self._unread: list[Unread] = []
        self._announced: set[int] = set()
        self._keep_at = 0.0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen; the last step of loading, so that no message falls between."""
        self._gaps = await self._watermarks.load()
        self._announced = {guild.id for guild in self._bot.guilds if not guild.unavailable}
        for shard_id in {guild.shard_id for guild in self._bot.guilds}:
            self._open(shard_id)
        self._task = asyncio.create_task(self._listen(), name="aurora catch-up")

    async def stop(self) -> None:
        """Shut the queue, keep what was heard and end; call it first, as nothing is heard then."""
        task, self._task = self._task, None
        if task is None:
            return
        self._meet_strangers()
        heard = await self._watermarks.now(done=self._intake.arriving)
        task.cancel()
        await asyncio.wait({task})
        await self._passes.stop()
        self._tell_unread()
        if not await self._intake.shut(_SHUT_SECONDS):
            # It may see that later, and be read again all the same; better than to be lost.
            heard = await self._watermarks.now()
        if self._bot.is_ready():
            await self._watermarks.keep(heard)

    def lost(self, shard_id: int) -> None:
        """Follow discord.py's `shard_disconnect`."""
        self._gaps.lost(shard_id)

    def opened(self, shard_id: int) -> None:
        """Follow discord.py's `shard_connect`: READY has come, the guilds have not."""
        self._announced -= {one.id for one in self._bot.guilds if one.shard_id == shard_id}
        self._open(shard_id)
        self._wake.set()

    def resumed(self, shard_id: int) -> None:
        """Follow discord.py's `shard_resumed`."""
        self._gaps.resumed(shard_id)
        self._wake.set()

    def available(self, guild: discord.Guild) -> None:
        """Follow discord.py's `guild_available` and `guild_join`."""
        again = guild.id in self._announced and guild.id not in self._gaps.absent
        self._announced.add(guild.id)
        # Said a second time it had been away; READY names all guilds but new ones.
        if (again or not self._gaps.knows(guild.id)) and self._gaps.open(guild.id):
            self._lines.shut(guild.id)
        self._wake.set()

    def unavailable(self, guild: discord.Guild) -> None:
        """Follow discord.py's `guild_unavailable`: an outage of this guild alone."""
        self._announced.discard(guild.id)
        if self._gaps.open(guild.id):
            self._lines.shut(guild.id)

    def left(self, guild: discord.Guild) -> None:
        """Follow discord.py's `guild_remove`: nothing of a guild is read any more."""
        self._announced.discard(guild.id)
        self._gaps.forget(guild.id)
        self._lines.drop(guild.id)

    def _open(self, shard_id: int) -> None:
        for guild_id in self._gaps.opened(shard_id):
            self._lines.shut(guild_id)

    def _read(self, guild_id: int, channel_id: int, ceiling: int) -> None:
        self._gaps.read(guild_id, channel_id, ceiling)

    def _ended(self, guild_id: int) -> None:
        if self._gaps.close(guild_id):
            self._lines.open(guild_id)
        self._keep_at = 0.0
        self._wake.set()

    def _found_unread(self, unread: Unread) -> None:
        self._unread.append(unread)

    async def _listen(self) -> None:
        # From here on the cog's listeners hear.
        self._passes.loaded_at = _newest(self._bot)
        self._time.see(self._passes.loaded_at)
        while True:
            self._wake.clear()
            try:
                await self._look()
                await self._keep()
            except Exception as error:
                log.exception("What was missed can't be read", exc_info=error)
            if not self._passes.busy:
                self._tell_unread()
            calm = self._gaps.closed and self._bot.is_ready()
            seconds = self.bounds.heartbeat if calm else _SOON
            await self._clock.wait(self._wake, seconds)

    async def _look(self) -> None:
        """Begin the passes of guilds that have come."""
        self._hear()
        self._meet_strangers()
        for guild_id in self._gaps.absent:
            if guild_id == DMS:
                self._begin(DMS, await self._missed_dms())
            elif (guild := self._bot.get_guild(guild_id)) and not guild.unavailable:
                self._begin(guild_id, self._missed(guild))

    def _meet_strangers(self) -> None:
        """Open the gaps of guilds of which something came before discord.py knew them."""
        for guild_id in self._lines.strangers():
            if not self._gaps.open(guild_id):
                self._lines.open(guild_id)

    def _hear(self) -> None:
        """Learn the time of the last message that came live."""
        heard = self._bot.cached_messages
        if heard and heard[-1].id > self._passes.loaded_at:
            self._time.see(heard[-1].id, live=True)

    def _begin(self, guild_id: int, missed: Sequence[Missed]) -> None:
        channels = {one.channel_id for one in missed}
        # Where something waits for nothing it is handed on.
        rest = [Missed(one, 0) for one in self._lines.besides(guild_id, channels)]
        places = [*missed, *rest]
        self._lines.narrow(guild_id, {one.channel_id for one in places})
        self._gaps.begin(guild_id, channels)
        if not places:
            self._ended(guild_id)
            return
        until = asyncio.get_running_loop().time() + self.bounds.whole
        now = message_id_at(self._time.now())
        self._passes.start(Pass(guild_id, places, until, now, self._oldest, self.bounds))

    @property
    def _oldest(self) -> int:
        """Return the id above which a missed message may still be answered."""
        return message_id_at(self._time.now() - WINDOW_SECONDS)

    def _missed(self, guild: discord.Guild) -> list[Missed]:
        gap = self._gaps.of(guild.id)
        if gap is None or self._settings.agent_for(guild.id) is None:
            return []
        channels = list(written(guild))
        self._time.see(max((one.last_message_id or 0 for one in channels), default=0))
        found = [
            one
            for channel in channels
            if (one := self._gap_in(channel, gap)) is not None and _may_read(channel)
        ]
        oldest = self._oldest
        found.sort(key=lambda one: one.ceiling or 0, reverse=True)
        late = [one for one in found if (one.ceiling or 0) <= oldest]
        missed = [one for one in found if one not in late]
        if len(missed) > self.bounds.channels:
            log.warning("Messages were missed in %d channels; not all are read", len(missed))
        for one in (*missed[self.bounds.channels :], *late):
            self._found_unread(one.unread(guild.id, one.ceiling or 0))
        return missed[: self.bounds.channels]

    def _gap_in(self, channel: Written, gap: Gap) -> Missed | None:
        """Return what was missed in a channel; what came before its guild counts too."""
        floor, early = gap.floor(channel.id), self._lines.first_early(channel.id)
        if early is not None:
            # Heard by the session before, and only now handed on.
            floor = min(floor, early - 1)
        last = max(channel.last_message_id or 0, *self._lines.unheard(channel.id), 0)
        if last <= floor:
            return None
        since = gap.anywhere if floor < gap.anywhere < last else floor
        return Missed(channel.id, floor, since, channel, last)

    async def _missed_dms(self) -> list[Missed]:
        gap = self._gaps.of(DMS)
        if gap is None or self._settings.agent_for(None) is None:
            return []
        channels = await self._store.dm_channels(self._clock.time() - DEDUPE_SECONDS)
        missed = [
            Missed(channel_id, gap.anywhere, gap.anywhere, None, 0)
            for channel_id in reversed(channels)
        ]
        now = message_id_at(self._time.now())
        # Whether anything was written in these nobody knows.
        for one in missed[self.bounds.dms :]:
            self._found_unread(one.unread(DMS, now))
        return missed[: self.bounds.dms]

    def _tell_unread(self) -> None:
        unread, self._unread = self._unread, []
        if unread:
            self._tell(unread)

    async def _keep(self) -> None:
        """Keep what was heard, at times, and when a guild has caught up."""
        now = self._clock.monotonic()
        # Before all guilds are known, one that is behind might not be.
        if self._bot.is_ready() and now >= self._keep_at:
            self._keep_at = now + self.bounds.heartbeat
            await self._watermarks.keep(await self._watermarks.now())


def _newest(bot: Red) -> int:
    """Return the last message that any guild tells of."""
    places = (place for guild in bot.guilds for place in written(guild))
    return max((place.last_message_id or 0 for place in places), default=0)


def _may_read(channel: Written) -> bool:
    try:
        may = channel.permissions_for(channel.guild.me)
    except discord.ClientException:  # a thread whose parent the bot can't see
        return False
    return may.view_channel and may.read_message_history
