"""Conversations: the port by which runs ask who reads along."""

from __future__ import annotations

import discord
import pytest

from aurora.guard.conversations import Conversations
from aurora.guard.gates import gate_of
from aurora.reasons import RunBrokenError
from doubles.local_discord import Overwrite, permissions
from tests.support.discord_port import withhold
from tests.support.stage import Stage


async def test_a_new_guest_of_a_private_thread_is_one_more_who_reads_along(stage: Stage) -> None:
    """Bob may not read what was read into it while Ada was there alone."""
    hide = Overwrite.of(stage.guild.everyone, deny=permissions.VIEW_CHANNEL)
    people = (stage.ada, stage.local.bot_user)
    show = [Overwrite.of(one, allow=permissions.VIEW_CHANNEL) for one in people]
    stage.local.set_overwrites(stage.hidden, (hide, *show))
    thread = stage.local.start_thread(stage.channel, "tea", owner=stage.ada, private=True)
    for user in people:
        stage.local.join_thread(thread, user)
    staff = stage.bot.get_channel(stage.hidden.id)
    assert isinstance(staff, discord.TextChannel)
    gate = gate_of(staff)
    assert gate is not None
    conversations = Conversations(stage.bot, stage.guard)
    event, sources = await stage.ask(thread), {staff.id: gate.kept()}
    assert not await conversations.has_outgrown(event, sources)
    stage.local.join_thread(thread, stage.bob)
    assert await conversations.has_outgrown(event, sources)


async def test_a_role_of_today_opens_nothing_that_it_does_not_open_today(stage: Stage) -> None:
    """Bob gets a role whose people could read a place when it was read; it is shut by then."""
    staff = stage.local.add_role(stage.guild, "staff")
    hide = Overwrite.of(stage.guild.everyone, deny=permissions.VIEW_CHANNEL)
    show = [
        Overwrite.of(one, allow=permissions.VIEW_CHANNEL) for one in (staff, stage.local.bot_user)
    ]
    for channel in (stage.channel, stage.hidden):
        stage.local.set_overwrites(channel, (hide, *show))
    ada, bob = (stage.guild.members[one.id] for one in (stage.ada, stage.bob))
    ada.roles.append(staff.id)
    stage.local.world.update_member(stage.guild, ada)
    vault = stage.bot.get_channel(stage.hidden.id)
    assert isinstance(vault, discord.TextChannel)
    gate = gate_of(vault)
    assert gate is not None
    conversations = Conversations(stage.bot, stage.guard)
    event, sources = await stage.ask(), {vault.id: gate.kept()}
    assert not await conversations.has_outgrown(event, sources)
    stage.local.set_overwrites(stage.hidden, (hide, show[1]))
    bob.roles.append(staff.id)
    stage.local.world.update_member(stage.guild, bob)
    assert await conversations.has_outgrown(event, sources)


async def test_a_server_that_does_not_come_breaks_the_run_off(stage: Stage) -> None:
    """Who reads along is not known then; the wait is cut short here, to one look."""
    stage.hurry()
    conversations = Conversations(stage.bot, stage.guard)
    event = await stage.ask()
    bring = withhold(stage.bot, stage.local, stage.guild)
    with pytest.raises(RunBrokenError):
        await conversations.lacks_history(event)
    with pytest.raises(RunBrokenError):
        await conversations.has_outgrown(event, {1: "[]"})
    bring()
    assert not await conversations.lacks_history(event)


async def test_who_has_left_and_who_may_not_read_back_lack_the_history(stage: Stage) -> None:
    """In a thread its channel says so."""
    conversations = Conversations(stage.bot, stage.guard)
    thread = stage.local.start_thread(stage.channel, "talk", owner=stage.ada)
    event = await stage.ask(thread)
    assert not await conversations.lacks_history(event)
    rule = Overwrite.of(stage.ada, deny=permissions.READ_MESSAGE_HISTORY)
    stage.local.set_overwrites(stage.channel, (rule,))
    assert await conversations.lacks_history(event)
    stage.local.set_overwrites(stage.channel, ())
    stage.local.remove_member(stage.guild, stage.ada)
    assert await conversations.lacks_history(event)
