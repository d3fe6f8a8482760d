"""What Aurora adds to every ordinary message: dispatch, the listener, and its no."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator

import discord

from sandbox.servers import Backend

from .figures import Figure, percentile
from .site import Site, open_site

_BATCH = 1000
_ROUNDS = 30


async def measure(batch: int = _BATCH, rounds: int = _ROUNDS) -> AsyncIterator[Figure]:
    """Dispatch a real message to Aurora's listener alone, in batches, and take the median."""
    async with open_site(os.environ, Backend.APP_SERVER) as site:
        message = await _ordinary_message(site)
        took = []
        for _ in range(rounds):
            begun = time.perf_counter()
            for _ in range(batch):
                site.bot.dispatch("message_without_command", message)
            # The listeners' tasks were all scheduled before this one goes on.
            await asyncio.sleep(0)
            took.append((time.perf_counter() - begun) / batch)
    yield Figure("ignored_message_us", round(percentile(took, 50) * 1e6, 2), "us")


async def _ordinary_message(site: Site) -> discord.Message:
    arrived: asyncio.Future[discord.Message] = asyncio.get_running_loop().create_future()

    async def catch(message: discord.Message) -> None:
        if not arrived.done():
            arrived.set_result(message)

    site.bot.add_listener(catch, "on_message_without_command")
    site.discord.say(site.places.ada, site.places.general, "nothing for any bot")
    message = await arrived
    site.bot.remove_listener(catch, "on_message_without_command")
    return message
