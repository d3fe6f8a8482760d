"""Gaps: what each guild has not heard, from the loss of its session until that is read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import discord

Written = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
"""Where messages stand in a guild."""

DMS = 0
"""Stands where a guild's id stands, for direct messages. Discord sends them to the first shard."""


class _Guilds(Protocol):
    """The part of a bot that is looked at."""

    @property
    def guilds(self) -> Collection[discord.Guild]: ...


@dataclass(frozen=True, slots=True)
class Gap:
    """The ids of the last messages heard: in each channel, and anywhere (for all others)."""

    anywhere: int
    channels: Mapping[int, int] = field(default_factory=dict)

    def floor(self, channel_id: int) -> int:
        """Return the id above which nothing was heard in a channel."""
        return self.channels.get(channel_id, self.anywhere)


class Gaps:
    """What each guild has not heard; fed with discord.py's events.

    discord.py itself keeps the last message id of every channel, so that an ordinary message
    costs nothing here. `origin` is up to where all was heard before the first session (None: there
    was nobody to hear), `behind` the same for guilds that were behind the others.
    """

    def __init__(
        self, bot: _Guilds, origin: int | None, behind: Mapping[int, int] | None = None
    ) -> None:
        self._bot = bot
        self._behind = dict(behind or {})
        self.kept = origin
        """Up to where all was heard that has no gap, as it was kept last."""
        self._origin = origin
        self._met: set[int] = set()
        self._open: dict[int, Gap] = {}
        # Of guilds that are being read: the channels that are still to be read.
        self._unread: dict[int, set[int]] = {}
        # Of shards without a connection: what it would be if they got no RESUME.
        self._lost: dict[int, Gap] = {}
        self._down: set[int] = set()

    @property
    def closed(self) -> bool:
        """Whether every guild hears, and was looked after since it does again."""
        return not self._open and not self._lost

    @property
    def absent(self) -> list[int]:
        """Return the guilds whose gap is over, so far as is known, and that nobody reads yet."""
        return [one for one in self._open if one not in self._unread and one not in self._down]

    def knows(self, guild_id: int) -> bool:
        """Tell whether a guild was looked after, or is going to be."""
        return guild_id in self._met or guild_id in self._open

    def of(self, guild_id: int) -> Gap | None:
        """Return what a guild has not heard."""
        return self._open.get(guild_id)

    def lost(self, shard_id: int) -> None:
        """Remember what the guilds of a shard have heard whose connection is gone."""
        for guild_id, guild in self._on(shard_id):
            self._down.add(guild_id)
            hears = guild_id in self._met and guild_id not in self._open
            if hears or guild_id in self._unread:
                gap = self._snapshot(shard_id, guild)
                if gap is not None:
                    self._lost[guild_id] = gap

    def resumed(self, shard_id: int) -> None:
        """Forget gaps that Discord itself has filled."""
        for guild_id, _ in self._on(shard_id):
            self._down.discard(guild_id)
            self._lost.pop(guild_id, None)

    def opened(self, shard_id: int) -> list[int]:
        """Open the gaps of a shard that begins a new session; return whose they are."""
        there = [guild_id for guild_id, _ in self._on(shard_id)]
        self._down.difference_update(there)
        for guild_id in there:
            self.open(guild_id, self._lost.pop(guild_id, None))
        return [guild_id for guild_id in there if guild_id in self._open]

    def open(self, guild_id: int, gap: Gap | None = None) -> bool:
        """Open a guild's gap, if none is open; False if there is nothing that it could miss.

        Without a gap that is known it begins where was heard for sure: the channels of a guild
        that falls out of an open session may tell already of what it missed.
        """
        old = self._open.get(guild_id)
        if old is not None:
            self._widen(guild_id, old, gap)
            return True
        if gap is None:
            heard = self.kept if guild_id in self._met else self._origin
            heard = self._behind.get(guild_id, heard)
            gap = Gap(heard) if heard is not None else None
        if gap is None:
            self._met.add(guild_id)
            return False
        self._open[guild_id] = gap
        return True

    def begin(self, guild_id: int, channels: Iterable[int]) -> None:
        """Note which channels of a guild are going to be read."""
        self._unread[guild_id] = set(channels)

    def read(self, guild_id: int, channel_id: int, ceiling: int) -> None:
        """Note that a channel was read up to a message."""
        if (unread := self._unread.get(guild_id)) is not None:
            unread.discard(channel_id)
        elif (gap := self._open.get(guild_id)) is not None and ceiling > gap.floor(channel_id):
            self._open[guild_id] = Gap(gap.anywhere, {**gap.channels, channel_id: ceiling})

    def close(self, guild_id: int) -> bool:
        """Forget a gap that was read; False if it has become a new one meanwhile."""
        if self._unread.pop(guild_id, None) is None:
            return False
        del self._open[guild_id]
        self._behind.pop(guild_id, None)
        self._met.add(guild_id)
        return True

    def forget(self, guild_id: int) -> None:
        """Let a guild have missed nothing, such as one that the bot has left."""
        for kept in (self._open, self._unread, self._lost, self._behind):
            kept.pop(guild_id, None)
        self._met.add(guild_id)

    def heard(self) -> int | None:
        """Return up to where all guilds without a gap have heard; None if there are none."""
        hearing = [guild for guild in self._bot.guilds if self._hears(guild)]
        return last_heard(hearing) if hearing or not self._bot.guilds else None

    def behind(self) -> dict[int, int]:
        """Return the guilds with a gap, and where it begins."""
        # A gap that is open and reaches further back comes last.
        now = {guild_id: gap.anywhere for guild_id, gap in self._lost.items()}
        return {
            **self._behind,
            **now,
            **{guild_id: gap.anywhere for guild_id, gap in self._open.items()},
        }

    def _on(self, shard_id: int) -> list[tuple[int, discord.Guild | None]]:
        guilds = [guild for guild in self._bot.guilds if guild.shard_id == shard_id]
        dms: list[tuple[int, discord.Guild | None]] = [(DMS, None)] if shard_id == 0 else []
        return [*dms, *((guild.id, guild) for guild in guilds)]

    def _hears(self, guild: discord.Guild) -> bool:
        return not guild.unavailable and guild.id not in self._open and guild.id not in self._lost

    def _snapshot(self, shard_id: int, guild: discord.Guild | None) -> Gap | None:
        """Return the gap that begins now; None if nothing is known."""
        there = [one for one in self._bot.guilds if one.shard_id == shard_id]
        # What has no last message of its own was heard as far as the shard was.
        anywhere = max(last_heard(one for one in there if self._hears(one)), self.kept or 0)
        if guild is None:
            return Gap(anywhere) if anywhere else None
        channels = {place.id: place.last_message_id or 0 for place in written(guild)}
        anywhere = max(anywhere, *channels.values(), 0)
        # Before its first session there is nothing to remember.
        return Gap(anywhere, channels) if channels else None

    def _widen(self, guild_id: int, old: Gap, new: Gap | None) -> None:
        """Let a gap that was being read, and is not any more, begin where its reading got to."""
        unread = self._unread.pop(guild_id, None)
        if unread is None or new is None:
            return
        floors = {**new.channels, **{one: old.floor(one) for one in unread}}
        self._open[guild_id] = Gap(old.anywhere if unread else new.anywhere, floors)


def last_heard(guilds: Iterable[discord.Guild]) -> int:
    """Return the id up to which all shards heard; 0 if nobody ever wrote.

    An id and not a time: it stands still when a connection is dead that nobody has given up yet,
    and no difference between this machine's clock and Discord's can falsify it.
    """
    latest: dict[int, int] = {}
    for guild in guilds:
        newest = max((channel.last_message_id or 0 for channel in written(guild)), default=0)
        latest[guild.shard_id] = max(newest, latest.get(guild.shard_id, 0))
    return min(latest.values(), default=0)


def written(guild: discord.Guild) -> Iterator[Written]:
    """Yield the channels and threads of a guild that hold messages."""
    for place in (*guild.channels, *guild.threads):
        if isinstance(place, Written):
            yield place
