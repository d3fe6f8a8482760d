"""Outages: what is worth a word to people, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from aurora.errors import Breakers, Key, Provider
from aurora.health.outages import Outages
from aurora.reasons import Reason
from tests.support.clocks import FakeClock

HIS = Provider("a")


class Desk:
    """Breakers, and what is heard of them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.breakers = Breakers(self.clock)
        self.outages = Outages(self.breakers, self.clock)
        self.breakers.subscribe(self.outages.changed)
        self.outages.subscribe(lambda key, _old, new: self.heard.append((key, new.value)))
        self.heard: list[tuple[Key, str]] = []

    def end(self, reason: Reason, times: int = 1) -> None:
        """Let runs end."""
        for _ in range(times):
            permits = self.breakers.acquire("a")
            assert permits is not None
            permits.settle(reason)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A desk, which leaves no task behind."""
    desk = Desk()
    yield desk
    await desk.outages.stop()


async def test_a_servers_restart_is_no_news(desk: Desk) -> None:
    """It is back before anybody looked twice: neither its beginning nor its end is told."""
    desk.end(Reason.UNREACHABLE, 5)
    await desk.clock.advance(5)
    desk.breakers.server.half_open()
    desk.end(Reason.COMPLETED, 3)
    await desk.clock.advance(60)
    assert desk.heard == []


async def test_a_server_that_is_pinged_in_vain_after_five_seconds_is_news(desk: Desk) -> None:
    """Once, and so is its end."""
    desk.end(Reason.UNREACHABLE, 5)
    await desk.clock.advance(4)
    desk.outages.missed()
    assert desk.heard == []
    for _ in range(3):
        await desk.clock.advance(5)
        desk.outages.missed()
    assert desk.heard == [(None, "open")]
    desk.breakers.server.half_open()
    desk.end(Reason.COMPLETED, 3)
    assert desk.heard == [(None, "open"), (None, "closed")]


async def test_a_server_that_answers_pings_and_takes_nothing_is_news(desk: Desk) -> None:
    """The turn that tried it says so."""
    desk.end(Reason.UNREACHABLE, 5)
    await desk.clock.advance(5)
    desk.breakers.server.half_open()
    desk.end(Reason.UNREACHABLE)
    assert desk.heard == [(None, "open")]


async def test_a_server_that_failed_for_long_before_its_breaker_opened_is_news_at_once(
    desk: Desk,
) -> None:
    """One person alone needs half a minute to open it."""
    for _ in range(5):
        desk.end(Reason.UNREACHABLE)
        await desk.clock.advance(3)
    assert desk.heard == [(None, "open")]


async def test_an_agent_that_fails_is_news_after_five_seconds(desk: Desk) -> None:
    """Nobody pings it."""
    desk.end(Reason.FAILED, 5)
    await desk.clock.advance(4.9)
    assert desk.heard == []
    await desk.clock.advance(0.2)
    assert desk.heard == [("a", "open")]
    await desk.clock.advance(60)
    desk.end(Reason.FAILED)
    assert desk.heard == [("a", "open")] * 2


async def test_an_agent_that_is_reset_in_time_is_no_news(desk: Desk) -> None:
    """Nor does anything wait for it any more."""
    desk.end(Reason.FAILED, 5)
    await desk.clock.settle()
    desk.breakers.reset()
    await desk.clock.advance(60)
    assert (desk.heard, desk.clock.waiting) == ([], 0)


async def test_a_limit_is_news_after_fifteen_seconds(desk: Desk) -> None:
    """However often it is tried meanwhile, and when it is being tried just then."""
    for wait in (5, 5):
        desk.end(Reason.OVERLOADED)
        await desk.clock.advance(wait)
    desk.end(Reason.OVERLOADED)
    await desk.clock.advance(4.9)
    assert desk.heard == []
    await desk.clock.advance(0.2)
    assert desk.heard == [(HIS, "open")]
    await desk.clock.advance(5)
    desk.end(Reason.COMPLETED)
    assert desk.heard == [(HIS, "open"), (HIS, "closed")]


async def test_a_limit_that_is_being_tried_after_its_time_is_news_if_that_fails(
    desk: Desk,
) -> None:
    """It may be over; nobody need be told then."""
    desk.end(Reason.OVERLOADED)
    await desk.clock.advance(14)
    probe = desk.breakers.acquire("a")
    await desk.clock.advance(3)
    assert (probe is not None, desk.heard) == (True, [])
    assert probe is not None
    probe.settle(Reason.OVERLOADED)
    assert desk.heard == [(HIS, "open")]


async def test_a_limit_of_seconds_is_no_news(desk: Desk) -> None:
    """Most count requests by the minute, and let the next one through."""
    desk.end(Reason.OVERLOADED)
    await desk.clock.advance(5)
    desk.end(Reason.COMPLETED)
    await desk.clock.advance(60)
    assert desk.heard == []


async def test_stopping_leaves_nothing_behind(desk: Desk) -> None:
    """Whatever was waited for."""
    desk.end(Reason.FAILED, 5)
    desk.breakers.reset()
    desk.end(Reason.OVERLOADED)
    await desk.clock.settle()
    await desk.outages.stop()
    assert desk.clock.waiting == 0
    assert [one.get_name() for one in asyncio.all_tasks() if "aurora" in one.get_name()] == []
