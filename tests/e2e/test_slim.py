"""`[p]aurora agents slim`: a short system prompt on a real App Server, and the way back."""

from __future__ import annotations

from aurora.agents.slim import SLIM
from doubles.llm import text_parts
from doubles.local_discord import Channel
from tests.support.e2e.pages import answer_question
from tests.support.e2e.town import Town

MANUAL = "You are a Letta Code agent"
PERSONA = "<persona>"


async def system_prompt(town: Town, channel: Channel) -> str:
    """Ask in a channel, and return the system prompt that the model got for its conversation."""
    _, end = await town.ask("hello", channel=channel)
    assert end.step == "answered"
    system, *_ = town.llm.requests[-1]["messages"]
    return "".join(text_parts(system))


async def test_an_agent_gets_a_short_system_prompt_and_its_own_back(town: Town) -> None:
    """Conversations that have begun, too; the persona stays, and a No changes nothing."""
    agent_id = await town.server.create_agent("slim agent")
    assert "Done" in await town.command(f"aurora enable {agent_id}")
    old, new = (town.discord.add_channel(town.guild, name) for name in ("old", "new"))
    long = await system_prompt(town, old)
    assert long.startswith(MANUAL)

    command = f"aurora agents slim {agent_id}"
    assert "Nothing was changed" in await town.command(f"{command} undo")
    assert "Nothing was changed" in await answer_question(town, command, "No")
    assert f"`!{command} undo`" in await answer_question(town, command, "Yes")
    for channel in (old, new):
        short = await system_prompt(town, channel)
        assert short.startswith(SLIM)
        assert PERSONA in short
        assert len(short) < len(long) / 10
    assert "already" in await town.command(command)

    said = await answer_question(town, f"{command} undo", "Yes")
    assert "that it had before" in said
    assert await system_prompt(town, old) == long
    assert "Nothing was changed" in await town.command(f"{command} undo")


async def test_over_the_rest_api_there_is_nothing_to_make_short(rest_town: Town) -> None:
    """Each agent there has the system prompt that it was made with."""
    said = await rest_town.command(f"aurora agents slim {rest_town.agent_id}")
    assert said.startswith("Nothing was changed: only on a Letta App Server")


async def test_an_agent_that_the_server_does_not_know_is_named(town: Town) -> None:
    """As by `enable`."""
    said = await town.command("aurora agents slim agent-local-nobody")
    assert "agent-local-nobody" in said
    assert "Nothing was changed." in said
