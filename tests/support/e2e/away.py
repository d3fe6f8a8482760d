"""A bot that goes away and comes back, while people write."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from redbot.core.bot import Red

from aurora.model import Change
from doubles.local_discord import (
    Channel,
    LocalDiscord,
    Message,
    User,
)
from sandbox.red import LocalRed
from tests.support.house import ROOT
from tests.support.keepers import ASKING_FREELY


class Comings:
    """A real Red with Aurora, paused: what it takes in waits, and needs no agent.

    Its Discord lives `behind` seconds in the past, so that a test can have messages as old as it
    wants. It begins an hour ago.
    """

    red: LocalRed

    def __init__(self, data: Path) -> None:
        self.data = data
        self.behind = 3600.0
        self.discord = discord = LocalDiscord(now=lambda: time.time() - self.behind)
        self.changes: list[Change] = []
        self.ada = discord.add_user("ada", global_name="Ada")
        self.bo = discord.add_user("bo")
        self.guild = discord.add_guild("Town", owner=self.ada)
        discord.add_member(self.guild, self.bo)
        self.general = discord.add_channel(self.guild, "general")
        self.say("the town is founded")
        self.behind = 0.0

    @property
    def services(self) -> Any:
        """Return what the loaded cog is made of."""
        cog: Any = self.red.bot.get_cog("Aurora")
        return cog.services

    @property
    def taken_in(self) -> list[int]:
        """Return the ids of the messages that were accepted, in that order."""
        return [change.message_id for change in self.changes if change.step == "queued"]

    @property
    def reads(self) -> list[int]:
        """Return the channels whose history was read."""
        return [
            int(call.path.split("/")[-2])
            for call in self.discord.calls
            if (call.method, call.route) == ("GET", "/channels/{channel_id}/messages")
        ]

    def say(
        self, text: str, channel: Channel | None = None, author: User | None = None
    ) -> Message:
        """Let somebody write."""
        return self.discord.say(author or self.ada, channel or self.general, text)

    def ask(
        self, text: str, channel: Channel | None = None, author: User | None = None
    ) -> Message:
        """Let somebody mention the bot."""
        return self.say(f"<@{self.discord.bot_user.id}> {text}", channel, author)

    async def accepted(self, message: Message) -> None:
        """Wait until a message was taken in."""
        await self.discord.wait_for(lambda: message.id in self.taken_in, 30)

    async def on_aurora_event(self, change: Change) -> None:
        """Keep every step in an event's life."""
        self.changes.append(change)
        self.discord.wake()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Comings]:
        """Let Discord run."""
        await self.discord.start()
        yield self
        await self.discord.stop()
        assert self.discord.unknown_routes == []
        assert self.discord.crashes == []

    @asynccontextmanager
    async def started(self, *, patience: float | None = 0.02) -> AsyncIterator[None]:
        """Let Red run for a while; `patience` None is its own, see `LocalRed.boot`."""
        self.red = await LocalRed.boot(
            self.data,
            discord=self.discord,
            cogs=["aurora"],
            cog_paths=[ROOT],
            owner=self.ada,
            patience=patience,
            listener=self.on_aurora_event,
        )
        try:
            yield
        finally:
            await self.red.close()

    def bound(self, **bounds: float) -> None:
        """Let less be read of what was missed, or for less long."""
        catchup = self.services.catchup
        catchup.bounds = catchup.bounds._replace(**bounds)

    async def settle(self) -> None:
        """Choose agents, and pause, as an owner does; wait until it is kept what was heard."""
        settings = self.services.settings
        await settings.set_world(
            letta_base_url="ws://127.0.0.1:9", dm_agent_id="agent-2", paused_since=time.time()
        )
        await settings.set_guild(self.guild.id, agent_id="agent-1", enabled=True, **ASKING_FREELY)
        async with asyncio.timeout(5):
            # The store tells nobody of its changes.
            while await self.services.store.noted("listening") is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def command(self, text: str) -> None:
        """Let the owner type a command elsewhere, and wait until something is said to it."""
        office = self.discord.add_channel(self.guild, "office")
        self.say(f"!{text}", office)
        await self.discord.wait_for(lambda: len(self.discord.messages(office)) > 1, 30)

    def session_lost(self) -> AbstractAsyncContextManager[None]:
        """Let the bot be away without a session while the block lasts."""
        return session_lost(self.red.bot, self.discord)


@asynccontextmanager
async def session_lost(bot: Red, discord: LocalDiscord) -> AsyncIterator[None]:
    """Let Discord throw the bot's session away; it gets a new one when the block ends."""
    back = asyncio.Event()

    async def wait(_shard_id: int | None, *, initial: bool = False) -> None:  # noqa: ARG001  # discord.py's signature
        await back.wait()

    # discord.py offers this hook to whoever must wait before a new session.
    bot.before_identify_hook = wait  # type: ignore[method-assign]
    gone = asyncio.create_task(bot.wait_for("shard_disconnect", timeout=20))
    await asyncio.sleep(0)  # it listens from its first step on
    await discord.invalidate_session()
    await gone
    ready = asyncio.create_task(bot.wait_for("shard_ready", timeout=20))
    try:
        yield
    finally:
        back.set()
        await ready
