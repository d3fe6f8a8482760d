"""Settings: defaults and ranges of the spec, parsing, and the cache in front of Config."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aurora.settings import (
    GUILD_DEFAULTS,
    KEYS,
    NO_LIMIT,
    RULES,
    GuildSettings,
    SettingError,
    Settings,
    TurnLimit,
    parse,
    typed,
)
from tests.support.keepers import Keeper


@pytest.mark.parametrize(
    ("command", "default", "low", "high"),
    [
        ("userqueue", 5, 1, 50),
        ("replydepth", 5, 1, 10),
        ("queuesize", 50, 10, 1000),
        ("timeout", 60, 10, 300),
        ("ratelimit", 2.0, 0.5, 10),
        ("steps", 20, 3, 50),
        ("budget calls", 50, 5, 200),
        ("budget reads", 10, 1, 50),
        ("budget reactions", 5, 1, 20),
        ("budget messages", 12, 1, 30),
        ("budget places", 2, 0, 10),
        ("budget ids", 5, 1, 50),
        ("budget tokens", 200_000, 10_000, 500_000),
    ],
)
def test_numbers_have_the_specs_default_and_range(
    command: str, default: float, low: float, high: float
) -> None:
    """Both ends are allowed, a step beyond is not."""
    key = KEYS[command]
    assert GUILD_DEFAULTS[key] == default
    assert parse(key, str(low)) == low
    assert parse(key, str(high)) == high
    for outside in (low - 0.5 if command == "ratelimit" else low - 1, high + 1):
        with pytest.raises(SettingError, match=f"{low:g} to {high:g}"):
            parse(key, str(outside))


@pytest.mark.parametrize("text", ["", "five", "nan", "inf", "1e999", "5.5", "٣٣٣٣"])
def test_what_is_no_number_in_range_is_refused_with_the_range(text: str) -> None:
    """The person learns what the setting takes."""
    with pytest.raises(SettingError, match="1 to 10 messages"):
        parse("reply_thread_depth", text)


@pytest.mark.parametrize("command", ["typing", "mcpguidance", "fallback"])
def test_switches_are_on_by_default_and_take_the_usual_words(command: str) -> None:
    """On, off, true, false, yes, no."""
    key = KEYS[command]
    assert GUILD_DEFAULTS[key] is True
    assert parse(key, "OFF") is False
    assert parse(key, "true") is True
    with pytest.raises(SettingError, match="on or off"):
        parse(key, "perhaps")


def test_how_agents_answer_is_one_of_two_words() -> None:
    """By tool, unless somebody chooses what is cheaper."""
    assert GUILD_DEFAULTS["answer_way"] == "tool"
    assert parse("answer_way", " TEXT ") == "text"
    with pytest.raises(SettingError, match="tool or text"):
        parse("answer_way", "by text")


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({"answer_way": "text"}, {"deliver_text": False}, "Set `answer` to tool first"),
        ({"deliver_text": False}, {"answer_way": "text"}, "Set `fallback` to on first"),
    ],
)
async def test_text_as_the_answer_and_no_delivery_of_text_refuse_each_other(
    first: dict[str, Any], second: dict[str, Any], words: str
) -> None:
    """Whichever is set second: together they would silence the agent."""
    keeper = Keeper({}, {})
    settings = Settings(keeper)
    await settings.set_guild(1, **first)
    with pytest.raises(SettingError, match=words):
        await settings.set_guild(1, **second)
    assert keeper.guilds == {1: first}
    assert settings.guild(1) == replace(GuildSettings(), **first)
    await settings.set_guild(1, agent_timeout=90)
    await settings.set_guild(2, **second)


@pytest.mark.parametrize("text", ["6 60", "6/60", " 6  / 60 "])
def test_a_limit_of_turns_is_two_numbers(text: str) -> None:
    """As one types them."""
    assert parse("user_limit", text) == (6, 60) == GUILD_DEFAULTS["user_limit"]
    assert typed(parse("user_limit", text)) == "6/60"


def test_a_limit_of_turns_can_be_switched_off() -> None:
    """Both at once."""
    assert parse("user_limit", "off") == NO_LIMIT
    assert typed(NO_LIMIT) == "off"


@pytest.mark.parametrize(
    "text", ["6", "6 60 600", "on", "six sixty", "0 60", "6 1001", "-1 5", ""]
)
def test_another_limit_of_turns_is_refused_with_what_it_takes(text: str) -> None:
    """The person learns both the range and how it is typed."""
    with pytest.raises(SettingError, match="1 to 1000 times a minute and an hour, or off"):
        parse("user_limit", text)


async def test_a_limit_of_turns_comes_back_from_json() -> None:
    """Config keeps it as a list."""
    settings = Settings(Keeper({}, {1: {"user_limit": [2, 20]}}))
    await settings.load()
    assert settings.guild(1).user_limit == TurnLimit(2, 20)
    assert str(settings.guild(1).user_limit) == "2/20"


def test_every_setting_of_a_guild_has_a_command_and_help() -> None:
    """A new field without a rule would be one that nobody can change."""
    otherwise = {"agent_id", "enabled", "discord_tools", "alert_channel_id", "paused_since"}
    otherwise |= {"agents_allowed", "enabled_by_right", "memory_role_id"}
    otherwise |= {"embed_hosts", "audience_off", "tools_chosen", "silence_words"}
    otherwise |= {"replies", "prefixes_ignored", "timezone", "quiet_hours", "roles", "role_places"}
    otherwise |= {"mention_role_id", "wake_word", "bots_trusted", "webhooks_trusted"}
    lists = {
        f"{kind}_{how}" for kind in ("channels", "roles", "users") for how in ("allowed", "denied")
    }
    assert set(RULES) == set(GUILD_DEFAULTS) - otherwise - lists
    assert all(str(rule.help) for rule in RULES.values())


async def test_changes_apply_at_once_and_are_kept_per_guild() -> None:
    """What one guild sets, no other sees."""
    keeper = Keeper({}, {})
    settings = Settings(keeper)
    await settings.load()
    await settings.set_guild(1, rate_limit_seconds=0.5)
    assert settings.guild(1).rate_limit_seconds == 0.5
    assert settings.guild(2).rate_limit_seconds == 2.0
    assert keeper.guilds == {1: {"rate_limit_seconds": 0.5}}


async def test_what_is_kept_is_used_after_a_restart_and_unknown_keys_do_no_harm() -> None:
    """Another version's key is not this one's problem."""
    settings = Settings(Keeper({"gone": 1}, {1: {"agent_timeout": 90, "also_gone": 2}}))
    await settings.load()
    assert settings.guild(1).agent_timeout == 90


async def test_a_guilds_agent_never_answers_dms_by_itself() -> None:
    """Only the owner's choice does, and only while DMs are on."""
    settings = Settings(Keeper({}, {1: {"agent_id": "agent-a", "enabled": True}}))
    await settings.load()
    assert settings.agent_for(1) == "agent-a"
    assert settings.agent_for(None) is None
    await settings.set_world(dm_agent_id="agent-b")
    assert settings.agent_for(None) == "agent-b"
    await settings.set_world(enable_dm_responses=False)
    assert settings.agent_for(None) is None


async def test_a_disabled_guild_has_no_agent() -> None:
    """The id is remembered, but nobody answers."""
    settings = Settings(Keeper({}, {1: {"agent_id": "agent-a", "enabled": False}}))
    await settings.load()
    assert settings.agent_for(1) is None


async def test_where_an_agent_answers_follows_every_change() -> None:
    """Its breaker concerns these guilds and nobody else."""
    settings = Settings(Keeper())
    await settings.load()
    assert settings.guilds_of("a") == ()
    for guild_id, agent_id in ((1, "a"), (2, "b"), (3, "a")):
        await settings.set_guild(guild_id, agent_id=agent_id, enabled=True)
    assert (settings.guilds_of("a"), settings.guilds_of("b")) == ([1, 3], [2])
    await settings.set_world(dm_agent_id="b")
    await settings.set_guild(1, enabled=False)
    assert (settings.guilds_of("a"), settings.guilds_of("b")) == ([3], [None, 2])


@pytest.mark.parametrize(("word", "steps"), [("simple", 10), ("Medium", 20), ("complex", 35)])
def test_steps_may_be_given_by_how_hard_a_task_is(word: str, steps: int) -> None:
    """The document's three values have names."""
    assert parse("max_steps", word) == steps
