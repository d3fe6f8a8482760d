"""The queue and its lanes: order, pace, limits, bounds."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from aurora.ledger.memory import MemoryStore
from aurora.model import Change, Event, State, Turn
from aurora.queue import Enqueued, MessageQueue
from aurora.reasons import Reason
from tests.support.clocks import FakeClock
from tests.support.events import make_event
from tests.support.queues import QueueBench, Rules


@pytest.fixture
async def bench() -> QueueBench:
    """A queue that is open and empty."""
    made = QueueBench()
    await made.queue.open()
    return made


async def test_a_lane_runs_one_event_at_a_time_in_order(bench: QueueBench) -> None:
    """The second starts only when the first has ended, and the third after that."""
    events = [make_event() for _ in range(3)]
    await bench.accept(*events)
    seen = []
    for _ in events:
        (event,) = await bench.claim_all()
        seen.append(event)
        await bench.finish(event)
    assert seen == events


async def test_lanes_run_in_parallel(bench: QueueBench) -> None:
    """A running event delays no other channel."""
    await bench.accept(*[make_event(channel_id=channel) for channel in range(5)])
    assert len(await bench.claim_all()) == 5


async def test_a_message_is_accepted_once_even_after_its_answer(bench: QueueBench) -> None:
    """The same message id is a duplicate while it waits and for seven days afterwards."""
    event = make_event(message_id=77)
    await bench.accept(event)
    assert await bench.queue.enqueue(make_event(message_id=77)) is Enqueued.DUPLICATE
    (claimed,) = await bench.claim_all()
    await bench.finish(claimed)
    await bench.clock.advance(6.9 * 86400)
    assert await bench.queue.enqueue(make_event(message_id=77)) is Enqueued.DUPLICATE
    assert (await bench.claim_all()) == []


async def test_ten_mentions_in_a_channel_start_in_order_a_rate_limit_apart(
    bench: QueueBench,
) -> None:
    """Rate-limited work waits in its place; it is never put back at the tail."""
    bench.rules.seconds[9] = 2.0
    events = [make_event() for _ in range(10)]
    await bench.accept(*events)
    starts: list[tuple[float, Event]] = []

    async def run() -> None:
        while len(starts) < len(events):
            event = await bench.claim()
            starts.append((bench.clock.monotonic(), event))
            await bench.finish(event)

    task = asyncio.create_task(run())
    await bench.clock.advance(30)
    await task
    assert [event for _, event in starts] == events
    gaps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(starts)]
    assert min(gaps) >= 2.0
    assert max(gaps) == pytest.approx(2.0)


async def test_a_guilds_rate_limit_is_its_own(bench: QueueBench) -> None:
    """A guild that is slow by choice slows no other."""
    bench.rules.seconds[9] = 10.0
    slow = [make_event(guild_id=9, channel_id=1) for _ in range(2)]
    quick = [make_event(guild_id=8, channel_id=2) for _ in range(2)]
    await bench.accept(*slow, *quick)
    first = await bench.claim_all()
    for event in first:
        await bench.finish(event)
    assert await bench.claim_all() == [quick[1]]


async def test_a_changed_rate_limit_applies_to_what_already_waits(bench: QueueBench) -> None:
    """After `ratelimit` was lowered the next event doesn't sit out the old one."""
    bench.rules.seconds[9] = 10.0
    await bench.accept(make_event(), make_event())
    (event,) = await bench.claim_all()
    await bench.finish(event)
    bench.rules.seconds[9] = 1.0
    bench.queue.reconsider()
    await bench.clock.advance(1.0)
    assert len(await bench.claim_all()) == 1


async def test_events_become_due_although_time_never_stands_still() -> None:
    """A clock that moves at each look at it must not keep an event from being due."""

    class Moving(FakeClock):
        def monotonic(self) -> float:
            self._monotonic += 1e-6
            return super().monotonic()

    clock = Moving()
    queue = MessageQueue(MemoryStore(clock), Rules(), clock)
    await queue.open()
    event = make_event()
    await queue.enqueue(event)
    assert (await asyncio.wait_for(queue.take(), 1)).speaker is event


async def test_a_wall_clock_set_back_does_not_stop_a_channel(bench: QueueBench) -> None:
    """Pace is measured in time that can't jump."""
    bench.rules.seconds[9] = 2.0
    await bench.accept(make_event(), make_event())
    (event,) = await bench.claim_all()
    await bench.finish(event)
    bench.clock.jump(-3600)
    await bench.clock.advance(2.0)
    assert len(await bench.claim_all()) == 1


async def test_twelve_slow_runs_in_one_guild_leave_another_its_turn(bench: QueueBench) -> None:
    """A guild holds no more than its own limit; the other guild's event starts at once."""
    bench.rules.most["guild:9"] = 8
    await bench.accept(*[make_event(guild_id=9, channel_id=n, author_id=n) for n in range(12)])
    other = make_event(guild_id=8, channel_id=100)
    running = await bench.claim_all()
    assert len(running) == 8
    await bench.accept(other)
    assert await bench.claim_all() == [other]
    await bench.finish(running[0])
    assert len(await bench.claim_all()) == 1


async def test_a_place_that_one_lane_cannot_use_goes_to_the_next(bench: QueueBench) -> None:
    """A lane woken for its guild but held by its user's limit does not waste the place."""
    bench.rules.most.update({"guild:9": 2, "user:1": 1})
    a, b = make_event(channel_id=1, author_id=1), make_event(channel_id=2, author_id=2)
    c, d = make_event(channel_id=3, author_id=1), make_event(channel_id=4, author_id=3)
    await bench.accept(a, b, c, d)
    assert await bench.claim_all() == [a, b]
    await bench.finish(b)
    assert await bench.claim_all() == [d]
    await bench.finish(a)
    assert await bench.claim_all() == [c]


async def test_a_place_kept_for_a_cancelled_lane_goes_to_the_next(bench: QueueBench) -> None:
    """A lane woken for a place, held by a breaker and then emptied, must not keep the place."""
    bench.rules.most["user:7"] = 1
    a, b, c = (make_event(channel_id=channel) for channel in (1, 2, 3))
    await bench.accept(a, b, c)
    assert await bench.claim_all() == [a]
    bench.rules.held[2] = 60.0
    await bench.finish(a)
    await bench.queue.cancel(lambda event: event is b, Reason.MESSAGE_DELETED)
    bench.queue.reconsider()
    assert await bench.claim_all() == [c]


async def test_a_lane_does_not_sleep_for_a_head_that_is_gone(bench: QueueBench) -> None:
    """Its own due time counts for the next in line, and its own limit."""
    a, b = make_event(), make_event()
    await bench.accept(a, b)
    await bench.claim_all()
    await bench.retry(a, 600.0)
    await bench.queue.cancel(lambda event: event is a, Reason.MESSAGE_DELETED)
    assert await bench.claim_all() == [b]


async def test_a_parked_lane_follows_its_new_head(bench: QueueBench) -> None:
    """Parked for one person's limit, it goes on when the next message is somebody else's."""
    bench.rules.most["user:7"] = 1
    first = make_event(channel_id=1, author_id=7)
    parked, free = make_event(channel_id=2, author_id=7), make_event(channel_id=2, author_id=8)
    await bench.accept(first, parked, free)
    assert await bench.claim_all() == [first]
    await bench.queue.cancel(lambda event: event is parked, Reason.MESSAGE_DELETED)
    assert await bench.claim_all() == [free]


async def test_an_event_on_its_way_back_is_nobodys_to_cancel(bench: QueueBench) -> None:
    """Between claim and lane it is in neither; a `disable` then must not stumble over it."""
    event, gate = make_event(), asyncio.Event()
    await bench.accept(event)
    await bench.claim_all()
    move = bench.store.move

    async def slow(*arguments: Any) -> None:
        await gate.wait()
        await move(*arguments)

    bench.store.move = slow  # type: ignore[assignment, method-assign]  # a store that takes its time
    retrying = asyncio.create_task(bench.retry(event, 1.0))
    await bench.clock.settle()
    assert await bench.queue.cancel(lambda _event: True, Reason.DISABLED) == []
    gate.set()
    await retrying
    assert await bench.queue.cancel(lambda _event: True, Reason.DISABLED) == [event]


@pytest.mark.parametrize("ending", ["finish", "retry"])
async def test_what_has_happened_is_kept_as_soon_as_the_store_can(
    bench: QueueBench, ending: str
) -> None:
    """A disk that is full for a while loses no outcome, and the lane waits for it."""
    first, second = make_event(), make_event()
    await bench.accept(first, second)
    await bench.claim_all()
    move, full = bench.store.move, True

    async def fail(*arguments: Any) -> None:
        if full:
            raise OSError("disk full")
        await move(*arguments)

    bench.store.move = fail  # type: ignore[assignment, method-assign]  # a full disk
    if ending == "finish":
        work = asyncio.create_task(bench.finish(first))
    else:
        work = asyncio.create_task(bench.retry(first, 0.0))
    await bench.clock.advance(5.0)
    assert not work.done()
    assert await bench.claim_all() == []
    full = False
    await bench.clock.advance(30.0)
    await work
    assert await bench.claim_all() == [second if ending == "finish" else first]


async def test_a_start_that_cannot_be_stored_is_tried_again_a_second_later(
    bench: QueueBench,
) -> None:
    """Nothing runs that the ledger does not know of, and nothing spins."""
    event = make_event()
    await bench.accept(event)
    start = bench.store.start

    async def full(turn: Turn, changes: Sequence[Change]) -> None:
        raise OSError(f"disk full: {turn.id}, {len(changes)}")

    bench.store.start = full  # type: ignore[method-assign]  # a full disk
    with pytest.raises(OSError, match="disk full"):
        await bench.claim()
    bench.store.start = start  # type: ignore[method-assign]  # and room again
    assert await bench.claim_all() == []
    await bench.clock.advance(1.0)
    assert await bench.claim_all() == [event]


def test_an_event_shows_no_content_when_it_is_printed() -> None:
    """Tracebacks and logs print events."""
    assert "hello" not in repr(make_event())


async def test_a_full_guild_is_refused_and_others_are_not(bench: QueueBench) -> None:
    """`queuesize` counts the events that wait in one guild."""
    bench.rules.size = 2
    await bench.accept(make_event(), make_event())
    assert await bench.queue.enqueue(make_event()) is Enqueued.FULL
    await bench.accept(make_event(guild_id=8, channel_id=3))
    assert bench.queue.get_stats()["totals"]["full"] == 1


async def test_a_shut_queue_takes_nothing_and_finishes_what_it_has(bench: QueueBench) -> None:
    """At unload a message still on its way in must not slip in behind the clearing-out."""
    event = make_event()
    await bench.accept(event)
    bench.queue.shut()
    assert await bench.queue.enqueue(make_event()) is Enqueued.SHUT
    assert await bench.queue.cancel(lambda _event: True, Reason.UNLOADED) == [event]


async def test_a_refused_event_may_come_again(bench: QueueBench) -> None:
    """Only acceptance marks a message as seen: a full queue must not swallow it for good."""
    bench.rules.size = 1
    await bench.accept(make_event())
    late = make_event()
    assert await bench.queue.enqueue(late) is Enqueued.FULL
    bench.rules.size = 2
    assert await bench.queue.enqueue(late) is Enqueued.ACCEPTED


async def test_a_retried_event_keeps_its_place_at_the_head(bench: QueueBench) -> None:
    """Those behind it wait until it has run again."""
    first, second = make_event(), make_event()
    await bench.accept(first, second)
    (claimed,) = await bench.claim_all()
    await bench.retry(claimed, 5.0)
    assert await bench.claim_all() == []
    await bench.clock.advance(5.0)
    assert await bench.claim_all() == [first]


async def test_held_events_wait_and_run_when_reconsidered(bench: QueueBench) -> None:
    """While a breaker is open nothing of its agent is claimed; when it closes, at once."""
    bench.rules.held[1] = 60.0
    event = make_event()
    await bench.accept(event)
    assert await bench.claim_all() == []
    bench.rules.held.clear()
    bench.queue.reconsider()
    assert await bench.claim_all() == [event]


async def test_cancelled_events_end_with_their_reason_and_the_lane_goes_on(
    bench: QueueBench,
) -> None:
    """Also the head and the only event of a lane."""
    lone, head, rest = make_event(channel_id=2), make_event(), make_event()
    await bench.accept(lone, head, rest)
    gone = {lone.id, head.id}
    ended = await bench.queue.cancel(lambda event: event.id in gone, Reason.MESSAGE_DELETED)
    assert {event.id for event in ended} == gone
    kept = await bench.store.get(head.id)
    assert kept is not None
    assert (kept.state, kept.reason) == (State.CANCELLED, Reason.MESSAGE_DELETED)
    assert await bench.claim_all() == [rest]
    again = make_event(channel_id=2)
    await bench.accept(again)
    assert await bench.claim_all() == [again]


async def test_running_events_are_not_cancelled_by_the_queue(bench: QueueBench) -> None:
    """What runs is the worker's to stop."""
    await bench.accept(make_event())
    await bench.claim_all()
    assert await bench.queue.cancel(lambda _event: True, Reason.DISABLED) == []


async def test_a_final_event_keeps_no_content(bench: QueueBench) -> None:
    """The skeleton stays for dedupe; the text goes."""
    await bench.accept(make_event())
    (event,) = await bench.claim_all()
    await bench.finish(event)
    kept = await bench.store.get(event.id)
    assert kept is not None
    assert not kept.context


async def test_an_event_ends_once(bench: QueueBench) -> None:
    """A second end, as after a cancellation in the middle of the first, changes nothing."""
    await bench.accept(make_event())
    (event,) = await bench.claim_all()
    await bench.finish(event)
    await bench.finish(event, Reason.CLEARED)
    assert [change.step for change in bench.changes] == ["queued", "running", "answered"]


async def test_a_claim_cancelled_while_it_is_stored_loses_nothing(bench: QueueBench) -> None:
    """The event goes back to the head of its lane."""
    event = make_event()
    await bench.accept(event)
    stored = asyncio.Event()

    async def never(turn: Turn, changes: Sequence[Change]) -> None:
        stored.set()
        await asyncio.Event().wait()
        raise AssertionError(turn, changes)

    start = bench.store.start
    bench.store.start = never  # type: ignore[method-assign]  # a store that hangs
    task = asyncio.create_task(bench.claim())
    await stored.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    bench.store.start = start  # type: ignore[method-assign]  # and works again
    await bench.clock.advance(1.0)
    assert await bench.claim_all() == [event]


async def test_other_threads_may_submit_and_look(bench: QueueBench) -> None:
    """Ten threads with ten events each: all accepted, once."""
    bench.rules.size = 200
    futures: list[Future[Enqueued]] = []

    def push(channel: int) -> None:
        for _ in range(10):
            futures.append(bench.queue.submit(make_event(channel_id=channel)))
            bench.queue.get_stats()

    threads = [threading.Thread(target=push, args=(channel,)) for channel in range(10)]
    for thread in threads:
        thread.start()
    results: list[Enqueued] = []
    while len(results) < 100:
        while futures:
            results.append(await asyncio.wrap_future(futures.pop()))
        await asyncio.sleep(0)
    for thread in threads:
        thread.join()
    assert set(results) == {Enqueued.ACCEPTED}
    assert bench.queue.get_stats()["waiting"] == 100


async def test_events_that_wait_in_the_store_are_lined_up_again(bench: QueueBench) -> None:
    """A queue opened on a store that holds events goes on with them, in order."""
    events = [make_event() for _ in range(2)]
    await bench.accept(*events)
    await bench.claim_all()
    await bench.reopen()
    (event,) = await bench.claim_all()
    turn = bench.turn(event)
    assert (event.id, turn.interrupted, turn.crashes) == (events[0].id, True, 1)


async def test_a_turn_that_was_taken_and_not_started_is_nobodys_to_cancel(
    bench: QueueBench,
) -> None:
    """It is in no lane; the others that are wanted end all the same."""
    events = [make_event(channel_id=n) for n in (1, 2, 2)]
    await bench.accept(*events)
    taken = await bench.take()
    others = [event for event in events if event is not taken]
    assert await bench.queue.cancel(lambda _event: True, Reason.CLEARED) == others
    await bench.queue.start(bench.turn(taken))
    await bench.finish(taken)
    assert [event.state.final for event in events] == [True, True, True]


async def test_who_is_withdrawn_while_a_retry_is_being_kept_stays_cancelled(
    bench: QueueBench,
) -> None:
    """On a full disk both wait; whichever is kept last must not bring the message back."""
    bench.rules.together = 5
    first, second = make_event(), make_event()
    await bench.accept(first, second)
    (turn,) = await bench.claim_all()
    move, full = bench.store.move, True

    async def failing(*arguments: Any) -> None:
        if full:
            raise OSError("disk full")
        await move(*arguments)

    bench.store.move = failing  # type: ignore[assignment, method-assign]  # a full disk
    retry = asyncio.create_task(bench.retry(turn, 1.0))
    await bench.clock.advance(1.5)
    withdraw = asyncio.create_task(
        bench.queue.withdraw(bench.turn(turn), first, Reason.MESSAGE_DELETED)
    )
    await bench.clock.settle()
    full = False
    await bench.clock.advance(10)
    await asyncio.gather(withdraw, retry)
    kept = await bench.store.get(first.id)
    assert kept is not None
    assert kept.state is State.CANCELLED
    assert await bench.claim_all() == [second]
    await bench.finish(second)
    stats = bench.queue.get_stats()
    assert (stats["waiting"], stats["running"]) == (0, 0)


async def test_the_heads_of_many_lanes_are_looked_at_in_bites(bench: QueueBench) -> None:
    """One event of each lane, whatever waits behind it; others run in between."""
    bench.rules.size = 5000
    for number in range(2000):
        await bench.accept(make_event(channel_id=number % 1000))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    heads = [event.channel_id async for event in bench.queue.heads()]
    counting.cancel()
    assert heads == list(range(1000))
    assert turns >= 4


async def test_a_lane_that_empties_while_heads_are_looked_at_is_left_out(
    bench: QueueBench,
) -> None:
    """Its last event was cancelled, or has been taken."""
    bench.rules.size = 5000
    for number in range(400):
        await bench.accept(make_event(channel_id=number))
    seen = 0
    async for event in bench.queue.heads():
        seen += 1
        if event.channel_id == 0:
            await bench.queue.cancel(lambda one: one.channel_id >= 200, Reason.CLEARED)
    assert seen == 200
