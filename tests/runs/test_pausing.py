"""Pauses: who waits through one, or through two that overlap, loses none of the time."""

from __future__ import annotations

import pytest

from aurora.errors import Breakers
from aurora.ledger import EVERYWHERE, Where
from aurora.ledger.memory import MemoryStore
from aurora.model import Event
from aurora.queue import EXPIRY_SECONDS, MessageQueue
from aurora.queue.limits import WorkRules
from aurora.runs.pausing import Pauses
from aurora.settings import Settings
from tests.support.clocks import FakeClock
from tests.support.events import make_event
from tests.support.keepers import Keeper

HERE, THERE = 9, 10


class Desk:
    """A queue in two guilds whose pauses can be begun and ended."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.settings = Settings(Keeper())
        rules = WorkRules(self.settings, Breakers(self.clock))
        self.queue = MessageQueue(MemoryStore(self.clock), rules, self.clock)
        self.pauses = Pauses(self.settings, self.queue, self.clock)
        self.channels = iter(range(1, 100))

    async def accept(self, guild_id: int | None = HERE) -> Event:
        """Accept an event."""
        event = make_event(
            guild_id=guild_id, channel_id=next(self.channels), now=self.clock.time()
        )
        assert await self.queue.enqueue(event) == "accepted"
        return event

    def left(self, event: Event) -> float:
        """Return the seconds that an event may still wait; both of its clocks agree."""
        seconds = event.expires_at - self.clock.time()
        assert event.deadline - self.clock.monotonic() == pytest.approx(seconds)
        return seconds


@pytest.fixture
async def desk() -> Desk:
    """A desk whose queue is open."""
    desk = Desk()
    await desk.queue.open()
    return desk


@pytest.mark.parametrize("place", [HERE, EVERYWHERE])
async def test_a_pause_costs_nobody_time(desk: Desk, place: Where) -> None:
    """Neither those who waited before it nor those who came while it lasted."""
    before = await desk.accept()
    await desk.clock.advance(100)
    assert await desk.pauses.begin(place)
    await desk.clock.advance(300)
    during = await desk.accept()
    await desk.clock.advance(2000)
    assert await desk.pauses.end(place)
    assert desk.left(before) == EXPIRY_SECONDS - 100
    assert desk.left(during) == EXPIRY_SECONDS
    assert desk.settings.paused_since(HERE) is None


async def test_a_servers_pause_is_its_own(desk: Desk) -> None:
    """Elsewhere the time goes on, and so it does in direct messages."""
    others = [await desk.accept(THERE), await desk.accept(None)]
    await desk.pauses.begin(HERE)
    await desk.clock.advance(300)
    await desk.pauses.end(HERE)
    assert [desk.left(event) for event in others] == [EXPIRY_SECONDS - 300] * 2


async def test_a_second_pause_does_not_restart_the_first(desk: Desk) -> None:
    """Since when it is paused stays known."""
    event = await desk.accept()
    assert await desk.pauses.begin(HERE)
    await desk.clock.advance(100)
    assert not await desk.pauses.begin(HERE)
    await desk.clock.advance(100)
    assert await desk.pauses.end(HERE)
    assert not await desk.pauses.end(HERE)
    assert desk.left(event) == EXPIRY_SECONDS


@pytest.mark.parametrize(
    ("begun", "ended"),
    [
        ((HERE, EVERYWHERE), (HERE, EVERYWHERE)),
        ((HERE, EVERYWHERE), (EVERYWHERE, HERE)),
        ((EVERYWHERE, HERE), (HERE, EVERYWHERE)),
        ((EVERYWHERE, HERE), (EVERYWHERE, HERE)),
    ],
)
async def test_overlapping_pauses_give_their_time_back_once(
    desk: Desk, begun: tuple[Where, Where], ended: tuple[Where, Where]
) -> None:
    """In whatever order they begin and end, nothing runs from the first to the last."""
    waiting = await desk.accept()
    await desk.clock.advance(50)
    await desk.pauses.begin(begun[0])
    await desk.clock.advance(400)
    await desk.pauses.begin(begun[1])
    late = await desk.accept()
    await desk.clock.advance(400)
    await desk.pauses.end(ended[0])
    assert desk.settings.paused_since(HERE) is not None
    await desk.clock.advance(400)
    await desk.pauses.end(ended[1])
    assert desk.settings.paused_since(HERE) is None
    assert desk.left(waiting) == EXPIRY_SECONDS - 50
    assert desk.left(late) == EXPIRY_SECONDS


async def test_who_came_between_two_pauses_loses_no_time_either(desk: Desk) -> None:
    """It may get a little too much: never more than the server's pause took before the owner's."""
    await desk.pauses.begin(HERE)
    await desk.clock.advance(100)
    between = await desk.accept()
    await desk.clock.advance(100)
    await desk.pauses.begin(EVERYWHERE)
    await desk.clock.advance(100)
    await desk.pauses.end(HERE)
    await desk.pauses.end(EVERYWHERE)
    assert EXPIRY_SECONDS <= desk.left(between) <= EXPIRY_SECONDS + 200
