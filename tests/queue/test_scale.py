"""Many lanes and events: nothing looks at all of them in one go, nor at more than it touches.

What is looked at is counted; a clock would tell more about the machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from aurora.model import Change, Event, State, Turn
from aurora.reasons import Reason
from aurora.runs.cancelling import in_channel, in_guild, messages
from tests.support.events import make_event
from tests.support.queues import QueueBench, Rules
from tests.support.steps import Counter

MANY = 1500
BITE = 400
"""What may be looked at in one go: a few hundred, however many there are."""


class CountingRules(Rules):
    """Rules that count how often they are asked."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 10 * MANY
        self.asked = Counter()

    def hold(self, event: Event) -> float:
        self.asked.add()
        return super().hold(event)

    def limits(self, event: Event) -> Mapping[str, int]:
        self.asked.add()
        return super().limits(event)


class CountedId(int):
    """An id that counts how often anything is compared with it."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        type(self).compared += 1
        return int(self) == other

    __hash__ = int.__hash__


class CountedSet(set[int]):
    """A set that counts how often it is looked into."""

    looked = 0

    def __contains__(self, thing: object) -> bool:
        type(self).looked += 1
        return super().__contains__(thing)


@pytest.fixture
async def bench() -> QueueBench:
    """An open queue, empty yet."""
    made = QueueBench()
    made.rules = CountingRules()
    await made.reopen()
    return made


@pytest.fixture
def asked(bench: QueueBench) -> Counter:
    """How often the rules are asked."""
    assert isinstance(bench.rules, CountingRules)
    return bench.rules.asked


def lanes(bench: QueueBench, count: int = MANY, **more: Any) -> list[Event]:
    """Return an event for each of many lanes, in guilds of fifty lanes, each of its own author."""
    now = bench.clock.time()
    return [
        make_event(
            now=now, **{"channel_id": n, "guild_id": 1 + n // 50, "author_id": 10_000 + n} | more
        )
        for n in range(1, count + 1)
    ]


# -- what holds the lanes changes


async def test_a_change_for_all_looks_at_some_lanes_at_a_time(
    bench: QueueBench, asked: Counter
) -> None:
    """A server's breaker opens: others run between two bites, and each lane is looked at."""
    events = lanes(bench)
    bench.rules.held = {event.channel_id: 60.0 for event in events}
    await bench.accept(*events)
    assert await bench.claim_all() == []
    bench.rules.held.clear()
    bench.rules.most["global"] = 3

    async def change() -> list[Event]:
        bench.queue.reconsider()
        return [await bench.claim() for _ in range(3)]

    # Of each guild in its turn.
    assert await asked.watch(change()) == [events[0], events[49], events[99]]
    assert asked.total >= MANY
    assert asked.most <= BITE


async def test_many_that_fall_due_together_are_looked_at_some_at_a_time(
    bench: QueueBench, asked: Counter
) -> None:
    """Once there is no place for them they are parked, which is work as well."""
    events = lanes(bench)
    bench.rules.held = {event.channel_id: 60.0 for event in events}
    bench.rules.most["global"] = 0
    await bench.accept(*events)
    await bench.claim_all()
    bench.rules.held.clear()
    await asked.watch(bench.clock.advance(60.0))
    await asked.watch(bench.claim_all())
    assert asked.total >= MANY
    assert asked.most <= BITE


async def test_a_change_of_one_guild_looks_at_its_lanes_alone(
    bench: QueueBench, asked: Counter
) -> None:
    """A setting, a pause, the breaker of the agent that answers there."""
    events = lanes(bench)
    bench.rules.held = {event.channel_id: 60.0 for event in events}
    await bench.accept(*events)
    await bench.claim_all()
    bench.rules.held.clear()

    async def change() -> Event:
        bench.queue.reconsider([1 + 500 // 50])
        return await bench.claim()

    assert (await asked.watch(change())).channel_id == 500
    assert asked.total <= 50 + BITE // 4


async def test_changes_that_follow_each_other_cost_no_more_than_one(
    bench: QueueBench, asked: Counter
) -> None:
    """A thousand breakers are closed at once when the server's address changes."""
    events = lanes(bench)
    bench.rules.held = {event.channel_id: 60.0 for event in events}
    await bench.accept(*events)
    await bench.claim_all()

    async def change() -> None:
        for _ in range(1000):
            bench.queue.reconsider()
        assert await bench.claim_all() == []

    await asked.watch(change())
    assert asked.total <= 2 * MANY


async def test_no_guild_is_passed_over_of_those_that_fall_due_together(
    bench: QueueBench,
) -> None:
    """Nobody starts while some that are due have not been looked at."""
    events = lanes(bench, guild_id=1)
    last = make_event(now=bench.clock.time(), channel_id=MANY + 1, guild_id=2)
    bench.rules.held = {event.channel_id: 60.0 for event in (*events, last)}
    bench.rules.most["global"] = 2
    await bench.accept(*events, last)
    await bench.claim_all()
    bench.rules.held.clear()
    await bench.clock.advance(60.0)
    assert await bench.claim_all() == [events[0], last]


async def test_who_was_served_last_comes_last_after_a_change(bench: QueueBench) -> None:
    """A busy channel does not get ahead of the others with every change of a setting."""
    bench.rules.most["global"] = 1
    busy = [make_event(now=bench.clock.time(), channel_id=1) for _ in range(2)]
    other = make_event(now=bench.clock.time(), channel_id=2)
    await bench.accept(*busy, other)
    assert await bench.claim_all() == [busy[0]]
    await bench.retry(busy[0], 0.0)
    bench.queue.reconsider()
    assert await bench.claim_all() == [other]


async def test_lanes_that_are_scheduled_again_and_again_leave_nothing_behind(
    bench: QueueBench,
) -> None:
    """Of each schedule but the last only a void entry is left, and those are thrown out."""
    bench.rules.held = {1: 600.0}
    await bench.accept(*[make_event(now=bench.clock.time()) for _ in range(5)])
    for _ in range(3000):
        bench.queue.reconsider([9])
        await bench.claim_all()
    assert len(bench.queue._lanes._schedule) <= 1100


# -- calling off


@pytest.mark.parametrize("count", [1, 3])
async def test_a_deleted_message_is_looked_up(bench: QueueBench, count: int) -> None:
    """However many others wait."""
    events = lanes(bench)
    await bench.accept(*events)
    gone = CountedSet(event.message_id for event in events[7 : 7 + count])
    CountedSet.looked = 0
    ended = await bench.queue.cancel(messages(gone), Reason.MESSAGE_DELETED)
    assert {one.id for one in ended} == {one.id for one in events[7 : 7 + count]}
    assert CountedSet.looked <= 2 * count


@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_deleted_channel_costs_its_own_lanes(bench: QueueBench, in_thread: bool) -> None:
    """And those of its threads."""
    events = lanes(bench)
    here = make_event(now=bench.clock.time(), channel_id=50_001, parent_id=50_000)
    await bench.accept(*events, here)
    target = CountedId(50_000 if in_thread else 50_001)
    CountedId.compared = 0
    assert await bench.queue.cancel(in_channel(target), Reason.CHANNEL_DELETED) == [here]
    assert CountedId.compared <= 20


async def test_a_guild_that_is_left_costs_its_own_lanes(bench: QueueBench) -> None:
    """Fifty of them."""
    events = lanes(bench)
    await bench.accept(*events)
    target = CountedId(3)
    CountedId.compared = 0
    ended = await bench.queue.cancel(in_guild(target), Reason.GUILD_LEFT)
    assert ended == [event for event in events if event.guild_id == 3]
    assert CountedId.compared <= 4 * 50


async def test_much_that_is_called_off_reaches_the_ledger_a_little_at_a_time(
    bench: QueueBench,
) -> None:
    """An accept waits for no more than a hundred of them; all have their change and their end."""
    events = lanes(bench)
    await bench.accept(*events)
    move, sizes = bench.store.move, []

    async def counted(
        events: Sequence[Event], changes: Sequence[Change], turns: Sequence[Turn] = ()
    ) -> None:
        sizes.append(len(events))
        await move(events, changes, turns)

    bench.store.move = counted  # type: ignore[method-assign]  # a store that counts
    looked = Counter()

    def wanted(_event: Event) -> bool:
        looked.add()
        return True

    ended = await looked.watch(bench.queue.cancel(wanted, Reason.CLEARED))
    assert ended == events
    assert {event.state for event in events} == {State.CANCELLED}
    assert (sum(sizes), max(sizes)) == (MANY, 100)
    assert looked.most <= BITE
    assert [one.step for one in bench.changes].count("cancelled") == MANY
    assert bench.queue.get_stats()["waiting"] == 0


async def test_what_is_taken_while_others_are_called_off_is_nobodys_to_cancel(
    bench: QueueBench,
) -> None:
    """It runs, as if it had been taken a moment before; no lane stumbles over it."""
    events = lanes(bench)
    bench.rules.held = {event.channel_id: 60.0 for event in events[:-1]}
    await bench.accept(*events)
    calling_off = asyncio.create_task(bench.queue.cancel(lambda _event: True, Reason.CLEARED))
    await asyncio.sleep(0)
    assert events[0].state is State.CANCELLED
    taken = await bench.claim()
    assert await calling_off == events[:-1]
    assert (taken, taken.state) == (events[-1], State.RUNNING)
    await bench.finish(taken)
    assert taken.state is State.ANSWERED


# -- time that is given back


async def test_time_is_given_back_to_some_at_a_time(bench: QueueBench) -> None:
    """And kept in parts, so that nobody waits for all of it at the ledger."""
    events = lanes(bench)
    await bench.accept(*events)
    await bench.clock.advance(100.0)
    save, sizes = bench.store.save_events, []

    async def counted(events: Sequence[Event]) -> None:
        sizes.append(len(events))
        await save(events)

    bench.store.save_events = counted  # type: ignore[method-assign]  # a store that counts
    looked, before = Counter(), [event.deadline for event in events]

    def wanted(_event: Event) -> bool:
        looked.add()
        return True

    await looked.watch(bench.queue.lengthen(wanted, 60.0))
    assert [event.deadline for event in events] == [at + 60.0 for at in before]
    assert (sum(sizes), max(sizes)) == (MANY, 100)
    assert looked.most <= BITE


# -- what is asked


@pytest.mark.parametrize("guild_id", [None, 5])
async def test_the_oldest_of_a_place_is_found(bench: QueueBench, guild_id: int | None) -> None:
    """In a guild, in direct messages, and everywhere; what runs does not wait."""
    assert await bench.queue.oldest(guild_id) is None
    running = make_event(now=bench.clock.time() - 50, channel_id=70_000, guild_id=guild_id)
    await bench.accept(running)
    await bench.claim()
    bench.rules.most["global"] = 1
    old = make_event(now=bench.clock.time() - 20, channel_id=70_001, guild_id=guild_id)
    older = make_event(now=bench.clock.time() - 30, channel_id=70_002, guild_id=6)
    await bench.accept(*lanes(bench, 300), old, older)
    assert await bench.queue.oldest(guild_id) == old.accepted_at
    assert await bench.queue.oldest("everywhere") == older.accepted_at
