"""DISCORD_TOKEN set: Red logs in elsewhere, and the page says what is left to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from doubles.local_discord import LocalDiscord
from sandbox.pointing import pointed_at
from sandbox.stack import Stack, StackError


@pytest.fixture
async def discord() -> AsyncIterator[LocalDiscord]:
    """Put a local Discord where the real one would be."""
    local = LocalDiscord(bot_name="Aurora")
    await local.start()
    with pointed_at(local):
        yield local
    await local.stop()


async def test_the_page_says_how_to_go_on(discord: LocalDiscord, tmp_path: Path) -> None:
    """It names the bot, how to invite it, and the command that enables the agent."""
    async with Stack({"DISCORD_TOKEN": discord.token}, data=tmp_path) as stack:
        assert stack.page is not None
        picture = stack.page.picture()
        agent = stack.guild_agent
    assert picture["mode"] == "real"
    assert picture["real"]["bot"].startswith("Aurora")
    assert f"client_id={discord.bot_user.id}" in picture["real"]["invite"]
    assert picture["real"]["commands"] == (f"!aurora enable {agent}",)


async def test_that_command_works(discord: LocalDiscord) -> None:
    """The owner types what the page shows, and a mention is answered."""
    guild = discord.add_guild("Somewhere", owner=discord.owner)
    channel = discord.add_channel(guild, "general")
    async with Stack({"DISCORD_TOKEN": discord.token}, page_port=None) as stack:
        discord.say(discord.owner, channel, f"!aurora enable {stack.guild_agent}")
        await discord.wait_for(
            lambda: any("Done" in one.content for one in discord.messages(channel)), 20
        )
        asked = discord.say(discord.owner, channel, f"{discord.bot_user.mention} hello")
        await discord.wait_for(
            lambda: any(one.referenced is asked for one in discord.messages(channel)), 20
        )


@pytest.mark.usefixtures("discord")
async def test_a_refused_token_is_named() -> None:
    """A token that Discord does not take ends the start with one sentence."""
    with pytest.raises(StackError, match="DISCORD_TOKEN"):
        await Stack({"DISCORD_TOKEN": "not.the.token"}, page_port=None).start()
