"""The clock of the tests has to keep its word, or every test of time is worth nothing."""

from __future__ import annotations

import asyncio

import pytest

from aurora.clock import Clock, SystemClock
from tests.support.clocks import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_both_times_move_by_what_is_advanced(clock: FakeClock) -> None:
    """Ten seconds are ten seconds on the wall and on the stopwatch."""
    wall, mono = clock.time(), clock.monotonic()
    await clock.advance(10)
    assert (clock.time() - wall, clock.monotonic() - mono) == (10, 10)


async def test_a_jump_moves_the_wall_clock_alone(clock: FakeClock) -> None:
    """Setting the clock back leaves durations alone."""
    wall, mono = clock.time(), clock.monotonic()
    clock.jump(-3600)
    assert (clock.time() - wall, clock.monotonic() - mono) == (-3600, 0)


async def test_waiters_wake_in_the_order_they_fall_due(clock: FakeClock) -> None:
    """The later of two waits ends later, whoever began first; ties go by who began first."""
    woken: list[tuple[str, float]] = []
    start = clock.monotonic()

    async def wait(name: str, seconds: float) -> None:
        await clock.wait(asyncio.Event(), seconds)
        woken.append((name, clock.monotonic() - start))

    async with asyncio.TaskGroup() as group:
        for name, seconds in [("slow", 5.0), ("quick", 1.0), ("tie", 5.0)]:
            group.create_task(wait(name, seconds))
        await clock.advance(9)
    assert woken == [("quick", 1), ("slow", 5), ("tie", 5)]


async def test_a_woken_task_waits_again_within_the_same_advance(clock: FakeClock) -> None:
    """A loop that waits two seconds turns five times in ten, each time at its own second."""
    turns: list[float] = []
    start = clock.monotonic()

    async def loop() -> None:
        for _ in range(9):
            await clock.wait(asyncio.Event(), 2)
            turns.append(clock.monotonic() - start)

    task = asyncio.create_task(loop())
    await clock.advance(10)
    task.cancel()
    assert turns == [2, 4, 6, 8, 10]


async def test_a_wait_not_yet_over_goes_on(clock: FakeClock) -> None:
    """A second before its time nobody is woken."""
    task = asyncio.create_task(clock.wait(asyncio.Event(), 10))
    await clock.advance(9)
    assert not task.done()
    await clock.advance(1)
    assert task.done()


@pytest.mark.parametrize("seconds", [None, 10.0])
async def test_the_signal_ends_a_wait_early(clock: FakeClock, seconds: float | None) -> None:
    """A set signal needs no time to pass, and leaves no alarm behind."""
    signal = asyncio.Event()
    task = asyncio.create_task(clock.wait(signal, seconds))
    await clock.settle()
    assert not task.done()
    signal.set()
    await task
    assert clock.waiting == 0


async def test_a_cancelled_wait_is_cancelled(clock: FakeClock) -> None:
    """Cancelling is not mistaken for the end of the time, and leaves no alarm behind."""
    task = asyncio.create_task(clock.wait(asyncio.Event(), 10))
    await clock.settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert clock.waiting == 0


@pytest.mark.parametrize("kind", [FakeClock, SystemClock])
async def test_a_wait_for_nothing_lets_others_run(kind: type[FakeClock | SystemClock]) -> None:
    """A loop that waits zero seconds cannot starve its neighbours, on either clock."""
    clock: Clock = kind()
    ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(ran.set)
    await clock.wait(asyncio.Event(), 0)
    assert ran.is_set()
