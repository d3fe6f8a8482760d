"""Limits are settings that hold at once; who waits for a run of their own is told."""

from __future__ import annotations

import asyncio

import pytest

from aurora.errors import Breakers
from aurora.health.crowding import WORTH_A_WORD_SECONDS, Crowding
from aurora.ids import new_event_id, task_id
from aurora.model import Event
from aurora.queue.limits import WorkRules
from aurora.settings import NO_LIMIT, Settings
from tests.support.events import make_event
from tests.support.keepers import Keeper
from tests.support.queues import QueueBench


class Bench(QueueBench):
    """A queue under settings, and what people are told of waiting."""

    def __init__(self) -> None:
        super().__init__()
        guild = {
            "agent_id": "agent",
            "enabled": True,
            "rate_limit_seconds": 0.0,
            "user_limit": NO_LIMIT,
        }
        self.settings = Settings(Keeper({}, {9: guild}))
        self.told: list[tuple[str, str]] = []
        self.first: list[str] = []
        self.crowding: Crowding
        self.running: list[Event] = []

    async def open(self) -> None:
        """Open it, with the real rules."""
        await self.settings.load()
        rules = WorkRules(self.settings, Breakers(self.clock), agent_runs=100)
        self.rules = rules  # type: ignore[assignment]  # the real ones
        await self.reopen()

        async def notice(event: Event, words: object) -> None:
            self.told.append((event.id, str(words)))

        async def first(event: Event) -> None:
            self.first.append(event.id)

        self.crowding = Crowding(self.queue, self.settings, notice, self.clock, first=first)

    async def asked(self, channel_id: int, author_id: int = 7) -> Event:
        """Let somebody ask."""
        event = make_event(
            id=new_event_id(self.clock.time()),
            now=self.clock.time(),
            channel_id=channel_id,
            author_id=author_id,
        )
        await self.accept(event)
        return event

    async def greeted(self, event: Event) -> None:
        """Let what is said to the author of a new event be said."""
        task = asyncio.create_task(self.crowding.greet(event))
        await asyncio.sleep(0)
        await self.clock.advance(WORTH_A_WORD_SECONDS)
        await task


@pytest.fixture
async def bench() -> Bench:
    """One in which a person has three runs."""
    made = Bench()
    await made.open()
    for channel_id in (1, 2, 3):
        await made.asked(channel_id)
        made.running.append(await made.claim())
    return made


async def test_the_fourth_run_of_a_person_waits_and_is_told(bench: Bench) -> None:
    """With its name, and how many there may be; another person's does not wait."""
    fourth, other = await bench.asked(4), await bench.asked(5, author_id=8)
    assert (await bench.claim()).id == other.id
    await bench.greeted(other)
    assert bench.told == []
    await bench.greeted(fourth)
    ((event_id, words),) = bench.told
    assert event_id == fourth.id
    assert task_id(fourth.id) in words
    assert "at a time: 3" in words
    assert bench.first == [other.id, fourth.id]


async def test_it_is_said_once_a_minute(bench: Bench) -> None:
    """Whatever else they ask meanwhile."""
    for channel_id in (4, 5):
        await bench.greeted(await bench.asked(channel_id))
    assert len(bench.told) == 1
    await bench.clock.advance(60)
    await bench.greeted(await bench.asked(6))
    assert len(bench.told) == 2


async def test_who_has_their_turn_at_once_is_told_nothing(bench: Bench) -> None:
    """Most runs end within seconds; a word about that would be noise."""
    fourth = await bench.asked(4)
    task = asyncio.create_task(bench.crowding.greet(fourth))
    await asyncio.sleep(0)
    await bench.finish(bench.running[0])
    assert (await bench.claim()).id == fourth.id
    await bench.clock.advance(WORTH_A_WORD_SECONDS)
    await task
    assert bench.told == []


@pytest.mark.parametrize("limit", ["user_runs", "guild_runs", "global_runs"])
async def test_a_limit_that_is_raised_lets_those_run_that_wait_for_it(
    bench: Bench, limit: str
) -> None:
    """At once, and without a restart."""
    if limit != "user_runs":
        await bench.settings.set_guild(9, user_runs=10)
        await bench.settings.set_world(**{limit: 3})
    fourth = await bench.asked(4)
    assert await bench.claim_all() == []
    if limit == "user_runs":
        await bench.settings.set_guild(9, user_runs=4)
    else:
        await bench.settings.set_world(**{limit: 4})
    bench.queue.reconsider()
    assert (await bench.claim()).id == fourth.id


async def test_a_limit_that_is_lowered_stops_nobody_who_runs(bench: Bench) -> None:
    """Who waits does so until fewer run than may."""
    await bench.settings.set_guild(9, user_runs=1)
    await bench.asked(4)
    first, second, third = bench.running
    for one in (first, second):
        await bench.finish(one)
        assert await bench.claim_all() == []
    await bench.finish(third)
    assert (await bench.claim()).channel_id == 4
