"""DISCORD_TOKEN set: Red logs in elsewhere, and the page says what is left to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from doubles.local_discord import LocalDiscord
from sandbox.pointing import pointed_at
from sandbox.servers import Backend
from sandbox.stack import Stack, StackError

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def discord() -> AsyncIterator[LocalDiscord]:
    """Put a local Discord where the real one would be."""
    local = LocalDiscord(bot_name="Aurora")
    await local.start()
    with pointed_at(local):
        yield local
    await local.stop()


# Before there is the stack of the other tests: a process holds one Red at a time.
@pytest.mark.usefixtures("discord")
async def test_a_refused_token_is_named() -> None:
    """A token that Discord does not take ends the start with one sentence."""
    with pytest.raises(StackError, match="DISCORD_TOKEN"):
        await Stack({"DISCORD_TOKEN": "not.the.token"}, page_port=None).start()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(discord: LocalDiscord, rest_data: Path) -> AsyncIterator[Stack]:
    env = {"DISCORD_TOKEN": discord.token}
    async with Stack(env, backend=Backend.REST, data=rest_data) as running:
        yield running


async def test_the_page_says_how_to_go_on(discord: LocalDiscord, stack: Stack) -> None:
    """It names the bot, how to invite it, and the command that enables the agent."""
    assert stack.page is not None
    picture = stack.page.picture()
    assert picture["mode"] == "real"
    assert picture["real"]["bot"].startswith("Aurora")
    assert f"client_id={discord.bot_user.id}" in picture["real"]["invite"]
    assert picture["real"]["commands"] == (f"!aurora enable {stack.guild_agent}",)


async def test_that_command_works(discord: LocalDiscord, stack: Stack) -> None:
    """The owner types what the page shows, and a mention is answered."""
    guild = discord.add_guild("Somewhere", owner=discord.owner)
    channel = discord.add_channel(guild, "general")
    discord.say(discord.owner, channel, f"!aurora enable {stack.guild_agent}")
    await discord.wait_for(
        lambda: any("Done" in one.content for one in discord.messages(channel)), 20
    )
    asked = discord.say(discord.owner, channel, f"{discord.bot_user.mention} hello")
    await discord.wait_for(
        lambda: any(one.referenced is asked for one in discord.messages(channel)), 20
    )
