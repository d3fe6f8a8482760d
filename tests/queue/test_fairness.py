"""Whose turn it is by order, under the real rules: no person and no guild starves others."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from aurora.errors import Breakers
from aurora.model import Event
from aurora.queue import Enqueued
from aurora.queue.limits import WorkRules
from aurora.reasons import Reason
from aurora.settings import NO_LIMIT, Settings
from tests.support.events import make_event
from tests.support.keepers import Keeper
from tests.support.queues import QueueBench

FLOODER, OTHER = 7, 8


@pytest.fixture
async def settings() -> Settings:
    """Two guilds and the direct messages share an agent; each message is a turn, at any pace."""
    guild = {
        "agent_id": "agent",
        "enabled": True,
        "rate_limit_seconds": 0.0,
        "coalesce_messages": False,
        "user_limit": NO_LIMIT,
    }
    made = Settings(Keeper({"dm_agent_id": "agent"}, {9: guild, 10: guild}))
    await made.load()
    return made


@pytest.fixture
async def bench(settings: Settings) -> QueueBench:
    """An open queue under these settings."""
    made = QueueBench()
    made.rules = WorkRules(settings, Breakers(made.clock))  # type: ignore[assignment]  # the real
    await made.reopen()
    return made


def new(bench: QueueBench, **changes: Any) -> Event:
    """Return an event of this moment."""
    return make_event(now=bench.clock.time(), **changes)


async def flood(bench: QueueBench, channels: itertools.cycle[int] | itertools.count[int]) -> None:
    """Let one person ask until they are refused."""
    while True:
        event = new(bench, channel_id=next(channels), author_id=FLOODER)
        if await bench.queue.enqueue(event) is not Enqueued.ACCEPTED:
            return


@pytest.mark.parametrize("same", [True, False], ids=["in the same lane", "in other lanes"])
async def test_two_hundred_questions_of_one_let_another_wait_for_five_turns_at_most(
    bench: QueueBench, same: bool
) -> None:
    """They go on asking all the while, as much as they may."""
    channels = itertools.cycle([1]) if same else itertools.count(2)
    asked, running = 0, []
    for _ in range(3):
        await flood(bench, channels)
        running += await bench.claim_all()
    event = new(bench, channel_id=1, author_id=OTHER)
    await bench.accept(event)
    before: list[Event] = []
    while event not in before and asked < 200:
        asked += 1
        await flood(bench, channels)
        await bench.finish(running.pop(0))
        started = await bench.claim_all()
        running += started
        before += started
    assert event in before
    assert before.index(event) <= 5


async def test_whoever_asks_in_ever_new_channels_overtakes_nobody(bench: QueueBench) -> None:
    """Each end of theirs wakes another of theirs, who has not waited as long."""
    slow = new(bench, channel_id=500, author_id=99)
    await bench.accept(slow)
    await bench.accept(*[new(bench, channel_id=n, author_id=FLOODER) for n in range(2, 6)])
    running = await bench.claim_all()
    assert len(running) == 4
    event = new(bench, channel_id=1, author_id=OTHER)
    await bench.accept(event, *[new(bench, channel_id=n, author_id=FLOODER) for n in range(6, 9)])
    await bench.finish(next(one for one in running if one is not slow))
    await bench.finish(next(one for one in reversed(running) if one is not slow))
    started = await bench.claim_all()
    assert event in started


async def starts(bench: QueueBench, running: list[Event], count: int) -> list[int | None]:
    """Let runs end one after the other; return the guilds of those that start."""
    found: list[int | None] = []
    for _ in range(count):
        await bench.finish(running.pop(0))
        started = await bench.claim_all()
        running += started
        found += [one.guild_id for one in started]
    return found


def questions(bench: QueueBench, guild_id: int | None, count: int) -> list[Event]:
    """Make questions of as many people in as many channels."""
    first = 1000 * (guild_id or 1)
    return [
        new(bench, channel_id=first + n, author_id=first + n, guild_id=guild_id)
        for n in range(count)
    ]


@pytest.mark.parametrize("busy", [9, None], ids=["a guild", "direct messages"])
async def test_a_guild_has_half_of_an_agent_while_others_wait(
    bench: QueueBench, busy: int | None
) -> None:
    """And all of it while nobody else does; DMs are one guild, however many write."""
    await bench.accept(*questions(bench, busy, 24))
    running = await bench.claim_all()
    assert [one.guild_id for one in running] == [busy] * 4
    await bench.accept(*questions(bench, 10, 4))
    assert await bench.claim_all() == []
    assert await starts(bench, running, 2) == [10, 10]
    # Each has two now, and takes what it gave up.
    assert sorted(await starts(bench, running, 4), key=str) == sorted(
        [busy, busy, 10, 10], key=str
    )
    assert await starts(bench, running, 4) == [busy] * 4


async def test_who_can_not_use_a_place_does_not_keep_it_from_others(bench: QueueBench) -> None:
    """Its person has as many runs as one may have, so that the busy guild goes on."""
    elsewhere = [new(bench, channel_id=n, guild_id=10, author_id=OTHER) for n in range(1, 5)]
    await bench.accept(*elsewhere[:3])
    running = await bench.claim_all()
    await bench.accept(elsewhere[3], *questions(bench, 9, 3))
    assert [one.guild_id for one in await bench.claim_all()] == [9]
    await bench.finish(running[0])
    assert [one.guild_id for one in await bench.claim_all()] == [9]


async def test_what_is_to_be_first_goes_before_other_lanes_and_never_before_its_own(
    bench: QueueBench,
) -> None:
    """Also before other guilds, that have waited for longer; the guild's limit holds."""
    running = [new(bench, channel_id=100 + number, author_id=number) for number in range(4)]
    for event in running:
        await bench.queue.enqueue(event)
    turns = [await bench.queue.take() for _ in running]
    for turn in turns:
        await bench.queue.start(turn)
    waits = [
        new(bench, channel_id=200 + n, guild_id=9 + n % 2, author_id=50 + n) for n in range(6)
    ]
    for event in waits:
        await bench.queue.enqueue(event)
    behind = new(bench, channel_id=200, author_id=1000, wish="strong first")
    first = new(bench, channel_id=300, author_id=1000, wish="strong first")
    for event in (behind, first):
        await bench.queue.enqueue(event)
    order = []
    for turn in turns[:2]:
        await bench.queue.finish(turn, Reason.SENT)
        taken = await bench.queue.take()
        order.append(taken.speaker)
        await bench.queue.start(taken)
    assert order[0] is first
    assert order[1] is not behind
