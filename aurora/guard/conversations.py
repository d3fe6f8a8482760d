"""Conversations: whether what an agent was told in a place is still for everybody there."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
import discord

from ..chat.places import Channel, find_channel
from ..model import Event
from ..reasons import RunBrokenError
from .gates import gate_kept
from .looking import Guard
from .policy import Denied
from .roles import open_to_all

_FAILURES = (discord.DiscordException, aiohttp.ClientError, OSError)


class Conversations:
    """The runs' port to audiences."""

    def __init__(self, bot: discord.Client, guard: Guard) -> None:
        self._bot = bot
        self._guard = guard

    async def lacks_history(self, event: Event) -> bool:
        """Tell whether who asks may not read what was said before; raise RunBrokenError."""
        if event.guild_id is None:
            return False
        try:
            author = await self._guard.holder(event)
            channel = await self._find(event, event.channel_id)
        except _FAILURES as error:
            raise RunBrokenError(error) from error
        if isinstance(author, Denied) or channel is None:
            return True
        if isinstance(channel, discord.DMChannel):
            return False
        if isinstance(channel, discord.Thread) and channel.parent is None:
            return True
        return not channel.permissions_for(author).read_message_history

    async def has_outgrown(self, event: Event, sources: Mapping[int, str]) -> bool:
        """Tell whether somebody in the place may not read what was read into it.

        A place that all of the server could read then is no matter, whoever has been shut out
        since. Of others it is asked who may read them now: a role that somebody has today may be
        newer than what was read. Raise RunBrokenError if Discord did not say.
        """
        if event.guild_id is None:
            return False
        try:
            here = await self._find(event, event.channel_id)
            if here is None or isinstance(here, discord.DMChannel):
                return True
            for place_id, kept in sources.items():
                if open_to_all(here.guild, gate_kept(kept)):
                    continue
                there = await self._find(event, place_id)
                if there is None or not await self._guard.audiences.flows(there, here):
                    return True
        except _FAILURES as error:
            raise RunBrokenError(error) from error
        return False

    async def _find(self, event: Event, channel_id: int) -> Channel | None:
        return await find_channel(self._bot, event, channel_id, self._guard.patience)
