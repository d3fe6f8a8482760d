"""A town where Aurora lives: a local Discord, a real Red, a Letta server, a scripted model."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from yarl import URL

from aurora.model import Change
from doubles.letta_rest import LettaRest
from doubles.llm import ScriptedLLM, text_parts
from doubles.local_discord import (
    Channel,
    LocalDiscord,
    Message,
    User,
)
from sandbox.letta import AppServer
from sandbox.red import LocalRed
from sandbox.servers import LettaServer, RestServer, lend_sdk
from tests.support.house import ROOT
from tests.support.keepers import ASKING_FREELY

FINAL = {"answered", "declined", "failed", "cancelled", "expired"}
# Making an agent takes longer than booting Red. A server's towns share one, and as agents hold on
# to the provider they began with, all their models answer at one address.
_PROVIDERS: dict[Path, tuple[str, int]] = {}


class Town:
    """Everything a test needs to write to Aurora and see what becomes of it."""

    red: LocalRed

    def __init__(self, discord: LocalDiscord, letta: LettaServer, llm: ScriptedLLM) -> None:
        self.discord = discord
        self.letta = letta
        self.llm = llm
        self.changes: list[Change] = []
        self.ada = discord.add_user("ada", global_name="Ada")
        self.bo = discord.add_user("bo")
        self.guild = discord.add_guild("Town", owner=self.ada)
        discord.add_member(self.guild, self.bo)
        self.general = discord.add_channel(self.guild, "general")
        self.agent_id = ""
        self.dm_agent_id = ""

    @property
    def server(self) -> AppServer:
        """Return the App Server, in a town that has one."""
        assert isinstance(self.letta, AppServer)
        return self.letta

    @property
    def rest(self) -> LettaRest:
        """Return the double of the REST API, in a town that has one."""
        assert isinstance(self.letta, RestServer)
        return self.letta.double

    @property
    def mention(self) -> str:
        """Write the bot's mention."""
        return f"<@{self.discord.bot_user.id}>"

    @property
    def cog(self) -> Any:
        """Return the loaded cog; its class is another after each reload."""
        return self.red.bot.get_cog("Aurora")

    async def on_aurora_event(self, change: Change) -> None:
        """Keep every step in an event's life."""
        self.changes.append(change)
        self.discord.wake()

    def steps(self, message: Message) -> list[str]:
        """Return the steps of a message's event."""
        return [change.step for change in self.changes if change.message_id == message.id]

    async def ended(self, message: Message, timeout: float = 30.0) -> Change:
        """Wait for the end of a message's event."""

        def last() -> Change | None:
            mine = [change for change in self.changes if change.message_id == message.id]
            return mine[-1] if mine and mine[-1].step in FINAL else None

        return await self.discord.wait_for(last, timeout)

    def bot_messages(self, channel: Channel) -> list[Message]:
        """Return what the bot wrote in a channel."""
        bot = self.discord.bot_user
        return [one for one in self.discord.messages(channel) if one.author.id == bot.id]

    def answers(self, message: Message, channel: Channel | None = None) -> list[Message]:
        """Return what the bot wrote in reply to a message."""
        place = channel or self.general
        return [one for one in self.bot_messages(place) if one.reference == message.id]

    def marks(self, message: Message) -> list[str]:
        """Return the bot's reactions on a message."""
        bot = self.discord.bot_user.id
        return [emoji for emoji, users in message.reactions.items() if bot in users]

    async def ask(
        self, text: str, *, author: User | None = None, channel: Channel | None = None, **more: Any
    ) -> tuple[Message, Change]:
        """Mention the bot and wait for the end."""
        message = self.discord.say(
            author or self.ada, channel or self.general, f"{self.mention} {text}", **more
        )
        return message, await self.ended(message)

    async def command(
        self, text: str, *, author: User | None = None, channel: Channel | None = None
    ) -> str:
        """Type a command and return what the bot says to it."""
        place = channel or self.general
        before = len(self.bot_messages(place))
        self.discord.say(author or self.ada, place, f"!{text}")
        await self.discord.wait_for(lambda: len(self.bot_messages(place)) > before or None)
        return self.bot_messages(place)[-1].content

    async def settings(
        self, server: str = "", *, author: User | None = None, channel: Channel | None = None
    ) -> str:
        """Return all that `config show` says, in as many messages as it takes."""
        place = channel or self.general
        before = len(self.bot_messages(place))
        self.discord.say(author or self.ada, place, f"!aurora config show {server}".rstrip())

        def whole() -> str | None:
            said = [one.content for one in self.bot_messages(place)[before:]]
            # What stands below the list is no box.
            return "\n".join(said) if said and not said[-1].endswith("```") else None

        return await self.discord.wait_for(whole)

    async def refused(
        self, text: str, *, author: User | None = None, channel: Channel | None = None
    ) -> Exception:
        """Type a command that must fail, and return Red's reason."""
        failure = asyncio.create_task(self.red.bot.wait_for("command_error", timeout=20))
        await asyncio.sleep(0)  # it listens from its first step on
        self.discord.say(author or self.ada, channel or self.general, f"!{text}")
        _, error = await failure
        assert isinstance(error, Exception)
        return error

    async def refusal(self, message: Message, timeout: float = 20.0) -> str:
        """Wait until a message was refused and return the reason."""
        async with asyncio.timeout(timeout):
            # The store tells nobody of its changes.
            while (reason := await self.cog.services.store.refusal(message.id)) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return str(reason)

    def prompt(self, message: Message) -> str:
        """Return what the model was given for a message."""
        asked = [
            text_parts(one)[-1]
            for request in self.llm.requests
            for one in request["messages"]
            if one["role"] == "user" and f'Message ID: "{message.id}"' in text_parts(one)[-1]
        ]
        assert asked, "the model was given nothing for this message"
        return asked[-1]

    async def configure(self) -> None:
        """Set Aurora up as an admin does, and make its channel's pace no hindrance."""
        await self.red.bot.set_shared_api_tokens("letta", token=self.letta.token)
        assert "answers" in await self.command(f"aurora lettaurl {self.letta.url}")
        known = await self.letta.find_agent("town agent")
        self.agent_id = known or await self.letta.create_agent("town agent")
        assert "Done" in await self.command(f"aurora enable {self.agent_id}")
        assert "Done" in await self.command("aurora config ratelimit 0.5")
        # Most tests ask several things in a row and want each answered by itself.
        await self.cog.services.settings.set_guild(
            self.guild.id, coalesce_messages=False, **ASKING_FREELY
        )


@asynccontextmanager
async def open_town(
    data: Path,
    server: AppServer | None,
    *,
    redis: bool = True,
    model: type[ScriptedLLM] = ScriptedLLM,
) -> AsyncIterator[Town]:
    """Build a town, with Aurora loaded and nothing configured.

    Args:
        data: the folder of its Red.
        server: shared by several towns; None for a double of the REST API of its own.
        redis: whether the double has what background runs and otids need.
        model: the kind of model behind the agents.

    """
    discord, llm = LocalDiscord(bot_name="Aurora"), model()
    async with AsyncExitStack() as stack:
        if server is None:
            lend_sdk(data)
            letta = await _rest(llm, stack, redis=redis)
        else:
            letta = await _with_model(llm, server, stack)
        await discord.start()
        stack.push_async_callback(discord.stop)
        town = Town(discord, letta, llm)
        town.red = await LocalRed.boot(
            data, discord=discord, cogs=["aurora"], cog_paths=[ROOT], owner=town.ada
        )
        stack.push_async_callback(town.red.close)
        town.red.bot.add_listener(town.on_aurora_event)
        yield town
    assert discord.unknown_routes == []


async def _with_model(llm: ScriptedLLM, server: AppServer, stack: AsyncExitStack) -> LettaServer:
    llm.key, port = _PROVIDERS.get(server.home, (llm.key, 0))
    await llm.start(port)
    _PROVIDERS[server.home] = (llm.key, URL(llm.url).port or 0)
    stack.push_async_callback(llm.stop)
    await server.use_provider(llm.url, llm.key, llm.model)
    return server


async def _rest(llm: ScriptedLLM, stack: AsyncExitStack, *, redis: bool) -> LettaServer:
    await llm.start()
    stack.push_async_callback(llm.stop)
    double = LettaRest(llm.provider, redis=redis, keepalive=0.2, backoff=0.01)
    await double.start()
    stack.callback(_check_double, double)
    stack.push_async_callback(double.stop)
    # What the cog puts in front of the path is of no use once its Red is gone.
    stack.callback(sys.path.__setitem__, slice(None), list(sys.path))
    return RestServer(double)


def _check_double(double: LettaRest) -> None:
    assert double.crashes == [], "the double met something it could not do"
