"""One budget for all edits of a channel."""

from __future__ import annotations

import asyncio

import pytest

from aurora.chat.edit_pace import EditPace
from tests.support.clocks import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    """The time that edits go by."""
    return FakeClock()


async def edits(pace: EditPace, clock: FakeClock, channel_id: int, count: int) -> list[float]:
    """Make edits, one after the other; return when each was made, in seconds from now."""
    begun, times = clock.monotonic(), []

    async def edit() -> None:
        await pace.turn(channel_id)
        times.append(clock.monotonic() - begun)

    waiting = [asyncio.create_task(edit()) for _ in range(count)]
    await clock.advance(60)
    await asyncio.gather(*waiting)
    return times


async def test_edits_of_a_channel_are_two_seconds_apart(clock: FakeClock) -> None:
    """Whoever makes them; the first one waits for nothing."""
    assert await edits(EditPace(clock), clock, 1, 4) == [0, 2, 4, 6]


async def test_channels_do_not_wait_for_each_other(clock: FakeClock) -> None:
    """Discord counts them apart, too."""
    pace = EditPace(clock)
    await pace.turn(1)
    assert await edits(pace, clock, 2, 1) == [0]


async def test_what_nobody_may_miss_goes_first_and_counts(clock: FakeClock) -> None:
    """A notice is not late for what only tells how far something is."""
    pace = EditPace(clock)
    pace.take(1)
    pace.take(1)
    assert await edits(pace, clock, 1, 1) == [4]


async def test_what_an_agent_edits_waits_for_no_line(clock: FakeClock) -> None:
    """However many lines of who waits are about to be edited."""
    pace, done = EditPace(clock), list[str]()

    async def edit(name: str, *, first: bool) -> None:
        await pace.turn(1, first=first)
        done.append(name)

    pace.take(1)
    tasks = [asyncio.create_task(edit(f"line {number}", first=False)) for number in range(5)]
    await clock.advance(1)
    tasks.append(asyncio.create_task(edit("agent", first=True)))
    await clock.advance(1)
    assert done == ["agent"]
    await clock.advance(20)
    await asyncio.gather(*tasks)
    assert done == ["agent", *(f"line {number}" for number in range(5))]


async def test_of_many_channels_only_those_that_count_are_remembered(clock: FakeClock) -> None:
    """A bot is in thousands of them."""
    pace = EditPace(clock)
    for channel_id in range(3000):
        pace.take(channel_id)
        await clock.advance(0.01)
    assert len(pace._next) <= 1001
