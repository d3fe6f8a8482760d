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


def call(name: str, /, **arguments: Any) -> str:
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


async def test_texts_and_files_come_in_the_agents_order(town: Town) -> None:
    """A text, a file, a text: three messages, whatever the server makes of the calls."""
    where = str(town.general.id)
    file = {"channelId": where, "name": "../plan.md", "content": "# Plan\n" + "x " * 1000}
    calls = [
        ["discord_send", {"channelId": where, "message": "Here is the plan:"}],
        ["discord_send_file", file],
        ["discord_send", {"channelId": where, "message": "Tell me what you think."}],
    ]
    seen = await provoke(town, f"[[tools:{json.dumps(calls)}]]")
    assert (seen.state, seen.reason) == ("answered", "sent")
    answers = town.bot_messages(town.general)[-3:]
    shown = [one.content or one.attachments[0].filename for one in answers]
    assert shown == ["Here is the plan:", "plan.md", "Tell me what you think."]
    assert answers[1].attachments[0].data.decode() == file["content"]


async def test_an_answer_by_file_is_the_answer(town: Town) -> None:
    """What the agent then says of it is not posted."""
    file = call("discord_send_file", channelId=str(town.general.id), name="a.csv", content="a,b")
    seen = await provoke(town, f"{file}[[after:I sent the file.]]")
    assert (seen.state, seen.reason, len(seen.said)) == ("answered", "sent", 1)


async def test_a_question_is_answered_by_its_button_also_after_a_restart(town: Town) -> None:
    """In the same conversation; a text would have done as well, and a second press is too late."""
    ask = call("discord_ask", question="Which one?", options=["Old", "[[say:So be it.]]"])
    seen = await provoke(town, ask)
    assert (seen.state, seen.reason) == ("answered", "asked")
    question = town.bot_messages(town.general)[-1]
    await town.command("reload aurora")
    custom_id: Any = question.components[0]["components"][1]["custom_id"]
    before = len(town.bot_messages(town.general))
    town.discord.press(town.ada, question, custom_id)
    answer = await town.discord.wait_for(
        lambda: [one for one in town.bot_messages(town.general)[before:] if one.reference]
    )
    assert answer[0].content.endswith("So be it.")
    assert answer[0].reference == question.id
    asked = json.dumps(town.llm.requests[-1]["messages"])
    assert "pressed a button under a message of yours" in asked


async def test_what_admins_allow_is_done(town: Town) -> None:
    """A poll, a thread, and a message that is mended, through a real Red."""
    for name in ("discord_create_poll", "discord_start_thread", "discord_edit_message"):
        assert "**allow**" in await town.command(f"aurora config tools set {name} allow")
    where = str(town.general.id)
    poll = call("discord_create_poll", channelId=where, question="Tea?", answers=["Yes", "No"])
    seen = await provoke(town, poll)
    assert (seen.state, seen.reason) == ("answered", "sent")
    assert town.bot_messages(town.general)[-1].poll is not None
    await provoke(town, call("discord_start_thread", channelId=where, name="Plans"))
    assert [one.name for one in town.guild.threads.values()] == ["Plans"]
    await provoke(town, "[[send:Tea at four.]]")
    sent = town.bot_messages(town.general)[-1]
    mended = {"channelId": where, "messageId": str(sent.id), "message": "Tea at five."}
    seen = await provoke(town, call("discord_edit_message", **mended))
    assert (seen.state, seen.reason, seen.marks) == ("answered", "reacted", [])
    assert sent.content == "Tea at five."
