"""Who goes first, who goes together, who is told in time, and what a restart takes over."""

from __future__ import annotations

import math
from typing import Any

import pytest

from aurora.model import Event, State
from aurora.reasons import Reason
from tests.support.events import make_event
from tests.support.queues import QueueBench

QUARTER = 900.0


@pytest.fixture
async def bench() -> QueueBench:
    """A queue that is open and empty."""
    made = QueueBench()
    await made.queue.open()
    return made


def new(bench: QueueBench, **changes: Any) -> Event:
    """Return an event of this moment."""
    return make_event(now=bench.clock.time(), **changes)


async def answer(bench: QueueBench, event: Event) -> None:
    """End a running turn."""
    await bench.finish(event)


# -- who goes first


async def test_direct_messages_are_one_guild_among_others(bench: QueueBench) -> None:
    """Two dozen accounts that write in private get every second place, and no server starves."""
    bench.rules.most["global"] = 1
    running = new(bench, channel_id=1)
    private = [new(bench, channel_id=n, guild_id=None, author_id=n) for n in range(100, 124)]
    mentions = [new(bench, channel_id=n, author_id=n) for n in (2, 3)]
    await bench.accept(running, *private, *mentions)
    order = []
    for _ in range(5):
        (running,) = await bench.claim_all()
        order.append(running)
        await answer(bench, running)
    assert order[1:] == [private[0], mentions[0], private[1], mentions[1]]


async def test_places_go_round_the_guilds(bench: QueueBench) -> None:
    """A guild with fifty waiting channels gets every second place, not fifty in a row."""
    bench.rules.most["global"] = 1
    running = new(bench, channel_id=100, guild_id=1)
    many = [new(bench, channel_id=n, guild_id=1, author_id=n) for n in range(4)]
    few = [new(bench, channel_id=n, guild_id=2, author_id=n) for n in (10, 11)]
    await bench.accept(running, *many)
    await bench.claim_all()
    await bench.accept(*few)
    assert await bench.claim_all() == []
    order = []
    while running:
        await answer(bench, running)
        claimed = await bench.claim_all()
        if not claimed:
            break
        (running,) = claimed
        order.append(running)
    assert order == [many[0], few[0], many[1], few[1], many[2], many[3]]


async def test_a_limit_that_is_lifted_frees_all_who_wait_for_it(bench: QueueBench) -> None:
    """As when a breaker closes: they need not wait for one run after the other."""
    bench.rules.most["global"] = 1
    events = [new(bench, channel_id=n, guild_id=n) for n in range(4)]
    await bench.accept(*events)
    assert await bench.claim_all() == [events[0]]
    del bench.rules.most["global"]
    bench.queue.reconsider()
    assert await bench.claim_all() == events[1:]


# -- who goes together


async def together(bench: QueueBench, *events: Event) -> list[Event]:
    """Let events wait behind a run of their lane, end that, and return what runs then."""
    bench.rules.together = 5
    first = new(bench, author_id=99)
    await bench.accept(first)
    await bench.claim_all()
    await bench.accept(*events)
    await answer(bench, first)
    return await bench.claim_all()


async def test_waiting_messages_of_one_author_become_one_turn(bench: QueueBench) -> None:
    """The last speaks for all, and all have their contexts back."""
    events = [new(bench) for _ in range(3)]
    (turn,) = await together(bench, *events)
    assert turn is events[-1]
    assert bench.turn(turn).events == tuple(events)
    assert {one.turn_id for one in events} == {bench.turn(turn).id}
    assert [one.context["message"]["id"] for one in events] == [str(e.message_id) for e in events]


async def test_somebody_else_in_between_ends_a_turn(bench: QueueBench) -> None:
    """Order within the lane is not touched."""
    a, b, c = new(bench, author_id=1), new(bench, author_id=2), new(bench, author_id=1)
    assert await together(bench, a, b, c) == [a]
    assert bench.turn(a).events == (a,)


async def test_what_came_by_no_message_runs_alone(bench: QueueBench) -> None:
    """Each question by a command has an answer of its own, at its own anchor."""
    a, b, c = new(bench, kind="ask"), new(bench), new(bench, kind="press")
    assert await together(bench, a, b, c) == [a]
    for one, follower in ((a, b), (b, c)):
        assert bench.turn(one).events == (one,)
        await answer(bench, one)
        assert await bench.claim_all() == [follower]
    assert bench.turn(c).events == (c,)


async def test_at_most_five_go_together(bench: QueueBench) -> None:
    """The sixth waits for its own turn."""
    events = [new(bench) for _ in range(6)]
    (turn,) = await together(bench, *events)
    assert bench.turn(turn).events == tuple(events[:5])
    await answer(bench, turn)
    assert await bench.claim_all() == [events[5]]


async def test_one_end_closes_all_members(bench: QueueBench) -> None:
    """With the same state and reason, and a change for each."""
    events = [new(bench) for _ in range(2)]
    (turn,) = await together(bench, *events)
    await answer(bench, turn)
    kept = [await bench.store.get(one.id) for one in events]
    assert [(one.state, one.reason) for one in kept if one] == [(State.ANSWERED, "sent")] * 2
    ends = [change.event_id for change in bench.changes if change.step == "answered"]
    assert ends[1:] == [one.id for one in events]


async def test_nobody_joins_a_turn_that_has_run(bench: QueueBench) -> None:
    """Membership never changes: the agent may have seen those who were in it, and no others."""
    (turn,) = await together(bench, new(bench), new(bench))
    await bench.retry(turn, 0.0)
    late = new(bench)
    await bench.accept(late)
    assert await bench.claim_all() == [turn]
    assert len(bench.turn(turn).events) == 2


async def test_a_turn_is_the_same_after_a_restart(bench: QueueBench) -> None:
    """It comes back whole, with nobody new in it."""
    events = [new(bench) for _ in range(3)]
    (turn,) = await together(bench, *events[:2])
    await bench.accept(events[2])
    await bench.reopen()
    (again,) = await bench.claim_all()
    assert [one.id for one in bench.turn(again).events] == [one.id for one in events[:2]]
    known = bench.turn(again)
    assert (known.interrupted, known.crashes) == (True, 1)
    assert known.id == turn.turn_id


async def test_a_member_can_leave_a_running_turn(bench: QueueBench) -> None:
    """Its message was deleted; the others are still answered."""
    events = [new(bench) for _ in range(3)]
    (turn,) = await together(bench, *events)
    await bench.queue.withdraw(bench.turn(turn), events[0], Reason.MESSAGE_DELETED)
    kept = await bench.store.get(events[0].id)
    assert kept is not None
    assert (kept.state, kept.reason) == (State.CANCELLED, Reason.MESSAGE_DELETED)
    assert bench.turn(turn).events == tuple(events[1:])
    await answer(bench, turn)
    assert bench.queue.get_stats()["running"] == 0


@pytest.mark.parametrize("gone", [0, 1, 2])
async def test_a_turn_that_waits_to_run_again_goes_on_without_a_deleted_message(
    bench: QueueBench, gone: int
) -> None:
    """If the one that spoke for it is gone the next to last speaks, also after a restart."""
    events = [new(bench) for _ in range(3)]
    (turn,) = await together(bench, *events)
    await bench.retry(turn, 5.0)
    assert await bench.queue.cancel(lambda one: one is events[gone], Reason.MESSAGE_DELETED)
    left = [one.id for one in events if one is not events[gone]]
    await bench.reopen()
    await bench.clock.advance(5.0)
    (again,) = await bench.claim_all()
    assert [one.id for one in bench.turn(again).events] == left
    await answer(bench, again)
    stats = bench.queue.get_stats()
    assert (stats["waiting"], stats["running"]) == (0, 0)


async def test_an_interrupted_turn_ends_with_the_message_that_spoke_for_it(
    bench: QueueBench,
) -> None:
    """What it has done is known under that name alone; another's run could do it again."""
    events = [new(bench) for _ in range(3)]
    await together(bench, *events)
    await bench.reopen()
    ended = await bench.queue.cancel(lambda one: one.id == events[2].id, Reason.MESSAGE_DELETED)
    assert [one.id for one in ended] == [one.id for one in events]
    stats = bench.queue.get_stats()
    assert (stats["waiting"], stats["running"]) == (0, 0)


# -- who is told in time


async def test_an_expired_event_is_handed_out_whatever_holds_it(bench: QueueBench) -> None:
    """The person is to be told after a quarter of an hour, not when the breaker closes."""
    bench.rules.held[1] = 3600.0
    bench.rules.most["global"] = 0
    event = new(bench)
    await bench.accept(event)
    await bench.clock.advance(QUARTER - 1)
    assert await bench.claim_all() == []
    await bench.clock.advance(1)
    assert await bench.claim_all() == [event]


@pytest.mark.parametrize("key", ["global", "user:1", "guild:9"])
async def test_an_expired_event_gives_the_place_it_was_woken_for_to_the_next(
    bench: QueueBench, key: str
) -> None:
    """An end needs no place; those behind it in the line would else wait for ever."""
    bench.rules.most[key] = 1
    running, expiring = (new(bench, channel_id=n, author_id=1) for n in (1, 2))
    await bench.accept(running, expiring)
    assert await bench.claim_all() == [running]
    await bench.clock.advance(QUARTER + 1)
    waiting = new(bench, channel_id=3, author_id=1)
    await bench.accept(waiting)
    assert await bench.claim_all() == []
    await answer(bench, running)
    assert await bench.claim_all() == [expiring, waiting]


async def test_expired_events_keep_no_pace_and_no_company(bench: QueueBench) -> None:
    """Each is only told so; that is no run."""
    bench.rules.seconds[9], bench.rules.together = 10.0, 5
    bench.rules.held[1] = 3600.0
    events = [new(bench) for _ in range(3)]
    await bench.accept(*events)
    await bench.clock.advance(QUARTER)
    for event in events:
        assert await bench.claim_all() == [event]
        assert bench.turn(event).events == (event,)
        await bench.finish(event, Reason.WAITED_TOO_LONG)


@pytest.mark.parametrize("restart", [False, True])
async def test_a_pause_does_not_count(bench: QueueBench, restart: bool) -> None:
    """Nobody expires while paused, and the time is given back."""
    event = new(bench)
    await bench.accept(event)
    await bench.clock.advance(600)
    bench.rules.held[1] = math.inf
    bench.queue.reconsider()
    await bench.clock.advance(5000)
    if restart:
        await bench.reopen()
    assert await bench.claim_all() == []
    bench.rules.held.clear()
    bench.rules.held[1] = 10_000.0
    await bench.queue.lengthen(lambda _event: True, 5000)
    await bench.clock.advance(299)
    assert await bench.claim_all() == []
    await bench.clock.advance(1)
    (late,) = await bench.claim_all()
    assert late.id == event.id
    assert bench.clock.monotonic() >= late.deadline


async def test_pace_counts_from_the_start_not_from_the_taking(bench: QueueBench) -> None:
    """On a busy loop the two are apart, and the ledger has the later."""
    bench.rules.seconds[9] = 2.0
    first, second = new(bench), new(bench)
    await bench.accept(first, second)
    assert await bench.take() is first
    await bench.clock.advance(0.5)
    await bench.queue.start(bench.turn(first))
    await answer(bench, first)
    await bench.clock.advance(1.9)
    assert await bench.claim_all() == []
    await bench.clock.advance(0.1)
    assert await bench.claim_all() == [second]


# -- what a restart takes over


async def test_pace_holds_across_a_restart(bench: QueueBench) -> None:
    """A channel's runs start no closer than its rate limit (promise 4)."""
    bench.rules.seconds[9] = 10.0
    first, second = new(bench), new(bench)
    await bench.accept(first, second)
    await bench.claim_all()
    await answer(bench, first)
    await bench.clock.advance(4)
    await bench.reopen()
    await bench.clock.advance(5.9)
    assert await bench.claim_all() == []
    await bench.clock.advance(0.1)
    assert [one.id for one in await bench.claim_all()] == [second.id]


@pytest.mark.parametrize("jump", [-86400.0, -3600.0, 3600.0])
async def test_a_clock_set_before_a_restart_delays_nobody_for_long(
    bench: QueueBench, jump: float
) -> None:
    """Not beyond a pace, a retry's longest delay and the quarter of an hour."""
    bench.rules.seconds[9] = 10.0
    event = new(bench)
    await bench.accept(event)
    await bench.claim_all()
    await bench.retry(event, 30.0)
    bench.clock.jump(jump)
    await bench.reopen()
    await bench.clock.advance(300)
    (again,) = await bench.claim_all()
    assert again.deadline <= bench.clock.monotonic() + QUARTER


@pytest.mark.parametrize("jump", [-86400.0, 86400.0])
async def test_a_clock_that_is_set_expires_nothing_and_frees_nothing(
    bench: QueueBench, jump: float
) -> None:
    """Waits go by a clock that nobody sets."""
    event = new(bench)
    await bench.accept(event)
    await bench.claim_all()
    await bench.retry(event, 30.0)
    bench.clock.jump(jump)
    bench.queue.reconsider()
    await bench.clock.advance(29)
    assert await bench.claim_all() == []
    await bench.clock.advance(1)
    assert await bench.claim_all() == [event]
    assert event.deadline > bench.clock.monotonic()


async def test_an_event_left_at_unload_is_no_crash(bench: QueueBench) -> None:
    """It comes back as interrupted, at the head of its lane."""
    first, second = new(bench), new(bench)
    await bench.accept(first, second)
    await bench.claim_all()
    bench.queue.shut()
    await bench.queue.leave(bench.turn(first))
    await bench.finish(first)
    await bench.reopen()
    (again,) = await bench.claim_all()
    turn = bench.turn(again)
    assert (again.id, turn.interrupted, turn.crashes) == (first.id, True, 0)


async def test_a_revived_event_starts_over(bench: QueueBench) -> None:
    """Behind those who wait, with a new quarter of an hour and all its attempts."""
    event = new(bench)
    await bench.accept(event)
    await bench.claim_all()
    turn = bench.turn(event)
    turn.attempts = turn.crashes = 3
    context = event.context
    await bench.finish(event, Reason.FAILED)
    await bench.clock.advance(1000)
    dead = await bench.store.get(event.id)
    assert dead is not None
    dead.context = context
    await bench.queue.revive(dead)
    (again,) = await bench.claim_all()
    fresh = bench.turn(again)
    assert fresh.id != turn.id
    assert (again.id, fresh.attempts, fresh.crashes, again.reason) == (event.id, 0, 0, "")
    assert again.context == context
    assert again.deadline == bench.clock.monotonic() + QUARTER


async def test_a_revived_event_can_speak_for_later_ones_over_a_restart(bench: QueueBench) -> None:
    """Its row is the older one; nobody of the turn may be left out."""
    bench.rules.together = 5
    event = new(bench)
    await bench.accept(event)
    await bench.claim_all()
    context = event.context
    await bench.finish(event, Reason.FAILED)
    hold, later = new(bench, author_id=99), new(bench)
    await bench.accept(hold)
    await bench.claim_all()
    await bench.accept(later)
    dead = await bench.store.get(event.id)
    assert dead is not None
    dead.context = context
    await bench.queue.revive(dead)
    await answer(bench, hold)
    (turn,) = await bench.claim_all()
    assert [one.id for one in bench.turn(turn).events] == [later.id, event.id]
    await bench.reopen()
    (again,) = await bench.claim_all()
    assert {one.id for one in bench.turn(again).events} == {later.id, event.id}
    await answer(bench, again)
    stats = bench.queue.get_stats()
    assert (stats["waiting"], stats["running"]) == (0, 0)


async def test_changes_tell_a_life_in_a_chain(bench: QueueBench) -> None:
    """Each names the one before it, and each has an id of its own, made once."""
    event = new(bench)
    await bench.accept(event)
    await bench.claim_all()
    await bench.retry(event, 0.0)
    await bench.claim_all()
    await answer(bench, event)
    kept = await bench.store.changes()
    assert [one["event_type"].rpartition(".")[2] for one in kept] == [
        "queued", "running", "retrying", "running", "answered",
    ]  # fmt: skip
    ids = [one["event_id"] for one in kept]
    assert [change.id for change in bench.changes] == ids
    assert [one["metadata"]["causation_id"] for one in kept] == [None, *ids[:-1]]
    assert len(set(ids)) == len(ids)
