"""Clocks that are set while Aurora works: by NTP, by an admin, by a virtual machine that slept.

Within one life of Aurora the wall clock decides nothing: every due time is monotonic. Across a
restart it is all there is. Then a clock that was set forward may end what waited as expired (the
person is told, as always), and one that was set back lets nobody wait longer than the 15 minutes
a message has, no channel longer than its pace, and no retry longer than its delay.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest

from aurora.agents.protocol import Accepted, Finished
from aurora.errors import CircuitBreaker
from aurora.ids import message_id_at
from aurora.ledger import EVERYWHERE
from aurora.model import Event, State
from aurora.queue import EXPIRY_SECONDS, Enqueued
from aurora.reasons import Outcome
from aurora.runs.pausing import Pauses
from tests.support.events import make_event
from tests.support.scripts import ScriptedBackend, done
from tests.support.workers import Bench

HOUR, DAY = 3600.0, 86400.0
JUMPS = pytest.mark.parametrize("jump", [HOUR, -HOUR, DAY, -DAY], ids="{:+.0f} s".format)
BACK = pytest.mark.parametrize("jump", [-HOUR, -DAY], ids="{:+.0f} s".format)
FORTH = pytest.mark.parametrize("jump", [HOUR, DAY], ids="{:+.0f} s".format)
REFUSED = [Finished(Outcome.UNREACHABLE, detail="refused")]
FAILED = [Accepted(), Finished(Outcome.FAILED, detail="500")]

Start = Callable[..., Awaitable[Bench]]


@pytest.fixture
async def start() -> AsyncGenerator[Start, None]:
    """Start workers, and take them down."""
    made: list[Bench] = []

    async def begin(*turns: object) -> Bench:
        bench = Bench(ScriptedBackend(*turns))  # type: ignore[arg-type]  # scripts are lists of anything
        made.append(bench)
        await bench.start()
        return bench

    yield begin
    for bench in made:
        await bench.stop()


async def restarted(bench: Bench, jump: float) -> Bench:
    """Let Aurora die, somebody set the clock, and another start."""
    bench.life.dead = True
    bench.clock.jump(jump)
    return await bench.again()


def shut(bench: Bench) -> None:
    """Let nothing through until the breakers are reset."""
    server = bench.breakers.server = CircuitBreaker(
        bench.clock,
        failure_threshold=1,
        recovery_timeout=2 * DAY,
        on_change=lambda _old, _new: bench.queue.reconsider(),
    )
    permit = server.acquire()
    assert permit is not None
    permit.failure()


async def held(bench: Bench) -> Event:
    """Let somebody ask while nothing is let through."""
    shut(bench)
    event = await bench.ask()
    assert event.state is State.WAITING
    return event


# -- within a life


@JUMPS
async def test_what_waits_is_neither_expired_nor_held_back(start: Start, jump: float) -> None:
    """It runs when it may, and is answered."""
    bench = await start()
    event = await held(bench)
    bench.clock.jump(jump)
    await bench.clock.advance(EXPIRY_SECONDS - 60)
    assert event.state is State.WAITING
    bench.breakers.reset()
    await bench.clock.advance(1)
    assert (event.state, event.reason) == (State.ANSWERED, "delivered")


@JUMPS
async def test_what_waits_expires_after_its_fifteen_minutes(start: Start, jump: float) -> None:
    """No sooner and no later, and the person is told."""
    bench = await start()
    event = await held(bench)
    await bench.clock.advance(EXPIRY_SECONDS / 2)
    bench.clock.jump(jump)
    await bench.clock.advance(EXPIRY_SECONDS / 2 - 1)
    assert event.state is State.WAITING
    await bench.clock.advance(2)
    assert (event.state, event.reason) == (State.EXPIRED, "waited_too_long")
    assert len(bench.square.notices) >= 1


@JUMPS
async def test_an_open_breaker_lets_through_after_its_minute(start: Start, jump: float) -> None:
    """Five refusals open it; a minute later it is tried again, whatever the clock says."""
    bench = await start()
    assert bench.backend is not None
    bench.backend.away = True
    event = await bench.ask()
    while bench.breakers.server.retry_in() == 0:
        await bench.clock.advance(1)
    tried = len(bench.backend.seen)
    bench.clock.jump(jump)
    await bench.clock.advance(50)
    assert len(bench.backend.seen) == tried
    await bench.clock.advance(15)
    assert len(bench.backend.seen) > tried
    bench.backend.away = False
    await bench.clock.advance(60)
    assert event.state is State.ANSWERED


@JUMPS
async def test_a_server_that_is_back_is_found_after_seconds(start: Start, jump: float) -> None:
    """It is pinged by a clock that nobody sets."""
    bench = await start()
    assert bench.backend is not None
    bench.backend.away = True
    events = [await bench.ask(channel_id=number, author_id=number) for number in range(5)]
    bench.clock.jump(jump)
    await bench.clock.advance(8)
    bench.backend.away = False
    await bench.clock.advance(6)
    assert {event.state for event in events} == {State.ANSWERED}


@JUMPS
async def test_the_time_of_what_is_being_written_down_is_not_touched(
    start: Start, jump: float
) -> None:
    """A disk may be slow, and the clock be set between the message and its row."""
    bench = await start()
    add = bench.store.add

    async def slow(*arguments: Any) -> bool:
        bench.clock.jump(jump)
        return bool(await add(*arguments))

    bench.store.add = slow
    event = await bench.ask()
    assert event.deadline - bench.clock.monotonic() == EXPIRY_SECONDS
    await bench.clock.advance(1)
    assert event.state is State.ANSWERED


@JUMPS
async def test_two_pauses_give_their_time_back_once(start: Start, jump: float) -> None:
    """Which of them began first, and who came before, the wall clock does not decide."""
    bench = await start()
    pauses = Pauses(bench.settings, bench.queue, bench.clock)
    await bench.settings.set_guild(9, paused_since=None)
    await pauses.begin(9)
    before = await bench.ask()
    await bench.clock.advance(100)
    bench.clock.jump(jump)
    await pauses.begin(EVERYWHERE)
    during = await bench.ask()
    await bench.clock.advance(100)
    await pauses.end(9)
    await pauses.end(EVERYWHERE)
    left = [event.deadline - bench.clock.monotonic() for event in (before, during)]
    assert left == [EXPIRY_SECONDS, EXPIRY_SECONDS]


@JUMPS
async def test_a_retry_comes_after_its_delay(start: Start, jump: float) -> None:
    """A second, not a day."""
    bench = await start(FAILED)
    await bench.settings.set_guild(9, rate_limit_seconds=0.5)
    event = await bench.ask()
    assert bench.steps(event)[-1] == "retrying"
    bench.clock.jump(jump)
    await bench.clock.advance(0.9)
    assert bench.steps(event)[-1] == "retrying"
    await bench.clock.advance(0.2)
    assert event.state is State.ANSWERED


@JUMPS
async def test_a_run_that_is_under_way_ends_as_it_would(start: Start, jump: float) -> None:
    """Its answer is delivered, and the channel goes on at its pace."""
    gate = asyncio.Event()

    async def wait(_tools: object) -> None:
        await gate.wait()

    bench = await start([Accepted(), wait, done("Hi.")])
    first, second = await bench.ask(), await bench.ask()
    bench.clock.jump(jump)
    await bench.clock.advance(1)
    assert (first.state, second.state) == (State.RUNNING, State.WAITING)
    gate.set()
    await bench.clock.advance(1.5)
    assert [first.state, second.state] == [State.ANSWERED, State.ANSWERED]


@JUMPS
async def test_a_failing_run_is_tried_again_after_a_jump(start: Start, jump: float) -> None:
    """A clock that ran ahead must not make the retry look too late."""

    async def leap(_tools: object) -> None:
        bench.clock.jump(jump)

    bench = await start([Accepted(), leap, FAILED[1]])
    event = await bench.ask()
    await bench.clock.advance(5)
    assert (event.state, event.reason) == (State.ANSWERED, "delivered")


@JUMPS
async def test_the_pace_of_a_channel_stays(start: Start, jump: float) -> None:
    """Two seconds between two runs."""
    bench = await start()
    await bench.ask()
    bench.clock.jump(jump)
    second = await bench.ask()
    await bench.clock.advance(1.9)
    assert bench.steps(second) == ["queued"]
    await bench.clock.advance(0.2)
    assert second.state is State.ANSWERED


@JUMPS
async def test_a_pause_costs_nobody_their_time(start: Start, jump: float) -> None:
    """What was paused for longer than it had left is answered when the pause ends."""
    bench = await start()
    event = await held(bench)
    await bench.clock.advance(EXPIRY_SECONDS - 60)
    began = bench.clock.monotonic()
    await bench.settings.set_guild(9, paused_since=bench.clock.time())
    bench.breakers.reset()
    bench.queue.reconsider()
    bench.clock.jump(jump)
    await bench.clock.advance(EXPIRY_SECONDS)
    assert event.state is State.WAITING
    await bench.settings.set_guild(9, paused_since=None)
    await bench.queue.lengthen(lambda _event: True, bench.clock.monotonic() - began)
    await bench.clock.advance(1)
    assert (event.state, event.reason) == (State.ANSWERED, "delivered")


@JUMPS
async def test_a_message_is_known_after_a_jump(start: Start, jump: float) -> None:
    """A day is less than the week for which it is remembered."""
    bench = await start()
    event = await bench.ask()
    bench.clock.jump(jump)
    again = make_event(message_id=event.message_id, now=bench.clock.time())
    assert await bench.queue.enqueue(again) is Enqueued.DUPLICATE


# -- across a restart


@FORTH
async def test_what_waited_over_a_restart_with_a_clock_set_forward_is_told(
    start: Start, jump: float
) -> None:
    """It looks too old, and the person learns it at once instead of waiting."""
    bench = await start()
    event = await held(bench)
    bench = await restarted(bench, jump)
    await bench.clock.advance(1)
    kept = await bench.kept(event)
    assert (kept.state, kept.reason) == (State.EXPIRED, "waited_too_long")
    assert len(bench.square.notices) == 1


@BACK
async def test_what_waited_over_a_restart_with_a_clock_set_back_is_answered(
    start: Start, jump: float
) -> None:
    """It was accepted in what is now the future, and runs at once."""
    bench = await start()
    event = await held(bench)
    bench = await restarted(bench, jump)
    await bench.clock.advance(1)
    assert (await bench.kept(event)).state is State.ANSWERED


@BACK
async def test_nobody_waits_longer_than_fifteen_minutes_after_a_restart(
    start: Start, jump: float
) -> None:
    """However far the clock was set back."""
    bench = await start()
    event = await held(bench)
    bench.life.dead = True
    bench.clock.jump(jump)
    bench = Bench(ScriptedBackend(), clock=bench.clock, store=bench.kept_by, square=bench.square)
    shut(bench)
    await bench.start()
    await bench.clock.advance(EXPIRY_SECONDS + 1)
    await bench.stop()
    assert (await bench.kept(event)).state is State.EXPIRED


@BACK
async def test_a_retry_comes_after_its_delay_after_a_restart(start: Start, jump: float) -> None:
    """The time for it lies a day ahead, but it was put off a second after it had started."""
    bench = await start(FAILED)
    event = await bench.ask()
    assert bench.steps(event)[-1] == "retrying"
    bench = await restarted(bench, jump)
    await bench.clock.advance(3)
    assert (await bench.kept(event)).state is State.ANSWERED


@BACK
async def test_a_retry_whose_time_makes_no_sense_comes_soon_after_a_restart(
    start: Start, jump: float
) -> None:
    """Where the clock was set during the run, nothing tells of its delay, and its lane waits."""

    async def leap(_tools: object) -> None:
        bench.clock.jump(-jump)

    bench = await start([Accepted(), leap, FAILED[1]])
    event = await bench.ask()
    bench = await restarted(bench, jump)
    await bench.clock.advance(3)
    assert (await bench.kept(event)).state is State.ANSWERED


@FORTH
async def test_who_was_accepted_by_a_clock_that_was_behind_has_their_time_after_a_restart(
    start: Start, jump: float
) -> None:
    """Nobody is heard before they wrote: an id tells by how much that clock was wrong."""
    bench = await start()
    shut(bench)
    wrote = bench.clock.time()
    bench.clock.jump(-jump)
    event = await bench.ask(message_id=message_id_at(wrote))
    bench = await restarted(bench, jump)
    await bench.clock.advance(1)
    assert (await bench.kept(event)).state is State.ANSWERED


@FORTH
async def test_who_was_accepted_by_a_clock_that_was_behind_expires_in_time(
    start: Start, jump: float
) -> None:
    """Quarter of an hour after they wrote, and not an hour later."""
    bench = await start()
    shut(bench)
    wrote = bench.clock.time()
    bench.clock.jump(-jump)
    event = await bench.ask(message_id=message_id_at(wrote))
    bench.life.dead = True
    await bench.clock.advance(EXPIRY_SECONDS + 1)
    bench = await restarted(bench, jump)
    await bench.clock.advance(1)
    assert (await bench.kept(event)).state is State.EXPIRED


@JUMPS
async def test_a_channel_is_held_no_longer_than_its_pace_after_a_restart(
    start: Start, jump: float
) -> None:
    """Its last run lies ahead, or long ago: two seconds at most."""
    bench = await start()
    await bench.ask()
    bench = await restarted(bench, jump)
    event = await bench.ask()
    await bench.clock.advance(2.1)
    assert event.state is State.ANSWERED


@JUMPS
async def test_a_broken_off_run_has_one_end_after_a_restart(start: Start, jump: float) -> None:
    """Answered where its time is not over, told where it seems to be."""
    gate = asyncio.Event()

    async def wait(_tools: object) -> None:
        await gate.wait()

    bench = await start([Accepted(), wait, done("Hi.")])
    event = await bench.ask()
    bench = await restarted(bench, jump)
    await bench.clock.advance(5)
    kept = await bench.kept(event)
    assert kept.state is (State.EXPIRED if jump > 0 else State.ANSWERED)
    assert len(bench.square.posts) == 1
