"""discord_create_poll: people vote on what the agent asks, once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aurora.agents.protocol import ToolResult
from aurora.reasons import Reason
from aurora.tools.host import RunTools
from doubles.local_discord import Message, Overwrite, permissions
from tests.support.stage import Stage, allow, send, together

PLAIN = {"question": "Tea or coffee?", "answers": ["Tea", "Coffee"]}


@pytest.fixture(autouse=True)
async def _allowed(stage: Stage) -> None:
    await allow(stage, "discord_create_poll")


async def poll(tools: RunTools, stage: Stage, **more: Any) -> ToolResult:
    arguments = {"channelId": str(stage.channel.id), **PLAIN, **more}
    return await tools.call("discord_create_poll", arguments)


def polls(stage: Stage) -> list[Message]:
    return [one for one in stage.answers() if one.poll is not None]


async def test_a_poll_is_posted_and_answers(stage: Stage) -> None:
    """As the reply, for as long as was said."""
    event = await stage.ask()
    result = await poll(stage.open(event), stage, hours=48, multiple=True)
    (answer,) = stage.answers()
    assert answer.poll is not None
    assert answer.poll["question"]["text"] == "Tea or coffee?"
    assert [one["poll_media"]["text"] for one in answer.poll["answers"]] == ["Tea", "Coffee"]
    assert answer.poll["allow_multiselect"]
    ends = datetime.fromisoformat(answer.poll["expiry"]) - datetime.now(UTC)
    assert timedelta(hours=47) < ends <= timedelta(hours=48)
    assert answer.reference == event.message_id
    assert f'"{answer.id}"' in result.text
    assert await stage.settle(event, "I made a poll.") == Reason.SENT
    assert len(stage.answers()) == 1


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({"question": " "}, "question must have 1 to 300"),
        ({"question": "x" * 301}, "question must have 1 to 300"),
        ({"answers": ["Tea"]}, "2 to 10 different"),
        ({"answers": [str(n) for n in range(11)]}, "2 to 10 different"),
        ({"answers": ["Tea", "Tea "]}, "2 to 10 different"),
        ({"answers": ["Tea", "x" * 56]}, "Each answer must have 1 to 55"),
        ({"answers": ["Tea", ""]}, "Each answer must have 1 to 55"),
        ({"answers": "Tea"}, "answers must be a list of strings"),
        ({"answers": ["Tea", 5]}, "answers must be a list of strings"),
        ({"answers": None}, "answers is missing"),
        ({"hours": 0}, "hours must be a whole number from 1 to 768"),
        ({"hours": 769}, "hours must be a whole number from 1 to 768"),
        ({"multiple": "perhaps"}, "multiple must be true or false"),
    ],
)
async def test_what_makes_no_poll_is_named(stage: Stage, more: dict[str, Any], wrong: str) -> None:
    """Before Discord would refuse it in words for programmers."""
    result = await poll(stage.open(await stage.ask()), stage, **more)
    assert result.is_error
    assert wrong in result.text
    assert [one for one in stage.local.calls if one.method == "POST"] == []


async def test_the_same_poll_twice_is_posted_once(stage: Stage) -> None:
    """Another one is another."""
    tools = stage.open(await stage.ask())
    await asyncio.gather(*(poll(tools, stage) for _ in range(3)))
    assert len(polls(stage)) == 1
    assert "already" in (await poll(tools, stage)).text
    await poll(tools, stage, answers=["Tea", "Cocoa"])
    assert len(polls(stage)) == 2


@pytest.mark.parametrize("first", [True, False], ids=["the reply", "a further one"])
async def test_a_crash_between_posting_and_recording_does_not_post_it_twice(
    stage: Stage, first: bool
) -> None:
    """It is known by its question and its answers."""
    event = await stage.ask()
    if not first:
        await send(stage.open(event), stage.channel, "Before")
    stage.local.faults.add("POST", r"/messages$", status=503, applied=True)
    call = asyncio.create_task(poll(stage.open(event), stage))
    await stage.local.wait_for(lambda: polls(stage))
    call.cancel()
    await asyncio.wait([call])
    stage.local.nonces.window = -1
    again = await poll(stage.open(event), stage)
    assert len(polls(stage)) == 1
    assert not again.is_error


async def test_a_poll_that_discord_delays_is_owed_and_comes(stage: Stage) -> None:
    """As a text does."""
    turn = together(await stage.ask())
    stage.local.faults.add("POST", r"/messages$", status=503, times=3)
    result = await poll(stage.open(turn), stage, multiple=True)
    assert "do not send it again" in result.text
    await stage.settle(turn, "")
    (answer,) = polls(stage)
    assert answer.poll is not None
    assert answer.poll["allow_multiselect"]


async def test_a_poll_counts_as_a_message(stage: Stage) -> None:
    """A run that makes many stops being heard."""
    tools = stage.open(await stage.ask())
    results = [await poll(tools, stage, question=f"Number {n}?") for n in range(7)]
    assert len(polls(stage)) == 5
    assert results[-1].is_error


@pytest.mark.parametrize("who", ["ada", "bot_user"])
async def test_it_takes_the_right_to_make_polls(stage: Stage, who: str) -> None:
    """The asker's, and the bot's own."""
    user = stage.ada if who == "ada" else stage.local.bot_user
    deny = Overwrite.of(user, deny=permissions.SEND_POLLS)
    stage.local.set_overwrites(stage.channel, (deny,))
    result = await poll(stage.open(await stage.ask()), stage)
    assert result.is_error
    assert ("may not make polls" if who == "ada" else "lacks the permission") in result.text
    assert stage.answers() == []


async def test_a_poll_pings_nobody_and_is_filtered(stage: Stage) -> None:
    """Its texts are the agent's, as any other."""
    question = f"@everyone {stage.bob.mention}, discord.gg/abcdef?"
    await poll(stage.open(await stage.ask()), stage, question=question)
    (answer,) = polls(stage)
    assert answer.poll is not None
    assert "@everyone" not in answer.poll["question"]["text"]
    assert "discord.gg" not in answer.poll["question"]["text"]
    assert (answer.mention_everyone, answer.mentions) == (False, [stage.ada])


async def test_until_admins_allow_it_there_is_none(stage: Stage) -> None:
    """It is not offered, so no agent tries."""
    await stage.settings.set_guild(stage.guild.id, tools_chosen={})
    result = await poll(stage.open(await stage.ask()), stage)
    assert "There is no tool discord_create_poll" in result.text
    assert stage.answers() == []
