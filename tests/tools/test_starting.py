"""discord_start_thread: a conversation beside the channel, begun once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aurora.agents.protocol import ToolResult
from aurora.model import Event, Trace
from aurora.reasons import Reason
from aurora.tools.host import RunTools
from aurora.tools.threads import thread_name
from doubles.local_discord import FORUM, VOICE, Channel, Overwrite, permissions
from tests.support.stage import Stage, allow, send


@pytest.fixture(autouse=True)
async def _allowed(stage: Stage) -> None:
    await allow(stage, "discord_start_thread")


async def start(tools: RunTools, channel: Channel, name: str, **more: Any) -> ToolResult:
    arguments = {"channelId": str(channel.id), "name": name, **more}
    return await tools.call("discord_start_thread", arguments)


async def from_question(stage: Stage, event: Event, name: str = "Plans") -> ToolResult:
    tools = stage.open(event)
    return await start(tools, stage.channel, name, messageId=str(event.message_id))


def threads(stage: Stage) -> list[Channel]:
    return list(stage.guild.threads.values())


async def test_a_thread_begins_with_a_message(stage: Stage) -> None:
    """It has its id, is open to all who see the channel, and the agent writes into it."""
    event = await stage.ask()
    tools = stage.open(event)
    result = await start(tools, stage.channel, "Plans", messageId=str(event.message_id))
    (thread,) = threads(stage)
    assert (thread.id, thread.name, thread.is_private_thread) == (
        event.message_id,
        "Plans",
        False,
    )
    assert f'"{thread.id}"' in result.text
    assert not (await send(tools, thread, "First plan")).is_error
    assert stage.answers(thread)[-1].content == "First plan"


async def test_without_a_message_one_is_posted_for_it(stage: Stage) -> None:
    """Discord would tell of the thread in the same way."""
    event = await stage.ask()
    result = await start(stage.open(event), stage.channel, "Plans")
    (message,) = stage.answers()
    (thread,) = threads(stage)
    assert (message.content, thread.id) == ("Plans", message.id)
    assert not result.is_error
    assert await stage.settle(event, "It is there.") == Reason.DELIVERED


async def test_a_thread_alone_is_an_answer(stage: Stage) -> None:
    """Who asked for one sees it."""
    event = await stage.ask()
    await from_question(stage, event)
    assert await stage.settle(event, "") == Reason.REACTED
    assert stage.reactions(event) == []


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("  Plans \n for\tFriday ", "Plans for Friday"),
        ("**Bold** `code` ~~x~~ ||spoiler||", "Bold code x spoiler"),
        ("snake_case (C++) #1", "snake_case (C++) #1"),
        ("<@1187654321098765432> <@&1187654321098765432> <#1187654321098765432>", ""),
        ("<:tea:1187654321098765432> <a:tea:1187654321098765432> time", "time"),
        ("see <t:1700000000:R>", "see"),
        ("@everyone", "everyone"),
        ("x" * 300, "x" * 100),
        ("<<@1187654321098765432>>", ""),
        ("\\*", ""),
    ],
)
def test_a_name_has_no_markup_and_mentions_nobody(given: str, name: str) -> None:
    """Discord shows it as it is."""
    assert thread_name(given) == name


async def test_a_name_is_filtered_as_a_text_is(stage: Stage) -> None:
    """Everybody reads it in the list of channels."""
    await start(stage.open(await stage.ask()), stage.channel, "Join discord.gg/abcdef now")
    (thread,) = threads(stage)
    assert "discord.gg" not in thread.name


@pytest.mark.parametrize("name", ["", " ", "**", "<@1187654321098765432>"])
async def test_a_name_of_nothing_is_refused(stage: Stage, name: str) -> None:
    """Before anything is posted for it."""
    result = await start(stage.open(await stage.ask()), stage.channel, name)
    assert result.is_error
    assert "what the thread is about" in result.text
    assert stage.answers() == []


@pytest.mark.parametrize("kind", [FORUM, VOICE, "thread"])
async def test_only_text_channels_have_threads(stage: Stage, kind: int | str) -> None:
    """Elsewhere Discord starts none, and nothing is posted."""
    if kind == "thread":
        place = stage.local.start_thread(stage.channel, "talk", owner=stage.bob)
    else:
        place = stage.local.add_channel(stage.guild, "place", type=int(kind))
    before = len(threads(stage))
    assert (await start(stage.open(await stage.ask()), place, "Plans")).is_error
    assert len(threads(stage)) == before
    assert stage.answers(place) == []


@pytest.mark.parametrize("who", ["ada", "bot_user"])
async def test_it_takes_the_right_to_start_threads(stage: Stage, who: str) -> None:
    """The asker's, and the bot's own."""
    user = stage.ada if who == "ada" else stage.local.bot_user
    deny = Overwrite.of(user, deny=permissions.CREATE_PUBLIC_THREADS)
    stage.local.set_overwrites(stage.channel, (deny,))
    result = await from_question(stage, await stage.ask())
    assert result.is_error
    assert ("may not start threads" if who == "ada" else "lacks the permission") in result.text
    assert threads(stage) == []


async def test_who_may_not_write_there_has_no_message_posted_for_a_thread(stage: Stage) -> None:
    """The message is a send, and asked for as one."""
    deny = Overwrite.of(stage.ada, deny=permissions.SEND_MESSAGES)
    other = stage.local.add_channel(stage.guild, "news", overwrites=(deny,))
    result = await start(stage.open(await stage.ask()), other, "Plans")
    assert result.is_error
    assert (stage.answers(other), threads(stage)) == ([], [])


# -- once


async def test_the_same_thread_is_started_once(stage: Stage) -> None:
    """With a message and without, by a run that is started over, too."""
    event = await stage.ask()
    for _ in range(2):
        await from_question(stage, event)
    assert len(threads(stage)) == 1
    for _ in range(2):
        await start(stage.open(event), stage.channel, "Others")
    assert len(threads(stage)) == 2
    assert len(stage.answers()) == 1


@pytest.mark.parametrize("status", [500, 503])
async def test_an_answer_that_is_lost_starts_no_second_one(stage: Stage, status: int) -> None:
    """Discord has no nonce for threads; discord.py itself repeats a 500."""
    event = await stage.ask()
    stage.local.faults.add("POST", r"/threads$", status=status, applied=True)
    result = await from_question(stage, event)
    assert len(threads(stage)) == 1
    assert not result.is_error


@pytest.mark.parametrize("given", [True, False], ids=["from a message", "from one of its own"])
async def test_a_crash_makes_no_second_one(stage: Stage, given: bool) -> None:
    """What was begun is looked for, and leaves a trace."""
    event = await stage.ask()
    more = {"messageId": str(event.message_id)} if given else {}
    stage.local.faults.add("POST", r"/threads$", status=503, applied=True)
    call = asyncio.create_task(start(stage.open(event), stage.channel, "Plans", **more))
    await stage.local.wait_for(lambda: threads(stage))
    call.cancel()
    await asyncio.wait([call])
    assert await stage.trace(event) is Trace.INTERIM
    found = [one for one in await stage.sends(event) if one.kind == "thread"]
    assert [one.message_ids for one in found] == [(threads(stage)[0].id,)]
    await start(stage.open(event), stage.channel, "Plans", **more)
    assert len(threads(stage)) == 1


async def test_a_message_that_has_a_thread_of_somebodys_says_so(stage: Stage) -> None:
    """It is not the agent's, and none of what it did."""
    event = await stage.ask()
    said = stage.local.world.messages[event.message_id]
    stage.local.start_thread(stage.channel, "mine", owner=stage.bob, message=said)
    result = await from_question(stage, event)
    assert result.is_error
    assert "already" in result.text
    assert [one.message_ids for one in await stage.sends(event)] == [()]


async def test_threads_count_as_messages_and_slowmode_binds_them(stage: Stage) -> None:
    """As a person's would."""
    slow = stage.local.add_channel(stage.guild, "slow")
    slow.slowmode = 60
    stage.local.world.update_channel(slow)
    first, second = (stage.local.say(stage.bob, slow, text) for text in ("one", "two"))
    tools = stage.open(await stage.ask())
    assert not (await start(tools, slow, "A", messageId=str(first.id))).is_error
    result = await start(tools, slow, "B", messageId=str(second.id))
    assert "slowmode" in result.text
    await stage.settings.set_guild(stage.guild.id, budget_messages=1)
    event = await stage.ask()
    await from_question(stage, event)
    assert "at most 1" in (await start(stage.open(event), stage.channel, "C")).text


async def test_until_admins_allow_it_there_is_none(stage: Stage) -> None:
    """Threads are for moderators to clear up."""
    await stage.settings.set_guild(stage.guild.id, tools_chosen={})
    assert "There is no tool" in (await from_question(stage, await stage.ask())).text
    assert threads(stage) == []
