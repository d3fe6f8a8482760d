"""A guild with an agent and a real Red in it, and what stands before the agent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord
import pytest
import redbot.core.bot  # first, or Red's modules import each other in a circle
from redbot.core import commands, data_manager
from redbot.core._cli import parse_cli_flags
from redbot.core._drivers import json as json_driver
from redbot.core.bot import Red

from aurora.intake.triggers import Refusal, Trigger, Triggers
from aurora.ledger.memory import MemoryStore
from aurora.model import Event
from aurora.reasons import Reason
from aurora.settings import Settings
from tests.support.clocks import FakeClock
from tests.support.keepers import Keeper
from tests.support.payloads import START, TeaHouse


class SomeCog(commands.Cog):
    """A cog that a guild can disable."""


class Gatehouse:
    """A guild with an agent, a real Red in it, and a cog that asks."""

    def __init__(self, red: Red) -> None:
        self.red = red
        self.world = TeaHouse(red)
        self.settings = Settings(Keeper())
        self.clock = FakeClock(epoch=START.timestamp())
        self.store = MemoryStore(self.clock)
        self.cog = SomeCog()
        self.triggers = Triggers(red, self.cog, self.settings, self.store, self.clock)

    async def enable(self) -> None:
        """Let every message to the bot be a trigger."""
        await self.settings.set_world(letta_base_url="ws://localhost", dm_agent_id="agent-dm")
        await self.set(agent_id="agent-1", enabled=True)

    async def set(self, **values: Any) -> None:
        """Change settings of the guild."""
        await self.settings.set_guild(self.world.guild.id, **values)

    async def check(self, message: discord.Message) -> Trigger | Refusal:
        """Pass a message through the gates."""
        return await self.triggers.check(message)

    async def still_welcome(self, event: Event) -> Reason | None:
        """Ask again for an event."""
        return await self.triggers.still_welcome(event)

    def connect(self) -> None:
        """Let Red believe that it is ready."""
        self.red._ready = asyncio.Event()
        self.red._ready.set()

    def forbid(self, permission: str) -> None:
        """Take a permission from everybody."""
        taken = discord.Permissions(**{permission: True}).value
        self.world.guild.default_role._permissions &= ~taken


@asynccontextmanager
async def open_red(place: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[Red]:
    """Make a real Red that is not connected; its lists and checks work all the same."""
    basic: Mapping[str, Any] = {
        "DATA_PATH": str(place),
        "COG_PATH_APPEND": "cogs",
        "CORE_PATH_APPEND": "core",
        "STORAGE_TYPE": "JSON",
        "STORAGE_DETAILS": {},
    }
    patch.setattr(data_manager, "_instance_name", "test", raising=False)
    patch.setattr(data_manager, "basic_config", basic)
    # Red keeps its settings per process; another test's must not be found here.
    patch.setattr(json_driver, "_shared_datastore", {})
    patch.setattr(redbot.core.config, "_config_cache", {})
    bot = Red(cli_flags=parse_cli_flags(["test", "--prefix", "!"]))
    # The login would go on to load Red's own cogs, which need more of Red than this.
    patch.setattr(bot, "setup_hook", _nothing)
    yield bot
    await bot.http.close()


async def _nothing() -> None:
    return None
