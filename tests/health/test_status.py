"""The facts that status commands and panels show."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from aurora.agents.protocol import AgentBackend, AgentInfo
from aurora.errors import Breakers, BreakerState, ErrorStats
from aurora.health.status import Found, Status
from aurora.ledger import EVERYWHERE
from aurora.ledger.memory import MemoryStore
from aurora.model import State
from aurora.queue import MessageQueue
from aurora.queue.limits import WorkRules
from aurora.reasons import AgentError, Outcome, Reason
from aurora.settings import Settings
from tests.support.clocks import FakeClock
from tests.support.events import make_event
from tests.support.keepers import Keeper

HERE, THERE, FAR = 9, 10, 11


class Asked:
    """An agent server that knows one agent, is silent of another and trips over a third."""

    async def ping(self) -> None:
        """Be away."""
        raise AgentError(Outcome.UNREACHABLE, "at 10.0.0.1")

    async def agent(self, agent_id: str) -> AgentInfo:
        """Answer, or not."""
        if agent_id == "silent":
            await asyncio.Event().wait()
        if agent_id == "ada":
            return AgentInfo("ada", "Ada")
        outcome = Outcome.CONFIG if agent_id == "nobody" else Outcome.UNREACHABLE
        raise AgentError(outcome, "at 10.0.0.1")


@pytest.fixture
async def status() -> Status:
    """The status of a bot in three guilds, with an agent each; the third is not enabled."""
    clock, settings = FakeClock(), Settings(Keeper())
    breakers = Breakers(clock)
    store = MemoryStore(clock)
    queue = MessageQueue(store, WorkRules(settings, breakers), clock)
    await queue.open()
    for guild_id, agent_id in ((HERE, "ada"), (THERE, "silent"), (FAR, "unused")):
        await settings.set_guild(guild_id, agent_id=agent_id, enabled=guild_id != FAR)
    backend: Any = Asked()
    return Status(
        settings, store, queue, breakers, ErrorStats(clock), clock, lambda: backend, 0.05
    )


async def test_each_place_has_its_agents(status: Status) -> None:
    """Everywhere, also the one for direct messages; each of them once."""
    await status.settings.set_world(dm_agent_id="ada")
    assert status.agent_ids(HERE, [HERE, THERE]) == ["ada"]
    assert status.agent_ids(FAR, [FAR]) == []
    assert status.agent_ids(EVERYWHERE, [HERE, THERE, FAR]) == ["ada", "silent"]


async def test_the_server_is_asked_about_ten_agents_and_not_for_long(status: Status) -> None:
    """Each that can't be found has its reason."""
    agents = await status.agents(["ada", "silent", "nobody", "other", *"abcdefg"])
    assert agents is not None
    assert [one.found for one in agents[:4]] == ["there", "slow", "missing", "unknown"]
    assert agents[0].info == AgentInfo("ada", "Ada")
    assert agents[2].detail == "at 10.0.0.1"
    assert [one.found for one in agents[9:]] == [Found.UNKNOWN, Found.NOT_ASKED]


async def test_without_a_server_there_is_nobody_to_ask(status: Status) -> None:
    """Which is not the same as an agent that is missing."""
    status.backend = lambda: cast("AgentBackend | None", None)
    assert await status.agents(["ada"]) is None


async def test_a_guild_sees_the_breaker_of_its_own_agent_alone(status: Status) -> None:
    """And the server's."""
    for name in ("ada", "silent"):
        for _ in range(5):
            permits = status.breakers.acquire(name)
            assert permits is not None
            permits.accepted()
            permits.failed_run()
    assert status.circuits(HERE).server.state is BreakerState.CLOSED
    assert status.circuits(HERE).agents.keys() == {"ada"}
    assert status.circuits(FAR).agents == {}
    assert status.circuits(EVERYWHERE).agents.keys() == {"ada", "silent"}


async def test_a_guild_sees_the_limit_of_its_own_agent_alone(status: Status) -> None:
    """While there is one."""
    permits = status.breakers.acquire("ada")
    assert permits is not None
    permits.settle(Reason.OVERLOADED)
    assert status.circuits(HERE).limited["ada"].retry_in == 5
    assert status.circuits(FAR).limited == {}
    assert status.circuits(EVERYWHERE).limited.keys() == {"ada"}
    status.breakers.reset()
    assert status.circuits(HERE).limited == {}


async def test_the_queue_of_a_place(status: Status) -> None:
    """How much, since when, where most, and who has paused."""
    now = 1_750_000_000.0
    for age, (guild_id, channel_id) in enumerate([(HERE, 1), (THERE, 2), (THERE, 3), (None, 4)]):
        event = make_event(guild_id=guild_id, channel_id=channel_id, now=now - age)
        assert await status.queue.enqueue(event) == "accepted"
    await status.settings.set_guild(THERE, paused_since=5.0)
    here, there, every = [await status.waiting(one) for one in (HERE, THERE, EVERYWHERE)]
    assert (here.counts[State.WAITING], here.room, here.oldest) == (1, 50, now)
    assert (here.paused_since, there.paused_since, every.paused_since) == (None, 5.0, None)
    assert (there.counts[State.WAITING], there.oldest) == (2, now - 2)
    assert (every.counts[State.WAITING], every.room, every.oldest) == (4, None, now - 3)
    assert every.fullest[0] == (THERE, 2)
    assert every.totals["accepted"] == 4
    assert (every.paused_guilds, here.paused_guilds) == ([THERE], ())


async def test_the_pace_is_a_guilds_own(status: Status) -> None:
    """Everywhere there is none."""
    await status.settings.set_guild(HERE, rate_limit_seconds=3.5)
    assert status.limits(HERE).pace == 3.5
    assert status.limits(EVERYWHERE).pace is None


async def test_an_outage_lasts_from_its_first_failure_until_the_breaker_closes(
    status: Status,
) -> None:
    """What lies between, tried again in vain, is the same outage; an agent's is none."""
    clock = status.clock
    assert isinstance(clock, FakeClock)

    async def fail(agent_id: str, times: int, *, accepted: bool) -> None:
        for _ in range(times):
            permits = status.breakers.acquire(agent_id)
            assert permits is not None
            if accepted:
                permits.accepted()
                permits.failed_run()
            else:
                permits.failed_to_accept()

    await fail("ada", 5, accepted=True)
    assert (await status.connection()).since is None
    since = clock.time()
    await fail("other", 5, accepted=False)
    assert (await status.connection()).since == since
    await clock.advance(61)
    await fail("other", 1, accepted=False)
    assert (await status.connection()).since == since
    status.breakers.reset()
    assert (await status.connection()).since is None
