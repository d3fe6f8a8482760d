"""Conversations: whether what an agent was told in a place is still for everybody there."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
import discord

from ..chat.places import find_channel
from ..model import Event
from ..reasons import RunBrokenError
from .audience import gate_with_guests
from .gates import gate_kept, gate_of
from .looking import Guard, find_author

_FAILURES = (discord.DiscordException, aiohttp.ClientError, OSError)


class Conversations:
    """The runs' port to audiences."""

    def __init__(self, bot: discord.Client, guard: Guard) -> None:
        self._bot = bot
        self._guard = guard
        self._audiences = guard.audiences

    async def lacks_history(self, event: Event) -> bool:
        """Tell whether who asks may not read what was said before; raise RunBrokenError."""
        if event.guild_id is None:
            return False
        try:
            patience = self._guard.patience
            author = await find_author(self._bot, event, patience)
            channel = await find_channel(self._bot, event, event.channel_id, patience)
        except _FAILURES as error:
            raise RunBrokenError(error) from error
        if not isinstance(author, discord.Member) or channel is None:
            return True
        if isinstance(channel, discord.DMChannel):
            return False
        if isinstance(channel, discord.Thread) and channel.parent is None:
            return True
        return not channel.permissions_for(author).read_message_history

    async def has_outgrown(self, event: Event, sources: Mapping[int, str]) -> bool:
        """Tell whether somebody in the place may not read what was read into it.

        A place that has been shut since is no matter: those who could read it then could. Raise
        RunBrokenError if Discord did not say.
        """
        if event.guild_id is None:
            return False
        try:
            here = await find_channel(self._bot, event, event.channel_id, self._guard.patience)
            mine = await gate_with_guests(here) if here is not None else None
        except _FAILURES as error:
            raise RunBrokenError(error) from error
        if mine is None or isinstance(here, discord.DMChannel | None):
            return True
        guild = here.guild
        for place_id, kept in sources.items():
            if await self._audiences.reads(guild, mine, gate_kept(kept)):
                continue
            channel = guild.get_channel_or_thread(place_id)
            now = gate_of(channel) if channel is not None else None
            if now is None or not await self._audiences.reads(guild, mine, now):
                return True
        return False
