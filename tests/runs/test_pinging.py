"""Pings: how a server that was away is found again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from aurora.errors import Breakers, BreakerState
from aurora.reasons import AgentError, Outcome
from aurora.runs.pinging import Pinger
from tests.support.clocks import FakeClock


class Server:
    """A server that may be away, or hang."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.error: Exception | None = AgentError(Outcome.UNREACHABLE, "refused")
        self.hangs = False
        self.left = 0
        self.pinged: list[float] = []

    async def ping(self) -> None:
        self.pinged.append(self.clock.monotonic())
        if self.hangs:
            try:
                await asyncio.Event().wait()
            finally:
                self.left += 1
        if self.error is not None:
            raise self.error


class Rig:
    """Breakers, a server, and who pings it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.breakers = Breakers(self.clock)
        self.server: Server | None = Server(self.clock)
        self.missed: list[float] = []
        self.pinger = Pinger(
            self.breakers,
            lambda: self.server,
            self.clock,
            lambda: self.missed.append(self.clock.monotonic()),
        )
        self.breakers.subscribe(self.pinger.changed)
        self.began = self.clock.monotonic()

    def fail(self, times: int = 5) -> None:
        """Let inputs not be taken."""
        for _ in range(times):
            permits = self.breakers.acquire("a")
            assert permits is not None
            permits.failed_to_accept()

    def succeed(self, times: int = 3) -> None:
        """Let inputs be taken."""
        for _ in range(times):
            permits = self.breakers.acquire("a")
            assert permits is not None
            permits.succeeded()

    @property
    def pings(self) -> list[float]:
        """Return when the server was pinged, in seconds since the beginning."""
        assert self.server is not None
        return [at - self.began for at in self.server.pinged]

    @property
    def state(self) -> BreakerState:
        return self.breakers.server.state


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """A rig, which leaves no task behind."""
    rig = Rig()
    yield rig
    await rig.pinger.stop()


async def test_a_good_ping_lets_turns_try_at_once(rig: Rig) -> None:
    """Four seconds of a restart cost no minute."""
    assert rig.server is not None
    rig.fail()
    await rig.clock.advance(4)
    rig.server.error = None
    await rig.clock.advance(1)
    assert (rig.pings, rig.state) == ([5], BreakerState.HALF_OPEN)
    rig.succeed()
    assert rig.state is BreakerState.CLOSED


async def test_nothing_is_pinged_while_all_is_well(rig: Rig) -> None:
    """Nor when four inputs in a row were not taken."""
    rig.fail(4)
    await rig.clock.advance(600)
    rig.succeed()
    assert rig.pings == []


async def test_pauses_between_pings_grow_up_to_a_minute(rig: Rig) -> None:
    """The breaker's own minutes in between are tried by turns, in vain."""
    rig.fail()
    for _ in range(900):
        await rig.clock.advance(1)
        if rig.state is BreakerState.HALF_OPEN:
            rig.fail(1)
    pauses = [later - sooner for sooner, later in zip(rig.pings, rig.pings[1:], strict=False)]
    assert rig.pings[:6] == [5, 10, 15, 20, 25, 31.25]
    assert all(5 <= pause <= 121 for pause in pauses)
    assert len(rig.missed) == len(rig.pings)


async def test_a_good_ping_does_not_make_the_outage_younger(rig: Rig) -> None:
    """A server that answers pings and takes no input is not tried every five seconds for ever."""
    assert rig.server is not None
    rig.server.error = None
    rig.fail()
    for _ in range(400):
        await rig.clock.advance(1)
        if rig.state is BreakerState.HALF_OPEN:
            rig.fail(1)
    assert len(rig.pings) < 20
    assert rig.pings[-1] - rig.pings[-2] >= 45


async def test_a_new_outage_begins_with_short_pauses(rig: Rig) -> None:
    """Three successes are the end of the one before."""
    assert rig.server is not None
    rig.fail()
    await rig.clock.advance(50)
    rig.server.error = None
    await rig.clock.advance(20)
    rig.succeed()
    rig.server.error = AgentError(Outcome.UNREACHABLE, "refused")
    rig.server.pinged.clear()
    rig.began = rig.clock.monotonic()
    rig.fail()
    await rig.clock.advance(11)
    assert rig.pings == [5, 10]


async def test_a_ping_that_hangs_is_left_in_time(rig: Rig) -> None:
    """It is no answer, and the next one comes."""
    assert rig.server is not None
    rig.server.hangs = True
    rig.fail()
    await rig.clock.advance(10)
    assert (rig.pings, rig.server.left, len(rig.missed)) == ([5], 1, 1)
    rig.server.hangs, rig.server.error = False, None
    await rig.clock.advance(5)
    assert rig.state is BreakerState.HALF_OPEN


@pytest.mark.parametrize(
    "error",
    [AgentError(Outcome.CONFIG, "401"), OSError("refused"), RuntimeError("a bug"), ValueError()],
)
async def test_whatever_a_ping_raises_the_next_one_comes(rig: Rig, error: Exception) -> None:
    """A proxy's 404 in mid-outage must cost nobody an answer."""
    assert rig.server is not None
    rig.server.error = error
    rig.fail()
    await rig.clock.advance(11)
    assert (rig.pings, rig.state) == ([5, 10], BreakerState.OPEN)


async def test_another_address_ends_the_pings(rig: Rig) -> None:
    """The new server is believed to be well."""
    assert rig.server is not None
    rig.server.hangs = True
    rig.fail()
    await rig.clock.advance(6)
    rig.breakers.reset()
    await rig.clock.advance(60)
    assert (rig.pings, rig.server.left, rig.clock.waiting) == ([5], 1, 0)


async def test_without_a_server_nothing_is_found(rig: Rig) -> None:
    """Its address was taken away."""
    rig.server = None
    rig.fail()
    await rig.clock.advance(20)
    assert rig.state is BreakerState.OPEN


async def test_an_agents_breaker_is_not_pinged(rig: Rig) -> None:
    """The server says nothing of an agent's model."""
    for _ in range(5):
        permits = rig.breakers.acquire("a")
        assert permits is not None
        permits.accepted()
        permits.failed_run()
    await rig.clock.advance(59)
    assert (rig.pings, rig.breakers.is_open("a")) == ([], True)


@pytest.mark.parametrize("hangs", [False, True])
async def test_stopping_leaves_nothing_behind(rig: Rig, hangs: bool) -> None:
    """Neither between two pings nor in one, and at once."""
    assert rig.server is not None
    rig.server.hangs = hangs
    rig.fail()
    await rig.clock.advance(6)
    await rig.pinger.stop()
    assert rig.clock.waiting == 0
    assert [one.get_name() for one in asyncio.all_tasks() if "aurora" in one.get_name()] == []
