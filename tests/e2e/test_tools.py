"""The agent's further tools, and the admins' choice of them, through a real Red."""

from __future__ import annotations

import json
from typing import Any

import pytest

from doubles.local_discord import permissions
from sandbox.letta import AppServer
from tests.support.e2e.seen import Outcome, provoke, tool_returns
from tests.support.e2e.town import Town


@pytest.fixture
def town(either_town: Town, server: AppServer | None) -> Town:
    """A town before each kind of server."""
    assert server is None or server.home.is_dir()
    return either_town


def call(name: str, **arguments: Any) -> str:
    """Write what makes the scripted model call a tool."""
    return f"[[tool:{name} {json.dumps(arguments)}]]"


async def test_an_agent_searches_and_lists_and_answers(town: Town) -> None:
    """What it found, it tells; both kinds of server carry it."""
    town.discord.say(town.bo, town.general, "the kettle is in the cupboard")
    town.discord.start_thread(town.general, "kettles", owner=town.bo)
    look = call("discord_search_messages", query="KETTLE")
    listing = call("discord_list_threads", channelId=str(town.general.id))
    seen = await provoke(town, f"{look}[[then]]{listing}[[then]][[send:In the cupboard.]]")
    said = [("general", True, "In the cupboard.")]
    assert seen == Outcome("answered", "sent", said, [])
    returns = tool_returns(town)
    assert "the kettle is in the cupboard" in returns
    assert "kettles" in returns


async def test_admins_choose_single_tools(town: Town) -> None:
    """What is off is not offered; the owner's choice of all of them stays the owner's."""
    mods = town.discord.add_role(town.guild, "mods", permissions=permissions.MANAGE_GUILD)
    cy = town.discord.add_user("cy")
    town.discord.add_member(town.guild, cy, roles=(mods,))
    shown = await town.command("aurora config tools", author=cy)
    assert "discord_search_messages  allow" in shown
    said = await town.command("aurora config tools set discord_search_messages off", author=cy)
    assert "`discord_search_messages` is now **off**" in said
    assert "discord_search_messages  off" in await town.command("aurora config tools show")
    await town.ask("hello")
    offered = [one["function"]["name"] for one in town.llm.requests[-1]["tools"]]
    assert "discord_list_threads" in offered
    assert "discord_search_messages" not in offered
    for wrong, words in (
        ("discord_send off", "is no tool that you can decide about"),
        ("discord_search_messages maybe", "Say `allow` or `off`"),
        ("", "is no tool that you can decide about"),
    ):
        assert words in await town.command(f"aurora config tools set {wrong}")
    assert await town.refused("aurora config tools mcp", author=cy)
    assert await town.refused("aurora config tools show", author=town.bo)
