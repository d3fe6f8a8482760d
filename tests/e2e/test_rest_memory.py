"""Letting in an agent that changes its memory by tools of its own server."""

from __future__ import annotations

import pytest

from doubles.letta_rest import Fault, ServerTool
from doubles.local_discord import permissions
from tests.support.e2e.hands import question_of, reply
from tests.support.e2e.town import Town

NAMES = ["memory_insert", "core_memory_replace", "archival_memory_insert"]


@pytest.fixture
def keeper(rest_town: Town) -> str:
    """An agent as Letta makes them, with tools for its memory and one to speak."""
    rest = rest_town.rest
    for name in NAMES:
        rest.add_tool(ServerTool(name, kind="letta_core"))
    return rest.create_agent("keeper", tools=[*NAMES, "send_message"])


def tools_of(town: Town, agent_id: str) -> list[str]:
    """Return the tools that an agent has on its server."""
    return town.rest.store.agents[agent_id].tools


async def test_enable_says_what_is_not_promised_and_takes_the_tools_off(
    rest_town: Town, keeper: str
) -> None:
    """Those alone; the agent is let in."""
    question = await question_of(rest_town, f"aurora enable {keeper}")
    assert "not promised" in question.content
    assert all(f"`{name}`" in question.content for name in NAMES)
    assert "send_message" not in question.content
    await reply(rest_town, question, "Yes")
    await rest_town.discord.wait_for(lambda: enabled(rest_town) == keeper or None)
    assert tools_of(rest_town, keeper) == ["send_message"]


async def test_a_no_leaves_the_tools_and_lets_the_agent_in(rest_town: Town, keeper: str) -> None:
    """The owner was told."""
    await reply(rest_town, await question_of(rest_town, f"aurora enable {keeper}"), "No")
    await rest_town.discord.wait_for(lambda: enabled(rest_town) == keeper or None)
    assert set(NAMES) < set(tools_of(rest_town, keeper))


async def test_a_tool_that_the_server_keeps_is_named(rest_town: Town, keeper: str) -> None:
    """With the server's reason; nobody is to believe that it is gone."""
    question = await question_of(rest_town, f"aurora enable {keeper}")
    body = {"detail": "You may not change this agent."}
    rest_town.rest.faults.append(Fault(path="/tools/detach/", answer=(403, body, {})))
    await reply(rest_town, question, "Yes")
    await rest_town.discord.wait_for(lambda: enabled(rest_town) == keeper or None)
    assert len(tools_of(rest_town, keeper)) == 2
    (left,) = set(tools_of(rest_town, keeper)) - {"send_message"}
    said = [one.content for one in rest_town.bot_messages(rest_town.general)]
    assert any("still has" in one and f"`{left}`" in one for one in said)


async def test_an_admin_who_may_choose_the_agent_is_not_asked(
    rest_town: Town, keeper: str
) -> None:
    """The agent answers elsewhere too, and its owner has said what is to become of its tools."""
    town = rest_town
    await reply(town, await question_of(town, f"aurora agents allow {keeper}"), "No")
    mods = town.discord.add_role(town.guild, "mods", permissions=permissions.MANAGE_GUILD)
    cy = town.discord.add_user("cy")
    town.discord.add_member(town.guild, cy, roles=(mods,))
    assert "Done" in await town.command(f"aurora enable {keeper}", author=cy)
    assert set(NAMES) < set(tools_of(town, keeper))


@pytest.mark.parametrize("name", ["conversation_search", "archival_memory_search"])
async def test_each_tool_is_asked_about_once(rest_town: Town, keeper: str, name: str) -> None:
    """What only searches is in the first question, what changes the memory in the second."""
    rest_town.rest.add_tool(ServerTool(name, kind="letta_core"))
    tools_of(rest_town, keeper).append(name)
    first = await question_of(rest_town, f"aurora enable {keeper}")
    assert f"`{name}`" in first.content
    assert not any(one in first.content for one in NAMES)
    await reply(rest_town, first, "Yes")
    second = rest_town.bot_messages(rest_town.general)[-1]
    assert all(f"`{one}`" in second.content for one in NAMES)
    assert name not in second.content
    await reply(rest_town, second, "Yes")
    await rest_town.discord.wait_for(lambda: enabled(rest_town) == keeper or None)
    assert tools_of(rest_town, keeper) == ["send_message", name]


def enabled(town: Town) -> str | None:
    """Return the agent that answers in the town's server."""
    found: str | None = town.cog.services.settings.agent_for(town.guild.id)
    return found
