"""What may still be accepted: of a guild, of a person, and how often a person has a turn."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aurora.errors import Breakers
from aurora.model import Event, EventContext
from aurora.queue import Enqueued
from aurora.queue.limits import DM_EVENTS, WorkRules
from aurora.queue.turn_rate import HOUR, TurnRate
from aurora.reasons import Reason
from aurora.settings import Settings, TurnLimit
from tests.support.events import make_context, make_event
from tests.support.keepers import Keeper
from tests.support.queues import QueueBench

FULL, TOO_OFTEN, ACCEPTED = Enqueued.PERSON_FULL, Enqueued.TOO_OFTEN, Enqueued.ACCEPTED


@pytest.fixture
async def bench() -> QueueBench:
    """A queue that is open, empty, and takes three waiting events of a person."""
    made = QueueBench()
    made.rules.user_size = 3
    await made.queue.open()
    return made


def new(bench: QueueBench, **changes: Any) -> Event:
    """Return an event of this moment."""
    return make_event(now=bench.clock.time(), **changes)


async def offer(bench: QueueBench, **changes: Any) -> Enqueued:
    """Offer an event, and return what becomes of it."""
    return await bench.queue.enqueue(new(bench, **changes))


# -- how much of one person waits


@pytest.mark.parametrize("guild_id", [9, None])
async def test_one_person_fills_nothing_but_their_own_room(
    bench: QueueBench, guild_id: int | None
) -> None:
    """Others are accepted there, and so are they in another place."""
    bench.rules.most["global"] = 0
    came = [await offer(bench, channel_id=n, guild_id=guild_id) for n in range(70)]
    assert came == [ACCEPTED] * 3 + [FULL] * 67
    assert await offer(bench, channel_id=80, guild_id=guild_id, author_id=8) is ACCEPTED
    assert await offer(bench, channel_id=81, guild_id=10) is ACCEPTED


async def test_direct_messages_are_bounded_by_person(bench: QueueBench) -> None:
    """Those of a server's whole queue, and more, are accepted of as many people."""
    rules = WorkRules(Settings(Keeper()), Breakers(bench.clock))
    assert rules.capacity(None) == DM_EVENTS
    assert rules.capacity(9) == 50
    assert rules.user_capacity(None) == rules.user_capacity(9) == 5


async def test_what_runs_or_has_ended_takes_no_room(bench: QueueBench) -> None:
    """Each start makes room for one, each cancelled one too, and a retried one takes it again."""
    bench.rules.most["user:7"] = 1
    first = new(bench, channel_id=1)
    await bench.accept(first)
    await bench.claim_all()
    waiting = [new(bench, channel_id=n) for n in range(2, 5)]
    await bench.accept(*waiting)
    assert await offer(bench, channel_id=9) is FULL
    await bench.queue.cancel(lambda one: one is waiting[0], Reason.CLEARED)
    assert await offer(bench, channel_id=9) is ACCEPTED
    await bench.retry(first, 60.0)
    assert await bench.claim_all() == [waiting[1]]
    assert await offer(bench, channel_id=10) is FULL
    await bench.finish(waiting[1])
    assert len(await bench.claim_all()) == 1
    assert await offer(bench, channel_id=10) is ACCEPTED


async def test_nothing_is_kept_of_those_of_whom_nothing_waits(bench: QueueBench) -> None:
    """Or a busy bot would remember everybody who ever asked."""
    for author in range(50):
        event = new(bench, channel_id=author, author_id=author)
        await bench.accept(event)
        await bench.claim_all()
        await bench.finish(event)
    waiting, arriving = bench.queue._lanes.waiting, bench.queue._bounds._arriving
    assert [waiting.guilds, waiting.persons, arriving.guilds, arriving.persons] == [{}] * 4


async def test_a_message_that_waits_is_known_before_it_is_too_much(bench: QueueBench) -> None:
    """Said again by the gateway it gets no mark of a refusal."""
    events = [new(bench) for _ in range(3)]
    await bench.accept(*events)
    assert await bench.queue.enqueue(events[0]) is Enqueued.DUPLICATE


async def test_an_admins_second_try_is_no_new_question(bench: QueueBench) -> None:
    """What failed while a person's room is full can be tried again all the same."""
    failed = new(bench)
    await bench.accept(failed)
    await bench.claim_all()
    await bench.finish(failed, Reason.FAILED)
    bench.rules.most["global"] = 0
    await bench.accept(*[new(bench, channel_id=n) for n in range(3)])
    assert await bench.queue.revive(failed) is ACCEPTED


async def test_who_tries_their_own_again_has_asked_once_more(bench: QueueBench) -> None:
    """An admin's second chance is a gift; somebody's own would be a way around their bounds."""
    failed = [new(bench) for _ in range(2)]
    for event in failed:
        await bench.accept(event)
        await bench.finish(await bench.claim(), Reason.FAILED)
    await bench.accept(new(bench), new(bench))
    assert await bench.queue.revive(failed[0], own=True) is ACCEPTED
    assert await bench.queue.revive(failed[1], own=True) is FULL
    assert await bench.queue.revive(failed[1]) is ACCEPTED
    bench.queue.shut()
    assert await bench.queue.revive(failed[1], own=True) is not ACCEPTED


async def test_trying_ones_own_again_counts_as_a_turn(bench: QueueBench) -> None:
    """Also those that are tried at once, before any of them is kept."""
    bench.rules.turns = TurnLimit(2, 100)
    failed = new(bench)
    await bench.accept(failed)
    await bench.finish(await bench.claim(), Reason.FAILED)
    assert await bench.queue.revive(failed, own=True) is ACCEPTED
    assert await offer(bench, channel_id=2) is TOO_OFTEN


# -- before anything is done for it


async def test_what_is_refused_costs_nothing(bench: QueueBench) -> None:
    """Of twenty at once, in as many channels, three are looked into and no more."""
    bench.rules.most["global"] = 0
    looked, go = 0, asyncio.Event()

    async def describe() -> EventContext:
        nonlocal looked
        looked += 1
        await go.wait()
        return make_context()

    offered = [
        asyncio.create_task(bench.queue.enqueue(new(bench, channel_id=n), describe))
        for n in range(20)
    ]
    await bench.clock.settle()
    assert looked == 3
    assert sum(one.done() for one in offered) == 17
    go.set()
    outcomes = await asyncio.gather(*offered)
    assert outcomes == [ACCEPTED] * 3 + [FULL] * 17
    assert looked == 3


async def test_a_context_that_can_not_be_built_leaves_its_room(bench: QueueBench) -> None:
    """Or a person who met a fault three times could never ask again."""

    async def broken() -> EventContext:
        raise OSError("Discord is away")

    for _ in range(5):
        with pytest.raises(OSError, match="away"):
            await bench.queue.enqueue(new(bench), broken)
    assert await offer(bench) is ACCEPTED


async def test_who_is_looked_into_when_it_is_shut_is_refused(bench: QueueBench) -> None:
    """The store is about to close."""

    async def slow() -> EventContext:
        bench.queue.shut()
        return make_context()

    event = new(bench)
    assert await bench.queue.enqueue(event, slow) is Enqueued.SHUT
    assert await bench.store.find(event.message_id) is None


# -- how often


async def answered(bench: QueueBench, count: int, **changes: Any) -> None:
    """Let somebody have so many turns, each over at once."""
    for _ in range(count):
        event = new(bench, **changes)
        await bench.accept(event)
        await bench.claim_all()
        await bench.finish(event)


async def test_a_minute_and_an_hour_are_counted_back_from_now(bench: QueueBench) -> None:
    """Six in a minute; a seventh when the first is a minute ago; and sixty in an hour."""
    bench.rules.turns = TurnLimit(2, 5)
    await answered(bench, 1)
    await bench.clock.advance(50)
    await answered(bench, 1)
    assert await offer(bench) is TOO_OFTEN
    await bench.clock.advance(9.9)
    assert await offer(bench) is TOO_OFTEN
    await bench.clock.advance(0.1)
    await answered(bench, 1)
    assert await offer(bench) is TOO_OFTEN
    for _ in range(2):
        await bench.clock.advance(60)
        await answered(bench, 1)
    await bench.clock.advance(60)
    assert await offer(bench) is TOO_OFTEN
    await bench.clock.advance(HOUR - 241)
    assert await offer(bench) is TOO_OFTEN
    await bench.clock.advance(1)
    assert await offer(bench) is ACCEPTED


async def test_a_limit_is_each_persons_and_each_places(bench: QueueBench) -> None:
    """Nobody pays for another, nor here for there; without a limit nobody does."""
    bench.rules.turns = TurnLimit(1, 60)
    await answered(bench, 1)
    assert await offer(bench) is TOO_OFTEN
    assert await offer(bench, author_id=8) is ACCEPTED
    assert await offer(bench, guild_id=10, channel_id=2) is ACCEPTED
    assert await offer(bench, guild_id=None, channel_id=3) is ACCEPTED
    bench.rules.turns = TurnLimit(0, 0)
    assert await offer(bench) is ACCEPTED


async def test_a_message_that_joins_a_waiting_turn_is_no_turn(bench: QueueBench) -> None:
    """Up to as many as are answered together; behind them begins another turn."""
    bench.rules.user_size, bench.rules.together = 50, 3
    bench.rules.turns = TurnLimit(2, 60)
    first = new(bench)
    await bench.accept(first)
    await bench.claim_all()
    assert [await offer(bench) for _ in range(4)] == [ACCEPTED] * 3 + [TOO_OFTEN]
    assert await offer(bench, author_id=8) is ACCEPTED
    assert await offer(bench) is TOO_OFTEN


async def test_those_on_their_way_in_count(bench: QueueBench) -> None:
    """Twenty channels at once are no way around."""
    bench.rules.user_size, bench.rules.turns = 50, TurnLimit(2, 60)
    events = [new(bench, channel_id=n) for n in range(20)]
    outcomes = await asyncio.gather(*map(bench.queue.enqueue, events))
    assert outcomes == [ACCEPTED] * 2 + [TOO_OFTEN] * 18


async def test_what_was_refused_or_known_is_no_turn(bench: QueueBench) -> None:
    """Only what is accepted counts."""
    bench.rules.turns = TurnLimit(2, 60)
    event = new(bench)
    await bench.accept(event)
    await bench.claim_all()
    await bench.finish(event)
    for _ in range(5):
        assert await bench.queue.enqueue(event) is Enqueued.DUPLICATE
    assert await offer(bench) is ACCEPTED


async def test_a_restart_is_no_way_around(bench: QueueBench) -> None:
    """The turns of the last hour are counted again; joined messages once."""
    bench.rules.turns, bench.rules.together = TurnLimit(60, 3), 5
    await answered(bench, 1)
    await bench.clock.advance(HOUR - 10)
    hold = new(bench, author_id=8)
    await bench.accept(hold)
    await bench.claim_all()
    await bench.accept(new(bench), new(bench))
    await bench.finish(hold)
    (joined,) = await bench.claim_all()
    await bench.finish(joined)
    await answered(bench, 1)
    await bench.reopen()
    assert await offer(bench) is TOO_OFTEN
    await bench.clock.advance(11)
    assert await offer(bench) is ACCEPTED


@pytest.mark.parametrize("jump", [-86400.0, 86400.0])
async def test_a_clock_set_before_a_restart_limits_nobody(bench: QueueBench, jump: float) -> None:
    """When those turns were is not known then."""
    bench.rules.turns = TurnLimit(60, 1)
    await answered(bench, 1)
    bench.clock.jump(jump)
    await bench.reopen()
    assert await offer(bench) is ACCEPTED


def test_who_had_no_turn_for_an_hour_is_forgotten() -> None:
    """A few with each turn, so that nobody is held up, and more than come."""
    rate = TurnRate()
    for author in range(1000):
        rate.count((9, author), 0.0)
    for number in range(500):
        rate.count((9, 5000), HOUR + number)
    assert list(rate._times) == [(9, 5000)]
