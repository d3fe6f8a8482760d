"""Turns of a guild that a new session does not know yet: they wait for it, and not for ever."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from aurora.model import State
from aurora.queue import EXPIRY_SECONDS
from tests.support.scripts import ScriptedBackend
from tests.support.workers import Bench


@pytest.fixture
async def bench() -> AsyncGenerator[Bench, None]:
    """A worker whose guild is away."""
    bench = Bench(ScriptedBackend())
    bench.away.add(9)
    await bench.start()
    yield bench
    await bench.stop()


async def test_a_turn_waits_until_its_guild_comes(bench: Bench) -> None:
    """Nothing could be sent there, and the agent's answer would be lost."""
    first, second = await bench.ask(), await bench.ask()
    await bench.clock.advance(60)
    assert (first.state, second.state) == (State.WAITING, State.WAITING)
    bench.away.clear()
    bench.queue.reconsider([9])
    await bench.clock.advance(4)
    assert (first.state, second.state) == (State.ANSWERED, State.ANSWERED)


async def test_that_a_guild_has_come_is_seen_though_nobody_tells(bench: Bench) -> None:
    """discord.py tells of a late guild only when a whole shard has come."""
    event = await bench.ask()
    await bench.clock.advance(60)
    bench.away.clear()
    await bench.clock.advance(5)
    assert event.state is State.ANSWERED


async def test_who_waits_for_a_guild_that_never_comes_expires(bench: Bench) -> None:
    """After its fifteen minutes, as whatever waits too long."""
    event = await bench.ask()
    await bench.clock.advance(EXPIRY_SECONDS - 1)
    assert event.state is State.WAITING
    await bench.clock.advance(2)
    assert (event.state, event.reason) == (State.EXPIRED, "waited_too_long")


async def test_others_do_not_wait_for_a_guild(bench: Bench) -> None:
    """Neither another guild nor a direct message."""
    await bench.settings.set_guild(8, agent_id="b", enabled=True)
    await bench.ask()
    other = await bench.ask(guild_id=8, channel_id=80)
    await bench.clock.advance(1)
    assert other.state is State.ANSWERED
