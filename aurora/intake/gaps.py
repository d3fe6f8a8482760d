"""Gaps: up to which message each shard heard, before its gateway session was lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import discord

Written = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread
"""Where messages stand in a guild."""


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
    """What each shard has not heard; fed with discord.py's events.

    discord.py itself keeps the last message id of every channel, so that an ordinary message
    costs nothing here. `origin` is the gap before the first session, None if there is none.
    """

    def __init__(self, bot: _Guilds, origin: Gap | None) -> None:
        self._bot = bot
        self._origin = origin
        self._open: dict[int, Gap] = {}
        # Shards with a new session, whose channels already tell of what was missed.
        self._fresh: set[int] = set()

    @property
    def closed(self) -> bool:
        """Whether every shard hears, or was looked after since it does again."""
        return not self._open and not self._fresh

    def lost(self, shard_id: int) -> None:
        """Remember what a shard has heard whose connection is gone."""
        if shard_id in self._fresh:
            return
        channels = {
            channel.id: channel.last_message_id or 0
            for guild in self._bot.guilds
            if guild.shard_id == shard_id
            for channel in written(guild)
        }
        # Before the first session there is nothing to remember, and the origin stays what it is.
        if channels:
            self._open[shard_id] = Gap(max(channels.values()), channels)

    def opened(self, shard_id: int) -> None:
        """Note that a shard begins a new session; its guilds are about to come anew."""
        self._fresh.add(shard_id)

    def resumed(self, shard_id: int) -> None:
        """Forget a gap that Discord itself has filled."""
        if shard_id not in self._fresh:
            self._open.pop(shard_id, None)

    def close(self, shard_id: int) -> Gap | None:
        """Return what a shard missed whose new session is ready; None if nothing is known."""
        self._fresh.discard(shard_id)
        return self._open.pop(shard_id, self._origin)


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
