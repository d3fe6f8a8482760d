"""What Aurora adds to an answer: from a mention's gateway frame to the input at Letta's door."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from sandbox.local_discord import Channel, User

from .site import Figure, Site, percentile

_CHANNELS = 20
_MENTIONS = 200
_TAIL_SECONDS = 0.05


async def measure(site: Site) -> AsyncIterator[Figure]:
    """Mention the bot in turn in many channels, one at a time, in open conversations."""
    opened = [await _open(site, number) for number in range(_CHANNELS)]
    yield Figure("conversation_open_ms", round(percentile(opened, 50) * 1e3, 2), "ms")

    guild, author = site.places.guild, site.newcomer("measurer")
    await site.services.settings.set_guild(guild.id, rate_limit_seconds=0.5)
    channels = [site.discord.add_channel(guild, f"bench-{n}") for n in range(_CHANNELS)]
    for channel in channels:
        await _added(site, author, channel)
    added = [await _added(site, author, channels[n % _CHANNELS]) for n in range(_MENTIONS)]
    for percent in (50, 95, 99):
        value = round(percentile(added, percent) * 1e3, 2)
        yield Figure(f"added_latency_p{percent}_ms", value, "ms")


async def _open(site: Site, number: int) -> float:
    backend = site.services.agents.backend
    if backend is None:
        raise RuntimeError("the sandbox has set no Letta server")
    begun = time.perf_counter()
    await backend.open_conversation(site.stack.guild_agent, f"bench {number}")
    return time.perf_counter() - begun


async def _added(site: Site, author: User, channel: Channel) -> float:
    """Return the seconds a mention took to the door; come back when its turn is over."""
    message, arrival = site.mention(author, channel, "hello")
    seconds = await arrival.seconds()
    await site.answered(message, channel)
    # The answer is there before the turn has ended; the next mention is not to meet its tail.
    await asyncio.sleep(_TAIL_SECONDS)
    return seconds
