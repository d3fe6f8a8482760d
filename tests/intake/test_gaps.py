"""What was heard before a connection was lost."""

from __future__ import annotations

import discord

from aurora.intake.gaps import (
    Gap,
    Gaps,
    last_heard,
    written,
)
from tests.support.payloads import TeaHouse, snowflake

ORIGIN = Gap(5)


def heard(world: TeaHouse, *channels: str) -> list[discord.Message]:
    """Let messages come over the gateway."""
    return [world.message("hi", channel=channel, cached=True) for channel in channels]


def test_a_gap_begins_at_the_last_message_heard_in_each_channel() -> None:
    """So that a message that was heard, and edited since, is not read again."""
    world = TeaHouse()
    _, first, second = heard(world, "general", "general", "voice")
    gaps = Gaps(world.client, ORIGIN)
    gaps.lost(0)
    heard(world, "general")
    gaps.opened(0)
    gap = gaps.close(0)
    assert gap is not None
    assert gap.floor(first.channel.id) == first.id
    assert gap.floor(second.channel.id) == second.id


def test_of_a_channel_that_is_new_nothing_older_is_missed() -> None:
    """A thread that was archived had its messages before the gap."""
    world = TeaHouse()
    (last,) = heard(world, "general")
    gaps = Gaps(world.client, ORIGIN)
    gaps.lost(0)
    gaps.opened(0)
    gap = gaps.close(0)
    assert gap is not None
    assert gap.floor(snowflake()) == last.id


def test_a_channel_where_nobody_wrote_is_missed_from_its_beginning() -> None:
    """Its first message came in the gap."""
    world = TeaHouse()
    heard(world, "general")
    gaps = Gaps(world.client, ORIGIN)
    gaps.lost(0)
    gaps.opened(0)
    gap = gaps.close(0)
    assert gap is not None
    assert gap.floor(world.ids["voice"]) == 0


def test_the_first_session_closes_the_gap_before_the_start() -> None:
    """There was no connection to lose."""
    gaps = Gaps(TeaHouse().client, ORIGIN)
    gaps.opened(0)
    assert gaps.close(0) is ORIGIN


def test_a_connection_lost_before_the_first_session_changes_nothing() -> None:
    """Discord may turn a bot away before it lets it in."""
    client = discord.Client(intents=discord.Intents.all())
    gaps = Gaps(client, ORIGIN)
    gaps.lost(0)
    gaps.opened(0)
    assert gaps.close(0) is ORIGIN


def test_before_the_first_start_ever_there_is_no_gap() -> None:
    """Nobody spoke to a bot that was not there."""
    gaps = Gaps(TeaHouse().client, None)
    gaps.opened(0)
    assert gaps.close(0) is None


def test_a_resumed_session_has_no_gap() -> None:
    """Discord has sent all of it."""
    gaps = Gaps(TeaHouse().client, ORIGIN)
    gaps.lost(0)
    assert not gaps.closed
    gaps.resumed(0)
    assert gaps.closed


def test_a_session_that_is_lost_again_before_it_was_ready_leaves_the_gap_as_it_was() -> None:
    """Its guilds already told of what was missed, and nobody had read it."""
    world = TeaHouse()
    (last,) = heard(world, "general")
    gaps = Gaps(world.client, ORIGIN)
    gaps.lost(0)
    gaps.opened(0)
    heard(world, "general")
    gaps.lost(0)
    gaps.resumed(0)
    assert not gaps.closed
    gap = gaps.close(0)
    assert gap is not None
    assert gap.floor(last.channel.id) == last.id


def test_a_resume_that_fails_lets_the_gap_begin_where_the_replay_ended() -> None:
    """What was replayed has been heard."""
    world = TeaHouse()
    heard(world, "general")
    gaps = Gaps(world.client, ORIGIN)
    gaps.lost(0)
    (replayed,) = heard(world, "general")
    gaps.lost(0)
    gaps.opened(0)
    gap = gaps.close(0)
    assert gap is not None
    assert gap.floor(replayed.channel.id) == replayed.id


def test_shards_have_their_own_gaps() -> None:
    """One may be lost while the others hear on."""
    world = TeaHouse()
    heard(world, "general")
    gaps = Gaps(world.client, ORIGIN)
    gaps.lost(1)
    gaps.opened(1)
    gap = gaps.close(1)
    assert gap is not None
    assert gap.channels == {}
    assert gaps.closed


def test_all_shards_have_heard_up_to_the_one_that_heard_least() -> None:
    """Or the gap of a silent shard would be skipped."""
    quiet, busy = TeaHouse(), TeaHouse()
    (last,) = heard(quiet, "general")
    heard(busy, "general", "voice")
    for index, world in enumerate((quiet, busy)):
        world.state.shard_count = 2
        world.guild.id = index << 22
    assert last_heard([quiet.guild, busy.guild]) == last.id


def test_where_nobody_ever_wrote_nothing_was_heard() -> None:
    """A new server, or none at all."""
    assert last_heard([TeaHouse().guild]) == 0
    assert last_heard([]) == 0


def test_messages_stand_in_channels_and_threads_and_not_in_forums() -> None:
    """A forum's last message id is that of its latest post."""
    world = TeaHouse()
    names = {place.name for place in written(world.guild)}
    assert {"general", "voice", "stage", "thread", "post"} <= names
    assert "forum" not in names
