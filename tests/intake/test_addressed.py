"""Which messages address the bot."""

from __future__ import annotations

import time

import discord
import pytest

from aurora.intake import addressing
from aurora.intake.addressing import unplaced, unresolved
from aurora.model import Kind
from aurora.settings import GuildSettings
from tests.support.payloads import (
    TeaHouse,
    direct,
    hello,
    snapshot,
    snowflake,
)

DEFAULTS = GuildSettings()


def addressed(
    message: discord.Message, me: discord.abc.User, mine: GuildSettings = DEFAULTS
) -> Kind | None:
    """Tell how a message addresses the bot in a guild with these settings."""
    return addressing.addressed(message, me, mine)


def still_addressed(message: discord.Message, me: discord.abc.User) -> bool:
    """Tell whether an edited message may address the bot."""
    return addressed(message, me) is not None or unresolved(message)


def test_a_mention_addresses_the_bot(world: TeaHouse) -> None:
    """By user id."""
    assert addressed(hello(world), world.me) == "mention"


def test_a_mention_of_its_managed_role_addresses_the_bot(world: TeaHouse) -> None:
    """People pick the role from the list as readily as the user."""
    message = world.message(f"<@&{world.roles['aurora']}> hello")
    assert addressed(message, world.me) == "mention"


def test_a_mention_of_another_role_does_not(world: TeaHouse) -> None:
    """Not even of one the bot could have."""
    assert addressed(world.message(f"<@&{world.roles['mods']}> hello"), world.me) is None


def test_a_message_of_a_guild_that_is_not_known_yet_is_no_direct_message(world: TeaHouse) -> None:
    """It would be answered by another agent, or where nothing may be said."""
    unknown = world.message("just talking", guild_id=str(snowflake()))
    assert unknown.guild is None
    assert unplaced(unknown)
    assert addressed(unknown, world.me) is None
    assert addressed(hello(world, guild_id=str(snowflake())), world.me) == "mention"


def test_everyone_is_nobody_in_particular(world: TeaHouse) -> None:
    """An announcement wakes no agent."""
    assert addressed(world.message("@everyone @here hello"), world.me) is None


def test_a_reply_to_the_bot_counts_with_the_ping_off(world: TeaHouse) -> None:
    """A reply without ping mentions nobody."""
    message = world.message("and then?", reply_to=world.message("hi", author="aurora"))
    assert message.mentions == []
    assert addressed(message, world.me) == "reply"


def test_a_reply_counts_when_only_the_cache_knows_the_author(world: TeaHouse) -> None:
    """Discord sometimes leaves out the message replied to."""
    mine = world.message("hi", author="aurora", cached=True)
    message = world.message("and then?", reply_to=mine, resolved="absent")
    assert addressed(message, world.me) == "reply"


def test_a_reply_to_somebody_else_is_not_for_the_bot(world: TeaHouse) -> None:
    """People talk to each other, too."""
    assert addressed(world.message("no", reply_to=world.message("hi")), world.me) is None


def test_a_reply_to_a_deleted_message_is_not_for_the_bot(world: TeaHouse) -> None:
    """Nobody knows whose it was."""
    message = world.message("what?", reply_to=snowflake(), resolved="deleted")
    assert addressed(message, world.me) is None


def test_a_forward_of_the_bots_message_is_no_reply(world: TeaHouse) -> None:
    """It shows the message to somebody else."""
    mine = world.message("hi", author="aurora", cached=True)
    reference = {"type": 1, "message_id": str(mine.id), "channel_id": str(mine.channel.id)}
    message = world.message(message_reference=reference, message_snapshots=[snapshot("hi")])
    assert addressed(message, world.me) is None


def test_a_direct_message_addresses_the_bot(world: TeaHouse) -> None:
    """There is nobody else to address."""
    assert addressed(direct(world), world.me) == "dm"


@pytest.mark.parametrize("kind", [6, 7, 8, 18, 21])
def test_what_discord_writes_addresses_nobody(world: TeaHouse, kind: int) -> None:
    """Pins, joins, boosts and new threads, though they may mention the bot."""
    assert addressed(hello(world, type=kind), world.me) is None


def test_the_bots_own_messages_address_nobody(world: TeaHouse) -> None:
    """Nor its answers in a DM, nor its replies to itself."""
    assert addressed(direct(world, author="aurora"), world.me) is None


def test_an_ignored_message_costs_next_to_nothing(world: TeaHouse) -> None:
    """Every message of every guild passes here; the bound is far above what it takes."""
    message, rounds = world.message("chatter", reply_to=world.message("hi")), 5000
    start = time.thread_time()
    for _ in range(rounds):
        addressed(message, world.me)
    assert (time.thread_time() - start) / rounds < 10e-6


def test_an_edit_that_keeps_the_mention_still_counts(world: TeaHouse) -> None:
    """The event goes on."""
    message = hello(world, cached=True)
    changed = world.sent[message.id] | {"content": f"<@{world.me.id}> hello again"}
    world.state.parse_message_update(changed)  # type: ignore[arg-type]
    assert still_addressed(message, world.me)


def test_an_edit_that_removes_the_mention_takes_it_back(world: TeaHouse) -> None:
    """Nobody is asked any more."""
    message = hello(world, cached=True)
    changed = world.sent[message.id] | {"content": "hello", "mentions": []}
    world.state.parse_message_update(changed)  # type: ignore[arg-type]
    assert not still_addressed(message, world.me)


def test_an_edited_reply_is_in_doubt_still_a_reply(world: TeaHouse) -> None:
    """An edit that leaves out the message replied to must not cancel."""
    mine = world.message("hi", author="aurora")
    message = world.message("edited", reply_to=mine, resolved="absent")
    assert still_addressed(message, world.me)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("`{bot}`", None),
        ("```\n{bot} hello\n```", None),
        ("``{bot}`` and ```{role}```", None),
        ("write `{bot}` to call {bot}", "mention"),
        ("`code` {bot} `more`", "mention"),
        ("a lonely ` and {bot}", "mention"),
        ("`{bot}` {role}", "mention"),
        ("||{bot}||", "mention"),
        ("> {bot}", "mention"),
    ],
)
def test_a_mention_in_code_is_none(world: TeaHouse, text: str, kind: Kind | None) -> None:
    """Whoever shows how it is written calls nobody."""
    bot, role = f"<@{world.me.id}>", f"<@&{world.roles['aurora']}>"
    assert addressed(world.message(text.format(bot=bot, role=role)), world.me) == kind


def test_the_ping_of_a_reply_to_somebody_else_is_no_mention(world: TeaHouse) -> None:
    """Discord lists whoever is replied to among those mentioned."""
    message = world.message("no", reply_to=world.message("hi"), mentions=[world.people["aurora"]])
    assert addressed(message, world.me) is None


def test_a_role_that_admins_chose_counts_as_long_as_the_bot_has_it(world: TeaHouse) -> None:
    """People know the team, not the bot."""
    mods = world.roles["mods"]
    chosen = GuildSettings(mention_role_id=mods)
    message = world.message(f"<@&{mods}> help")
    assert addressed(message, world.me, chosen) is None
    world.guild.me._roles.add(mods)
    assert addressed(message, world.me, chosen) == "mention"
    assert addressed(message, world.me) is None
    assert addressed(world.message(f"`<@&{mods}>` help"), world.me, chosen) is None


@pytest.mark.parametrize(
    ("text", "word", "kind"),
    [
        ("Aurora, what is the tide?", "aurora", "mention"),
        ("aurora what is the tide?", "Aurora", "mention"),
        ("  AURORA: hi", "aurora", "mention"),
        ("aurora", "aurora", "mention"),
        ("aurora?", "aurora", "mention"),
        ("Äurora, hallo", "äurora", "mention"),
        ("アウ、こんにちは", "アウ", "mention"),
        ("lady a, hello", "Lady A", "mention"),
        ("A.I. hello", "a.i", "mention"),
        ("auroras are green", "aurora", None),
        ("Aurora's idea was better", "aurora", None),
        ("Aurora’s idea was better", "aurora", None),
        ("aurora-green is a colour", "aurora", None),
        ("what does Aurora think?", "aurora", None),
        ("hey aurora", "aurora", None),
        ("aXi hello", "a.i", None),
        ("", "aurora", None),
        ("Aurora, hello", None, None),
    ],
)
def test_a_nickname_at_the_beginning_counts(
    world: TeaHouse, text: str, word: str | None, kind: Kind | None
) -> None:
    """As a whole word, however it is written; it is off unless admins choose one."""
    mine = GuildSettings(wake_word=word)
    assert addressed(world.message(text), world.me, mine) == kind
