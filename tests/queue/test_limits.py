"""The queue's rules: from the settings and breakers as they are now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from aurora.errors import Breakers
from aurora.queue.limits import AGENT_RUNS, WorkRules
from aurora.settings import GLOBAL_DEFAULTS, GUILD_DEFAULTS, Settings
from tests.support.clocks import FakeClock
from tests.support.documents import whole
from tests.support.events import make_event


class Nowhere:
    """A Keeper that keeps nothing."""

    async def load(self) -> tuple[Mapping[str, Any], Mapping[int, Mapping[str, Any]]]:
        return {}, {}

    async def save(self, guild_id: int | None, key: str, value: Any) -> None:
        pass


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def settings() -> Settings:
    """Guild 9 has an agent, and so have DMs."""
    made = Settings(Nowhere())
    await made.set_guild(9, agent_id="agent-g", enabled=True)
    await made.set_world(dm_agent_id="agent-d")
    return made


@pytest.fixture
def breakers(clock: FakeClock) -> Breakers:
    return Breakers(clock)


@pytest.fixture
def rules(settings: Settings, breakers: Breakers) -> WorkRules:
    return WorkRules(settings, breakers)


GLOBAL_RUNS, GUILD_RUNS = GLOBAL_DEFAULTS["global_runs"], GLOBAL_DEFAULTS["guild_runs"]
USER_RUNS = GUILD_DEFAULTS["user_runs"]


def test_the_limits_are_those_of_promise_3() -> None:
    """Global 64, per guild 8, per agent 4, per user 3."""
    assert (GLOBAL_RUNS, GUILD_RUNS, AGENT_RUNS, USER_RUNS) == (64, 8, 4, 3)


async def test_limits_are_as_they_are_set(rules: WorkRules, settings: Settings) -> None:
    """From the next question on, without a restart; a person's by the guild that they ask in."""
    await settings.set_world(global_runs=10, guild_runs=2)
    await settings.set_guild(9, user_runs=1)
    assert rules.limits(make_event(guild_id=9, author_id=7)) == {
        "global": 10, "guild:9": 2, "agent:agent-g": 4, "user:7": 1
    }  # fmt: skip
    assert rules.limits(make_event(guild_id=None, author_id=7))["user:7"] == 3


def test_the_readme_names_the_limits() -> None:
    """In its paragraph on fairness, each number beside what it bounds."""
    (told,) = re.findall(r"^- \*\*In order, and fair\.\*\*.*?^- ", whole("README.md"), re.M | re.S)
    told = " ".join(told.split())
    minute, hour = GUILD_DEFAULTS["user_limit"]
    for claim in (
        f"{GLOBAL_RUNS} runs in all, {GUILD_RUNS} per server, {AGENT_RUNS} per agent, "
        f"{USER_RUNS} per person",
        f"{GUILD_DEFAULTS['user_queue_size']} messages of one person",
        f"{minute} times a minute and {hour} times an hour",
    ):
        assert claim in told


def test_a_guilds_share_is_half_of_an_agents_runs(rules: WorkRules) -> None:
    """And at least one, or nobody could run."""
    assert rules.share == AGENT_RUNS // 2
    rules.agent_runs = 1
    assert rules.share == 1


def test_an_event_in_a_guild_counts_for_guild_agent_and_author(rules: WorkRules) -> None:
    """Four keys, each with its limit."""
    assert rules.limits(make_event(guild_id=9, author_id=7)) == {
        "global": 64,
        "guild:9": 8,
        "agent:agent-g": 4,
        "user:7": 3,
    }


def test_where_a_guild_is_away_nobody_runs(settings: Settings, breakers: Breakers) -> None:
    """It is looked at again soon; other guilds and direct messages go on."""
    away = {9}
    rules = WorkRules(settings, breakers, away=away.__contains__)
    assert rules.hold(make_event(guild_id=9)) == 5.0
    assert rules.hold(make_event(guild_id=None)) == 0.0
    away.clear()
    assert rules.hold(make_event(guild_id=9)) == 0.0


def test_a_direct_message_counts_for_no_guild(rules: WorkRules) -> None:
    """Or DMs together would share a guild's eight."""
    limits = rules.limits(make_event(guild_id=None, author_id=7))
    assert limits == {"global": 64, "agent:agent-d": 4, "user:7": 3}


async def test_queuesize_and_ratelimit_are_each_guilds_own_and_apply_at_once(
    rules: WorkRules, settings: Settings
) -> None:
    """The next question is answered by the new value."""
    assert rules.capacity(9) == 50
    assert rules.pace(make_event(guild_id=9)) == 2.0
    await settings.set_guild(9, max_queue_size=10, rate_limit_seconds=0.5)
    assert rules.capacity(9) == 10
    assert rules.pace(make_event(guild_id=9)) == 0.5
    assert rules.capacity(8) == 50
    assert rules.pace(make_event(guild_id=None)) == 2.0


async def test_another_agent_is_counted_from_the_next_event_on(
    rules: WorkRules, settings: Settings
) -> None:
    """`enable` changes the agent while events wait."""
    await settings.set_guild(9, agent_id="agent-new")
    assert "agent:agent-new" in rules.limits(make_event(guild_id=9))


def fail(breakers: Breakers, agent_id: str, times: int = 5) -> None:
    """Let runs of an agent fail."""
    for _ in range(times):
        permits = breakers.acquire(agent_id)
        assert permits is not None
        permits.failed_run()


async def test_an_open_breaker_holds_its_agents_events_alone(
    rules: WorkRules, breakers: Breakers, clock: FakeClock
) -> None:
    """Until its 60 seconds are over."""
    guild, dm = make_event(guild_id=9), make_event(guild_id=None)
    assert rules.hold(guild) == 0
    fail(breakers, "agent-g")
    assert rules.hold(guild) == pytest.approx(60)
    assert rules.hold(dm) == 0
    await clock.advance(61)
    assert rules.hold(guild) == 0


async def test_while_all_probes_are_out_the_queue_looks_again_soon(
    rules: WorkRules, breakers: Breakers, clock: FakeClock
) -> None:
    """A probe that gives its permit back wakes nobody, so the wait is never endless."""
    fail(breakers, "agent-g")
    await clock.advance(61)
    probes = [breakers.acquire("agent-g") for _ in range(3)]
    assert None not in probes
    assert rules.hold(make_event(guild_id=9)) == 1


def test_an_event_whose_guild_has_no_agent_is_not_held(rules: WorkRules) -> None:
    """It runs into its refusal at once instead of waiting for ever."""
    assert rules.hold(make_event(guild_id=8)) == 0


async def test_no_more_is_taken_than_a_half_open_breaker_lets_through(
    rules: WorkRules, breakers: Breakers, clock: FakeClock
) -> None:
    """Sixty waiting channels must not all be started, fifty-seven of them in vain."""
    fail(breakers, "agent-g")
    assert "probe:agent-g" not in rules.limits(make_event(guild_id=9))
    await clock.advance(61)
    assert rules.limits(make_event(guild_id=9))["probe:agent-g"] == 3
    assert "probe:agent-g" not in rules.limits(make_event(guild_id=None))
    for _ in range(3):
        permits = breakers.acquire("agent-g")
        assert permits is not None
        permits.succeeded()
    assert "probe:agent-g" not in rules.limits(make_event(guild_id=9))
