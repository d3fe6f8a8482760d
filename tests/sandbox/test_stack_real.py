"""DISCORD_TOKEN set: Red logs in elsewhere, and the page says what is left to do."""

from __future__ import annotations

from pathlib import Path

import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from doubles.local_discord import LocalDiscord
from doubles.local_discord.server import API
from sandbox.stack import Stack, StackError


async def elsewhere(monkeypatch: pytest.MonkeyPatch) -> LocalDiscord:
    """Put a local Discord where the real one would be."""
    discord = LocalDiscord(bot_name="Aurora")
    await discord.start()
    monkeypatch.setattr(Route, "BASE", discord.url + API)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(discord.gateway.url))
    return discord


async def test_the_page_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It names the bot, how to invite it, and the command that enables the agent."""
    discord = await elsewhere(monkeypatch)
    async with Stack({"DISCORD_TOKEN": discord.token}, data=tmp_path) as stack:
        assert stack.page is not None
        picture = stack.page.picture()
        agent = stack.guild_agent
    await discord.stop()
    assert picture["mode"] == "real"
    assert picture["real"]["bot"].startswith("Aurora")
    assert f"client_id={discord.bot_user.id}" in picture["real"]["invite"]
    assert picture["real"]["commands"] == (f"!aurora enable {agent}",)


async def test_that_command_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner types what the page shows, and a mention is answered."""
    discord = await elsewhere(monkeypatch)
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
    await discord.stop()


async def test_a_refused_token_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that Discord does not take ends the start with one sentence."""
    discord = await elsewhere(monkeypatch)
    with pytest.raises(StackError, match="DISCORD_TOKEN"):
        await Stack({"DISCORD_TOKEN": "not.the.token"}, page_port=None).start()
    await discord.stop()
