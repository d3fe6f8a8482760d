"""A town whose agents need no model, and cost no time: for faults, of which there are many."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aurora.chat.failures import Patience
from doubles.llm import ScriptedLLM
from doubles.local_discord import LocalDiscord
from doubles.quick_app_server import QuickAppServer
from sandbox.red import LocalRed
from tests.support.e2e.seen import hasten
from tests.support.e2e.town import Town
from tests.support.house import ROOT


class QuickTown(Town):
    """A Town before a double of the App Server."""

    def __init__(self, discord: LocalDiscord, server: QuickAppServer) -> None:
        super().__init__(discord, server, ScriptedLLM())
        self.quick = server

    async def cut_turns(self, count: int) -> None:
        """Cut the line in the middle of each of the next turns."""
        seen = self.quick.inputs
        for _ in range(count):
            # The server tells nobody what it was given.
            while self.quick.inputs <= seen:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            seen = self.quick.inputs
            self.quick.cut()


class _Hasty:
    """The module `asyncio` as discord.py sees it here: between its tries it waits 5 ms, not 1 s.

    It tries five times what fails with 5xx, and lets nobody set how long that takes.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 200)


@asynccontextmanager
async def open_quick_town(
    data: Path, now: Callable[[], float] = time.time
) -> AsyncIterator[QuickTown]:
    """Build a town in which Aurora answers, and tries again soon; `now` is Discord's time."""
    discord, server = LocalDiscord(now=now), QuickAppServer()
    async with AsyncExitStack() as stack:
        for module in ("client", "http"):
            stack.enter_context(patch(f"discord.{module}.asyncio", _Hasty()))
        await server.start()
        stack.push_async_callback(server.stop)
        await discord.start()
        stack.push_async_callback(discord.stop)
        town = QuickTown(discord, server)
        town.red = await LocalRed.boot(
            data, discord=discord, cogs=["aurora"], cog_paths=[ROOT], owner=town.ada
        )
        stack.push_async_callback(town.red.close)
        town.red.bot.add_listener(town.on_aurora_event)
        await town.configure()
        hasten(town)
        town.cog.services.delivery._sender.patience = Patience(pause=0.02)
        yield town
    assert discord.unknown_routes == []
    assert discord.crashes == []
