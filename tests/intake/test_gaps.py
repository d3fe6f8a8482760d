"""What was heard before a connection was lost."""

from __future__ import annotations

import discord

from aurora.intake.gaps import (
    DMS,
    Gap,
    Gaps,
    last_heard,
    written,
)
from tests.support.payloads import TeaHouse, snowflake

ORIGIN = 5


def heard(world: TeaHouse, *channels: str) -> list[discord.Message]:
    """Let messages come over the gateway."""
    return [world.message("hi", channel=channel, cached=True) for channel in channels]


def hearing(world: TeaHouse, origin: int | None = ORIGIN) -> Gaps:
    """Return gaps of a bot that has read what it missed before its first session."""
    gaps = Gaps(world.client, origin)
    for guild_id in gaps.opened(0):
        gaps.begin(guild_id, ())
        assert gaps.close(guild_id)
    assert gaps.closed
    return gaps


def of(gaps: Gaps, world: TeaHouse) -> Gap:
    """Return the gap of the world's guild."""
    gap = gaps.of(world.guild.id)
    assert gap is not None
    return gap


def test_a_gap_begins_at_the_last_message_heard_in_each_channel() -> None:
    """So that a message that was heard, and edited since, is not read again."""
    world = TeaHouse()
    _, first, second = heard(world, "general", "general", "voice")
    gaps = hearing(world)
    gaps.lost(0)
    heard(world, "general")
    gaps.opened(0)
    gap = of(gaps, world)
    assert gap.floor(first.channel.id) == first.id
    assert gap.floor(second.channel.id) == second.id


def test_of_a_channel_that_is_new_nothing_older_is_missed() -> None:
    """A thread that was archived had its messages before the gap."""
    world = TeaHouse()
    (last,) = heard(world, "general")
    gaps = hearing(world)
    gaps.lost(0)
    gaps.opened(0)
    assert of(gaps, world).floor(snowflake()) == last.id


def test_a_channel_where_nobody_wrote_is_missed_from_its_beginning() -> None:
    """Its first message came in the gap."""
    world = TeaHouse()
    heard(world, "general")
    gaps = hearing(world)
    gaps.lost(0)
    gaps.opened(0)
    assert of(gaps, world).floor(world.ids["voice"]) == 0


def test_the_first_session_has_the_gap_before_the_start() -> None:
    """There was no connection to lose."""
    world = TeaHouse()
    gaps = Gaps(world.client, ORIGIN)
    assert set(gaps.opened(0)) == {DMS, world.guild.id}
    assert of(gaps, world) == Gap(ORIGIN)


def test_a_guild_that_was_behind_has_a_gap_of_its_own() -> None:
    """The others went on without it."""
    world = TeaHouse()
    gaps = Gaps(world.client, ORIGIN, {world.guild.id: 3})
    gaps.opened(0)
    assert of(gaps, world) == Gap(3)
    assert gaps.of(DMS) == Gap(ORIGIN)


def test_a_guild_that_was_behind_and_does_not_come_stays_behind() -> None:
    """It may come in the next life."""
    world = TeaHouse()
    gaps = Gaps(world.client, ORIGIN, {77: 3})
    gaps.opened(0)
    assert gaps.behind()[77] == 3


def test_a_connection_lost_before_the_first_session_changes_nothing() -> None:
    """Discord may turn a bot away before it lets it in."""
    client = discord.Client(intents=discord.Intents.all())
    gaps = Gaps(client, ORIGIN)
    gaps.lost(0)
    gaps.opened(0)
    assert gaps.of(DMS) == Gap(ORIGIN)


def test_before_the_first_start_ever_there_is_no_gap() -> None:
    """Nobody spoke to a bot that was not there."""
    world = TeaHouse()
    gaps = Gaps(world.client, None)
    assert gaps.opened(0) == []
    assert gaps.closed


def test_a_resumed_session_has_no_gap() -> None:
    """Discord has sent all of it."""
    world = TeaHouse()
    heard(world, "general")
    gaps = hearing(world)
    gaps.lost(0)
    assert not gaps.closed
    gaps.resumed(0)
    assert gaps.closed


def test_a_session_that_is_lost_before_its_guild_was_read_leaves_the_gap_as_it_was() -> None:
    """Its guild already told of what was missed, and nobody had read it."""
    world = TeaHouse()
    (last,) = heard(world, "general")
    gaps = hearing(world)
    gaps.lost(0)
    gaps.opened(0)
    heard(world, "general")
    gaps.lost(0)
    assert gaps.absent == []
    gaps.resumed(0)
    assert set(gaps.absent) == {DMS, world.guild.id}
    assert of(gaps, world).floor(last.channel.id) == last.id


def test_a_resume_that_fails_lets_the_gap_begin_where_the_replay_ended() -> None:
    """What was replayed has been heard."""
    world = TeaHouse()
    heard(world, "general")
    gaps = hearing(world)
    gaps.lost(0)
    (replayed,) = heard(world, "general")
    gaps.lost(0)
    gaps.opened(0)
    assert of(gaps, world).floor(replayed.channel.id) == replayed.id


def test_a_gap_that_was_half_read_goes_on_where_the_reading_was() -> None:
    """One channel was read when the next session was lost, the other was not."""
    world = TeaHouse()
    before = {one.channel.id: one for one in heard(world, "general", "voice")}
    gaps = hearing(world)
    gaps.lost(0)
    gaps.opened(0)
    after = {one.channel.id: one for one in heard(world, "general", "voice")}
    general, voice = world.ids["general"], world.ids["voice"]
    gaps.begin(world.guild.id, {general, voice})
    gaps.read(world.guild.id, general, after[general].id)
    gaps.lost(0)
    gaps.opened(0)
    gap = of(gaps, world)
    assert gap.floor(general) == after[general].id
    assert gap.floor(voice) == before[voice].id
    assert not gaps.close(world.guild.id)


def test_an_outage_of_one_guild_opens_its_gap_alone() -> None:
    """It begins where was heard for sure: its channels may tell already of what was missed."""
    world = TeaHouse()
    heard(world, "general")
    gaps = hearing(world)
    assert gaps.open(world.guild.id)
    assert gaps.of(DMS) is None
    assert gaps.behind() == {world.guild.id: ORIGIN}


def test_a_guild_that_the_bot_has_left_misses_nothing() -> None:
    """Not even if it is invited again."""
    world = TeaHouse()
    gaps = Gaps(world.client, ORIGIN, {world.guild.id: 3})
    gaps.opened(0)
    gaps.forget(world.guild.id)
    assert world.guild.id not in gaps.behind()


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
