"""Where the measurements are taken: the sandbox, with a watched door in front of Letta."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from redbot.core.bot import Red

from aurora.services import Services
from doubles.local_discord import (
    Channel,
    LocalDiscord,
    Message,
    User,
)
from sandbox.neighbourhood import Neighbourhood
from sandbox.servers import Backend
from sandbox.stack import Stack

from .door import Door, HttpDoor, SocketDoor

_DOORS: dict[Backend, type[Door]] = {
    Backend.APP_SERVER: SocketDoor,
    Backend.REST: HttpDoor,
}


@dataclass(frozen=True)
class Site:
    """The parts that a measurement touches."""

    stack: Stack
    bot: Red
    discord: LocalDiscord
    places: Neighbourhood
    services: Services
    door: Door

    def newcomer(self, name: str) -> User:
        """Return a new member of the first guild, with no runs of their own yet."""
        author = self.discord.add_user(name)
        self.discord.add_member(self.places.guild, author)
        return author

    def mention(self, author: User, channel: Channel, text: str) -> tuple[Message, Arrival]:
        """Mention the bot; return the message and its way to the door."""
        sent = time.perf_counter()
        message = self.discord.say(author, channel, f"<@{self.discord.bot_user.id}> {text}")
        return message, Arrival(sent, self.door.expect(message.id))

    async def answered(self, message: Message, channel: Channel) -> None:
        """Wait for the bot's reply to a message."""
        await self.discord.wait_for(
            lambda: (
                any(one.reference == message.id for one in self.discord.messages(channel)) or None
            ),
            timeout=30,
        )


class Arrival(NamedTuple):
    """A mention on its way: when its gateway frame left, and when its input arrives."""

    sent: float
    door: asyncio.Future[float]

    async def seconds(self) -> float:
        """Wait for the input and return how long it took."""
        return await self.door - self.sent


@asynccontextmanager
async def open_site(env: Mapping[str, str], backend: Backend) -> AsyncIterator[Site]:
    """Start the sandbox and put the door between Aurora and the Letta server."""
    async with Stack(env, backend=backend, page_port=None) as stack:
        if stack.discord is None or stack.places is None:
            raise SystemExit("Unset DISCORD_TOKEN: measurements are taken on the local Discord.")
        door = _DOORS[backend](stack.letta.url)
        await door.start()
        cog: Any = stack.red.bot.get_cog("Aurora")
        services: Services = cog.services
        await services.settings.set_world(letta_base_url=door.url)
        await services.configure_agents()
        try:
            yield Site(stack, stack.red.bot, stack.discord, stack.places, services, door)
        finally:
            await services.agents.close()
            await door.stop()
