"""What Aurora adds to one mention at a time, before a real Letta server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from doubles.local_discord import Channel, User

from .figures import Figure, percentile
from .freely import ASKING_FREELY
from .site import Site

_TAIL_SECONDS = 0.05


async def measure(site: Site, channels: int, mentions: int) -> AsyncIterator[Figure]:
    """Mention the bot in turn in many channels, one at a time, in open conversations."""
    opened = [await _open(site, number) for number in range(channels)]
    yield Figure("conversation_open_ms", round(percentile(opened, 50) * 1e3, 2), "ms")

    guild, author = site.places.guild, site.newcomer("measurer")
    await site.services.settings.set_guild(guild.id, rate_limit_seconds=0.5, **ASKING_FREELY)
    places = [site.discord.add_channel(guild, f"bench-{n}") for n in range(channels)]
    for channel in places:
        await _added(site, author, channel)
    added = [await _added(site, author, places[n % channels]) for n in range(mentions)]
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
