"""Which messages address the bot."""

from __future__ import annotations

import time

import pytest

from aurora.intake.triggers import addressed, still_addressed, unplaced
from tests.support.payloads import (
    TeaHouse,
    direct,
    hello,
    snapshot,
    snowflake,
)


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
    start = time.perf_counter()
    for _ in range(rounds):
        addressed(message, world.me)
    assert (time.perf_counter() - start) / rounds < 10e-6


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
