"""A local Discord with a few people in it, and bots to live there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import discord
import pytest

from doubles.local_discord import (
    Channel,
    Guild,
    LocalDiscord,
    User,
)
from sandbox.pointing import pointed_at
from sandbox.red import LocalRed


@dataclass(slots=True)
class LocalTown:
    """A guild that Anna owns and Bert is in, with one channel."""

    server: LocalDiscord
    guild: Guild
    anna: User
    bert: User
    general: Channel


@pytest.fixture
async def town() -> AsyncIterator[LocalTown]:
    """A running local Discord that must not be asked for a route it lacks."""
    server = LocalDiscord()
    await server.start()
    anna = server.add_user("anna", global_name="Anna")
    bert = server.add_user("bert")
    guild = server.add_guild("LocalTown", owner=anna)
    server.add_member(guild, bert)
    general = server.add_channel(guild, "general")
    yield LocalTown(server, guild, anna, bert, general)
    await server.stop()
    assert server.unknown_routes == []
    assert server.crashes == []


@pytest.fixture
async def client(town: LocalTown) -> AsyncIterator[discord.Client]:
    """A plain discord.py client, logged in and ready."""
    bot = discord.Client(intents=discord.Intents.all(), guild_ready_timeout=0.01)
    with pointed_at(town.server):
        running = asyncio.create_task(bot.start(town.server.token))
        await asyncio.wait_for(bot.wait_until_ready(), 20)
        yield bot
        await bot.close()
        await running


@pytest.fixture
async def red(town: LocalTown, tmp_path: Path) -> AsyncIterator[LocalRed]:
    """A real Red that belongs to Anna."""
    running = await LocalRed.boot(tmp_path, discord=town.server, owner=town.anna)
    yield running
    await running.close()
