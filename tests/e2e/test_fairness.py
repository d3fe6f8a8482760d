"""Whose turn it is: nobody slow delays anybody else, and a channel's answers keep their order."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from redbot.core import commands

from doubles.llm import Step
from doubles.local_discord import (
    Channel,
    Guild,
    Message,
    User,
)
from tests.support.e2e.seen import mention, outcome_of, provoke, reached, works
from tests.support.e2e.town import Town


@pytest.fixture
def gate(town: Town) -> asyncio.Event:
    """Hold every run whose message says "slow" until this is set."""
    held = asyncio.Event()
    town.llm.script("slow", Step(gate=held, text="done"))
    return held


def people(town: Town, guild: Guild, count: int) -> list[User]:
    """Let people join a guild."""
    found = [town.discord.add_user(f"user{number}") for number in range(count)]
    for user in found:
        town.discord.add_member(guild, user)
    return found


def rooms(town: Town, guild: Guild, count: int) -> list[Channel]:
    """Open channels in a guild."""
    return [town.discord.add_channel(guild, f"room{number}") for number in range(count)]


def slow(town: Town, author: User, channel: Channel) -> Message:
    """Ask for something slow."""
    return town.discord.say(author, channel, f"{town.mention} slow")


async def second_guild(town: Town, agent_id: str) -> Channel:
    """Found a second guild with an agent, and return its channel."""
    away = town.discord.add_channel(town.discord.add_guild("Away", owner=town.ada), "away")
    assert "Done" in await town.command(f"aurora enable {agent_id}", channel=away)
    return away


async def all_queued(town: Town, messages: list[Message]) -> None:
    """Wait until all were accepted, and those that may run do."""
    for message in messages:
        await reached(town, message, "queued")
    await town.discord.wait_for(lambda: town.cog.services.queue.get_stats()["running"] or None)


def running(town: Town, messages: list[Message]) -> int:
    """Count those that run."""
    return sum(town.steps(message)[-1] == "running" for message in messages)


async def ends(town: Town, messages: list[Message]) -> list[str]:
    """Wait for all and return how they ended."""
    return [(await town.ended(message)).step for message in messages]


async def test_twelve_slow_runs_do_not_delay_another_guild(
    town: Town, gate: asyncio.Event
) -> None:
    """A mention in guild B, which has its own agent, is answered while all of A's still wait."""
    away = await second_guild(town, await town.server.create_agent("other agent"))
    places, askers = rooms(town, town.guild, 12), people(town, town.guild, 12)
    load = [slow(town, *pair) for pair in zip(askers, places, strict=True)]
    await all_queued(town, load)
    await works(town, away)
    assert {town.steps(message)[-1] for message in load} <= {"queued", "running"}
    gate.set()
    assert await ends(town, load) == ["answered"] * 12


async def test_a_channel_is_answered_in_order_and_at_its_pace(town: Town) -> None:
    """Ten mentions: ten answers in the order of asking, no two starts closer than the limit."""
    await town.cog.services.settings.set_guild(town.guild.id, rate_limit_seconds=0.4)
    asked = [mention(town, f"[[say:{number}]]") for number in range(10)]
    assert await ends(town, asked) == ["answered"] * 10
    answers = [one for one in town.bot_messages(town.general) if one.id > asked[0].id]
    assert [one.content for one in answers] == [str(number) for number in range(10)]
    assert [one.reference for one in answers] == [message.id for message in asked]
    starts = [change.at for change in town.changes if change.step == "running"]
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert min(gaps) > 0.38


async def test_a_person_holds_three_runs_at_most(town: Town, gate: asyncio.Event) -> None:
    """The fourth waits, and nobody else with it."""
    load = [slow(town, town.bo, place) for place in rooms(town, town.guild, 4)]
    await all_queued(town, load)
    await works(town)
    assert running(town, load) == 3
    gate.set()
    assert await ends(town, load) == ["answered"] * 4


async def test_an_agent_holds_four_runs_at_most_wherever_it_is_asked(
    town: Town, gate: asyncio.Event
) -> None:
    """A guild that shares its agent waits for it; one with its own does not."""
    shared = await second_guild(town, town.agent_id)
    own = await second_guild(town, await town.server.create_agent("other agent"))
    askers, places = people(town, town.guild, 4), rooms(town, town.guild, 4)
    load = [slow(town, *pair) for pair in zip(askers, places, strict=True)]
    await all_queued(town, load)
    await town.discord.wait_for(lambda: running(town, load) == 4 or None)
    behind = mention(town, "[[say:my turn]]", shared)
    await works(town, own)
    assert town.steps(behind) == ["queued"]
    gate.set()
    assert await ends(town, [*load, behind]) == ["answered"] * 5


async def test_a_guild_holds_eight_runs_at_most(town: Town, gate: asyncio.Event) -> None:
    """Nine people in nine channels: eight run, and another guild is answered meanwhile."""
    # A guild has one agent, whose own limit is narrower; without it the guild's shows.
    town.cog.services.queue._rules.agent_runs = 64
    away = await second_guild(town, town.agent_id)
    places, askers = rooms(town, town.guild, 9), people(town, town.guild, 9)
    load = [slow(town, *pair) for pair in zip(askers, places, strict=True)]
    await all_queued(town, load)
    await town.discord.wait_for(lambda: running(town, load) == 8 or None)
    await works(town, away)
    assert running(town, load) == 8, [town.steps(one) for one in load]
    gate.set()
    assert await ends(town, load) == ["answered"] * 9


async def test_a_full_queue_refuses_loudly(town: Town, gate: asyncio.Event) -> None:
    """Each refused message is marked, and the channel told once; the others are all answered."""
    await town.command("aurora config queuesize 10")
    await town.cog.services.settings.set_guild(town.guild.id, rate_limit_seconds=0.0)
    first = slow(town, town.ada, town.general)
    await reached(town, first, "running")
    waiting = [mention(town, f"[[say:{number}]]") for number in range(10)]
    late = [mention(town, "one too many") for _ in range(3)]
    await town.discord.wait_for(marked(town, late))
    assert [town.marks(message) for message in late] == [["⏳"]] * 3
    notices = [one for message in late for one in town.answers(message)]
    assert ["too many messages" in one.content for one in notices] == [True]
    assert [town.steps(message) for message in late] == [[], [], []]
    gate.set()
    assert await ends(town, [first, *waiting]) == ["answered"] * 11
    assert (await provoke(town, "[[say:room again]]")).state == "answered"


async def test_a_flood_of_one_person_is_refused_before_anything_is_done_for_it(
    town: Town, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five wait, each other is marked, and told once; another member waits for few of them."""
    await town.cog.services.settings.set_guild(
        town.guild.id, rate_limit_seconds=0.0, user_queue_size=5
    )
    described: list[int] = []
    building = sys.modules[type(town.cog.services.intake).__module__]
    build = building.build_event_context

    async def counted(message: Any, *args: Any, **more: Any) -> Any:
        described.append(message.id)
        return await build(message, *args, **more)

    monkeypatch.setattr(building, "build_event_context", counted)
    first = slow(town, town.bo, town.general)
    await reached(town, first, "running")
    flood = [
        town.discord.say(town.bo, town.general, f"{town.mention} [[say:{number}]]")
        for number in range(25)
    ]
    waiting, late = flood[:5], flood[5:]
    await town.discord.wait_for(marked(town, late))
    assert [town.marks(message) for message in late] == [["⏳"]] * 20
    notices = [one for message in late for one in town.answers(message)]
    assert ["asked me as much" in one.content for one in notices] == [True]
    assert described == [one.id for one in (first, *waiting)]
    behind = mention(town, "[[say:my turn]]")
    await reached(town, behind, "queued")
    gate.set()
    assert await ends(town, [first, *waiting, behind]) == ["answered"] * 7
    started = [change.message_id for change in town.changes if change.step == "running"]
    assert started.index(behind.id) - started.index(first.id) <= 6


async def test_one_account_can_not_close_direct_messages_for_others(
    town: Town, gate: asyncio.Event
) -> None:
    """Seventy of its messages are more than a server takes of all."""
    await town.cog.services.settings.set_world(dm_agent_id=town.agent_id)
    loud, other = town.discord.open_dm(town.bo), town.discord.open_dm(town.ada)
    first = town.discord.say(town.bo, loud, "slow")
    await reached(town, first, "running")
    flood = [town.discord.say(town.bo, loud, f"[[say:{number}]]") for number in range(70)]
    await town.discord.wait_for(lambda: all(map(town.marks, flood[5:])), 30)
    seen = await outcome_of(town, town.discord.say(town.ada, other, "[[say:hello]]"))
    assert seen.state == "answered"
    gate.set()
    assert await ends(town, [first, *flood[:5]]) == ["answered"] * 6


async def test_who_asks_too_often_is_told_so_once(town: Town) -> None:
    """Two turns a minute here: the third message is marked and told, the fourth marked alone."""
    assert "2/60" in await town.command("aurora config userlimit 2 60")
    for _ in range(2):
        await works(town)
    late = [mention(town, "again") for _ in range(2)]
    await town.discord.wait_for(marked(town, late))
    assert [town.marks(message) for message in late] == [["⏳"]] * 2
    notices = [one for message in late for one in town.answers(message)]
    assert ["a lot in a short time" in one.content for one in notices] == [True]
    assert await town.refusal(late[1]) == "too_often"
    assert "off" in await town.command("aurora config userlimit off")
    await works(town)
    assert "3/30" in await town.command("aurora config set userlimit 3/30")


async def test_two_servers_can_try_messages_again_at_the_same_time(town: Town) -> None:
    """One at a time in each; before, one admin's long list was in the way of all others."""
    away = await second_guild(town, town.agent_id)
    services, entered, go = town.cog.services, [], asyncio.Event()
    latest = services.retries.latest

    async def slowly(place: Any) -> Any:
        entered.append(place)
        await go.wait()
        return await latest(place)

    object.__setattr__(services, "retries", SimpleNamespace(latest=slowly))
    for place in (town.general, away):
        town.discord.say(town.ada, place, "!aurora queue retry all")
    async with asyncio.timeout(20):
        while len(entered) < 2:  # noqa: ASYNC110 - a command tells nobody that it began
            await asyncio.sleep(0.01)
    assert sorted(entered) == sorted([town.guild.id, away.guild.id if away.guild else 0])
    failure = await town.refused("aurora queue retry all")
    assert isinstance(failure, commands.MaxConcurrencyReached)
    go.set()
    await town.discord.wait_for(lambda: town.bot_messages(away)[-1:] or None)


def marked(town: Town, messages: list[Message]) -> Callable[[], bool]:
    """Tell when all messages bear a mark and the first its notice."""
    return lambda: all(map(town.marks, messages)) and bool(town.answers(messages[0]))


async def test_the_first_mentions_after_a_start_may_come_at_once(town: Town) -> None:
    """Conversations that are opened side by side all get their tools."""
    askers, places = people(town, town.guild, 4), rooms(town, town.guild, 4)
    load = [
        town.discord.say(asker, place, f"{town.mention} [[send:hi]]")
        for asker, place in zip(askers, places, strict=True)
    ]
    assert await ends(town, load) == ["answered"] * 4
    assert [len(town.answers(one, one.channel)) for one in load] == [1] * 4


async def test_a_slow_channel_does_not_delay_the_next(town: Town, gate: asyncio.Event) -> None:
    """Lanes are by channel: only the slow one's own messages wait."""
    stuck = slow(town, town.ada, town.general)
    behind = mention(town, "[[say:later]]")
    await reached(town, behind, "queued")
    await works(town, town.discord.add_channel(town.guild, "next door"))
    assert town.steps(behind) == ["queued"]
    gate.set()
    assert await ends(town, [stuck, behind]) == ["answered"] * 2
    assert (await outcome_of(town, behind)).reason == "delivered"
