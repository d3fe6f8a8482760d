"""Conversations: each holds only what everybody in its place may read."""

from __future__ import annotations

import discord

from aurora.guard.gates import gate_of
from aurora.model import own_lane
from doubles.local_discord import Overwrite, permissions
from tests.support.squares import ELSEWHERE
from tests.support.workers import Bench, start_bench

GUILD, CHANNEL = 9, 1
LANE = "channel:1"


async def bench_with_two_people(benches: list[Bench]) -> Bench:
    """Let two people ask once, and no pace hinder them."""
    bench, _ = await start_bench(benches)
    await bench.settings.set_guild(GUILD, rate_limit_seconds=0.5)
    for author_id in (7, 8):
        await bench.ask(author_id=author_id)
        await bench.clock.advance(1)
    return bench


async def has_read(bench: Bench, channel_id: int) -> None:
    """Keep that a place was read into the channel's conversation, as it is now."""
    channel = bench.bot.get_channel(channel_id)
    assert isinstance(channel, discord.TextChannel)
    gate = gate_of(channel)
    assert gate is not None
    await bench.store.add_source("a", LANE, channel_id, gate.kept())


def allow_only(bench: Bench, channel_id: int, *people: int) -> None:
    """Hide a channel from all but some, and the bot."""
    local = bench.square.local
    guild = local.world.guilds[GUILD]
    shown = [local.bot_user, *(local.world.users[one] for one in people)]
    rules = [Overwrite.of(one, allow=permissions.VIEW_CHANNEL) for one in shown]
    hidden = Overwrite.of(guild.everyone, deny=permissions.VIEW_CHANNEL)
    local.set_overwrites(guild.channels[channel_id], (hidden, *rules))


def open_to_all(bench: Bench, channel_id: int) -> None:
    """Let everybody into a channel."""
    local = bench.square.local
    local.set_overwrites(local.world.guilds[GUILD].channels[channel_id], ())


async def test_a_place_that_more_can_read_begins_a_new_conversation(benches: list[Bench]) -> None:
    """Somebody could be told now what they may not read; the admins learn of it."""
    bench = await bench_with_two_people(benches)
    for channel_id in (CHANNEL, ELSEWHERE):
        allow_only(bench, channel_id, 7)
    await has_read(bench, ELSEWHERE)
    await bench.ask()
    assert await bench.store.conversation("a", LANE) == "a-conv-1"
    assert bench.renewed == []
    open_to_all(bench, CHANNEL)
    await bench.clock.advance(1)
    event = await bench.ask()
    assert await bench.store.conversation("a", LANE) == "a-conv-2"
    assert (await bench.tried(event)).conversation_id == "a-conv-2"
    assert [one.channel_id for one in bench.renewed] == [CHANNEL]
    assert await bench.store.sources("a", LANE) == {}


async def test_a_place_that_more_can_read_keeps_what_they_may_read(benches: list[Bench]) -> None:
    """To open a channel costs nothing if nothing was read into it that the new ones may not."""
    bench = await bench_with_two_people(benches)
    await has_read(bench, ELSEWHERE)
    allow_only(bench, CHANNEL, 7)
    await bench.ask()
    open_to_all(bench, CHANNEL)
    await bench.clock.advance(1)
    await bench.ask()
    assert await bench.store.conversation("a", LANE) == "a-conv-1"


async def test_a_place_that_was_shut_since_it_was_read_is_no_matter(benches: list[Bench]) -> None:
    """Whoever is here could read it then: an archive does not make an agent forget."""
    bench = await bench_with_two_people(benches)
    await has_read(bench, ELSEWHERE)
    allow_only(bench, ELSEWHERE, 7)
    await bench.ask()
    assert await bench.store.conversation("a", LANE) == "a-conv-1"
    local = bench.square.local
    local.delete_channel(local.world.guilds[GUILD].channels[ELSEWHERE])
    await bench.clock.advance(1)
    await bench.ask()
    assert await bench.store.conversation("a", LANE) == "a-conv-1"


async def test_who_may_not_read_the_history_has_a_conversation_apart(benches: list[Bench]) -> None:
    """The lane's is that history; the others keep it, and the turns of a lane never overlap."""
    bench = await bench_with_two_people(benches)
    local = bench.square.local
    newcomer = local.world.users[8]
    rule = Overwrite.of(newcomer, deny=permissions.READ_MESSAGE_HISTORY)
    local.set_overwrites(local.world.guilds[GUILD].channels[CHANNEL], (rule,))
    event = await bench.ask(author_id=8)
    assert (await bench.tried(event)).conversation_id == "a-conv-2"
    assert await bench.store.conversation("a", LANE) == "a-conv-1"
    assert await bench.store.conversation("a", own_lane(LANE, 8)) == "a-conv-2"
    await bench.clock.advance(1)
    event = await bench.ask(author_id=7)
    assert (await bench.tried(event)).conversation_id == "a-conv-1"
    await bench.clock.advance(1)
    event = await bench.ask(author_id=8)
    assert (await bench.tried(event)).conversation_id == "a-conv-2"


async def test_in_direct_messages_nothing_of_this_is_asked(benches: list[Bench]) -> None:
    """There is one person."""
    bench, _ = await start_bench(benches)
    await bench.settings.set_world(dm_agent_id="a")
    event = await bench.ask(channel_id=3, guild_id=None)
    assert (await bench.tried(event)).conversation_id == "a-conv-1"
