"""Policy: the agent may do what the person who asked may do, there, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import discord
import pytest

from aurora.chat.failures import GuildNotHereError
from aurora.guard.looking import can_view
from aurora.guard.policy import (
    AUTHOR_GONE,
    GUILD_GONE,
    LOCKED,
    MISSING,
    NARROWER,
    NO_MESSAGES,
    OUTSIDE_DM,
    TIMED_OUT,
    UNKNOWN_CHANNEL,
    Act,
    Allowed,
    Denied,
    Target,
)
from aurora.model import Event
from doubles.local_discord import Channel, Overwrite, permissions
from tests.support.stage import ON_STAGE, Stage, hide_from, time_out, together

EVERY_ACT = pytest.mark.parametrize("act", [Act.READ, Act.SEND, Act.REACT])


async def ask_for(stage: Stage, act: Act, channel: Channel, event: Event | None = None) -> object:
    return await ask_about(stage, act, channel.id, event or await stage.ask())


async def ask_about(stage: Stage, act: Act, channel_id: int, event: Event) -> object:
    turn = together(event)
    turn.agent_id = ON_STAGE
    return await stage.guard.ask(turn, act, Target(channel_id))


def renew(stage: Stage) -> None:
    """Begin a new session, in which the guild is named and has not come yet."""
    state: Any = stage.bot._connection
    state._add_guild_from_data({"id": str(stage.guild.id), "unavailable": True})


def allowed(answer: object, channel: Channel) -> bool:
    place = answer.place if isinstance(answer, Allowed) else None
    return place is not None and place.id == channel.id


@EVERY_ACT
async def test_the_events_own_channel_is_allowed(stage: Stage, act: Act) -> None:
    """The ordinary case."""
    assert allowed(await ask_for(stage, act, stage.channel), stage.channel)


@EVERY_ACT
async def test_a_guild_that_comes_late_is_waited_for(stage: Stage, act: Act) -> None:
    """A new session tells of it seconds later; until then it would seem to have no channels."""
    event = await stage.ask()
    renew(stage)
    asking = asyncio.create_task(ask_for(stage, act, stage.channel, event))
    await asyncio.sleep(0.05)
    assert not asking.done()
    stage.local.gateway.bring(stage.guild)
    assert allowed(await asking, stage.channel)


async def test_a_guild_that_does_not_come_is_trouble_of_discords(stage: Stage) -> None:
    """It is not known what may be done there. The wait is cut short here, to one look."""
    stage.hurry()
    event = await stage.ask()
    renew(stage)
    with pytest.raises(GuildNotHereError):
        await ask_for(stage, Act.SEND, stage.channel, event)


@EVERY_ACT
async def test_another_visible_channel_is_allowed(stage: Stage, act: Act) -> None:
    """Where Ada may go, her agent may."""
    other = stage.local.add_channel(stage.guild, "random")
    assert allowed(await ask_for(stage, act, other), other)


@EVERY_ACT
async def test_a_hidden_channel_looks_like_none(stage: Stage, act: Act) -> None:
    """The refusal does not tell a hidden channel from a made-up id."""
    event = await stage.ask()
    hidden = await ask_about(stage, act, stage.hidden.id, event)
    missing = await ask_about(stage, act, 123456789012345678, event)
    assert hidden == missing == UNKNOWN_CHANNEL


@EVERY_ACT
async def test_another_guild_looks_like_none(stage: Stage, act: Act) -> None:
    """Even one in which Ada is a member too."""
    other = stage.local.add_guild("Elsewhere", owner=stage.bob)
    stage.local.add_member(other, stage.ada)
    channel = stage.local.add_channel(other, "general")
    assert await ask_for(stage, act, channel) == UNKNOWN_CHANNEL


@EVERY_ACT
async def test_somebody_elses_dm_looks_like_none(stage: Stage, act: Act) -> None:
    """From a guild no DM can be reached, not even Ada's own."""
    for user in (stage.bob, stage.ada):
        channel = stage.local.open_dm(user)
        stage.local.say(user, channel, "psst")
        assert await ask_for(stage, act, channel) == UNKNOWN_CHANNEL


@EVERY_ACT
async def test_a_dm_reaches_itself_alone(stage: Stage, act: Act) -> None:
    """No guild's channel and nobody else's DM from a DM."""
    own, others = stage.local.open_dm(stage.ada), stage.local.open_dm(stage.bob)
    stage.local.say(stage.bob, others, "psst")
    event = await stage.ask(own)
    assert allowed(await ask_for(stage, act, own, event), own)
    assert await ask_for(stage, act, others, event) == OUTSIDE_DM
    assert await ask_for(stage, act, stage.channel, event) == OUTSIDE_DM


async def test_a_dm_is_found_without_the_cache(stage: Stage) -> None:
    """After a restart no DM is cached."""
    own = stage.local.open_dm(stage.ada)
    event = await stage.ask(own)
    stage.bot._connection._private_channels.clear()
    assert allowed(await ask_for(stage, Act.SEND, own, event), own)


@pytest.mark.parametrize(
    ("act", "taken"),
    [
        (Act.READ, permissions.READ_MESSAGE_HISTORY),
        (Act.SEND, permissions.SEND_MESSAGES),
        (Act.REACT, permissions.ADD_REACTIONS),
        (Act.REACT, permissions.READ_MESSAGE_HISTORY),
    ],
)
async def test_each_act_needs_its_permission(stage: Stage, act: Act, taken: int) -> None:
    """What Ada may not do in a channel her agent may not do there."""
    rule = Overwrite.of(stage.ada, deny=taken)
    channel = stage.local.add_channel(stage.guild, "restricted", overwrites=(rule,))
    assert await ask_for(stage, act, channel) == MISSING[act]


async def test_writing_in_threads_is_a_right_of_its_own(stage: Stage) -> None:
    """Send Messages does not open threads, nor does its lack close them."""
    thread = stage.local.start_thread(stage.channel, "talk", owner=stage.ada)
    event = await stage.ask()
    rule = Overwrite.of(stage.ada, deny=permissions.SEND_MESSAGES)
    stage.local.set_overwrites(stage.channel, (rule,))
    assert allowed(await ask_for(stage, Act.SEND, thread, event), thread)
    rule = Overwrite.of(stage.ada, deny=permissions.SEND_MESSAGES_IN_THREADS)
    stage.local.set_overwrites(stage.channel, (rule,))
    assert await ask_for(stage, Act.SEND, thread, event) == MISSING[Act.SEND]


@EVERY_ACT
async def test_a_private_thread_is_for_its_guests(stage: Stage, act: Act) -> None:
    """Seeing the parent channel is not enough; being invited is."""
    thread = stage.local.start_thread(stage.channel, "tea", owner=stage.bob, private=True)
    stage.local.join_thread(thread, stage.local.bot_user)
    event = await stage.ask()
    assert await ask_for(stage, act, thread, event) == UNKNOWN_CHANNEL
    stage.local.join_thread(thread, stage.ada)
    answer = await ask_for(stage, act, thread, event)
    # Others than its guests would read the answer here.
    assert answer == NARROWER if act is Act.READ else allowed(answer, thread)
    stage.local.leave_thread(thread, stage.ada)
    assert await ask_for(stage, act, thread, event) == UNKNOWN_CHANNEL


async def test_a_moderator_sees_private_threads(stage: Stage) -> None:
    """Manage Threads opens them."""
    role = stage.local.add_role(stage.guild, "mod", permissions=permissions.MANAGE_THREADS)
    member = stage.guild.members[stage.ada.id]
    member.roles.append(role.id)
    stage.local.world.update_member(stage.guild, member)
    thread = stage.local.start_thread(stage.channel, "tea", owner=stage.bob, private=True)
    stage.local.join_thread(thread, stage.local.bot_user)
    assert allowed(await ask_for(stage, Act.SEND, thread), thread)


async def test_an_archived_thread_is_found(stage: Stage) -> None:
    """Archived threads are in no cache."""
    thread = stage.local.start_thread(stage.channel, "old", owner=stage.ada)
    stage.local.archive(thread)
    event = await stage.ask()
    assert stage.bot.get_channel(thread.id) is None
    assert allowed(await ask_for(stage, Act.READ, thread, event), thread)


async def test_a_locked_thread_is_read_only(stage: Stage) -> None:
    """The bot could write there, Ada could not."""
    thread = stage.local.start_thread(stage.channel, "done", owner=stage.ada)
    stage.local.archive(thread, locked=True)
    event = await stage.ask()
    assert await ask_for(stage, Act.SEND, thread, event) == LOCKED
    assert allowed(await ask_for(stage, Act.READ, thread, event), thread)


async def test_a_thread_in_a_hidden_channel_is_hidden(stage: Stage) -> None:
    """Threads inherit who sees them."""
    thread = stage.local.start_thread(stage.hidden, "plans", owner=stage.local.owner)
    assert await ask_for(stage, Act.READ, thread) == UNKNOWN_CHANNEL


@pytest.mark.parametrize("kind", [4, 15])
async def test_categories_and_forums_hold_no_messages(stage: Stage, kind: int) -> None:
    """The agent is told to use what is inside."""
    channel = stage.local.add_channel(stage.guild, "outer", type=kind)
    assert await ask_for(stage, Act.SEND, channel) == NO_MESSAGES


async def test_the_text_of_a_voice_channel_is_for_who_may_join(stage: Stage) -> None:
    """Connect is what opens it."""
    rule = Overwrite.of(stage.ada, deny=permissions.CONNECT)
    closed = stage.local.add_channel(stage.guild, "closed", type=2, overwrites=(rule,))
    lounge = stage.local.add_channel(stage.guild, "lounge", type=2)
    assert await ask_for(stage, Act.READ, closed) == UNKNOWN_CHANNEL
    assert allowed(await ask_for(stage, Act.READ, lounge), lounge)


@EVERY_ACT
async def test_who_has_left_may_do_nothing(stage: Stage, act: Act) -> None:
    """An agent does not act for somebody who was thrown out meanwhile."""
    event = await stage.ask()
    stage.local.remove_member(stage.guild, stage.ada)
    assert await ask_for(stage, act, stage.channel, event) == AUTHOR_GONE


async def test_an_uncached_author_is_looked_up(stage: Stage) -> None:
    """A large guild's members are not all in the cache."""
    event = await stage.ask()
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    guild._members.clear()
    assert allowed(await ask_for(stage, Act.SEND, stage.channel, event), stage.channel)


async def test_who_is_timed_out_may_only_read(stage: Stage) -> None:
    """Moderators silence the agent along with the person."""
    event = await stage.ask()
    time_out(stage, stage.ada)
    assert await ask_for(stage, Act.SEND, stage.channel, event) == TIMED_OUT
    assert await ask_for(stage, Act.REACT, stage.channel, event) == TIMED_OUT
    assert allowed(await ask_for(stage, Act.READ, stage.channel, event), stage.channel)


async def test_a_guild_the_bot_left_is_gone(stage: Stage) -> None:
    """Nothing can be done there."""
    event = await stage.ask()
    channel = stage.channel
    stage.local.remove_guild(stage.guild)
    await stage.local.wait_for(lambda: stage.bot.get_guild(stage.guild.id) is None)
    assert await ask_about(stage, Act.SEND, channel.id, event) == GUILD_GONE


async def test_refusals_name_no_channel(stage: Stage) -> None:
    """What an agent reads it may repeat."""
    denied = await ask_for(stage, Act.READ, stage.hidden)
    assert isinstance(denied, Denied)
    assert "staff" not in denied.text


async def test_can_view_goes_by_the_viewers_own_eyes(stage: Stage) -> None:
    """Commands that show a message ask whether the invoker could see it."""
    shown = stage.local.add_channel(stage.guild, "shown")
    hide_from(stage.ada, shown, stage.local)
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    ada, bob = guild.get_member(stage.ada.id), guild.get_member(stage.bob.id)
    channel = guild.get_channel(shown.id)
    assert ada is not None
    assert bob is not None
    assert isinstance(channel, discord.TextChannel)
    assert (await can_view(ada, channel), await can_view(bob, channel)) == (False, True)
