"""Offers: a text that its audience alone kept back is posted if the asker says so, nobody else."""

from __future__ import annotations

from typing import Any, cast

import discord

from aurora.model import Turn
from doubles.local_discord import Channel, Interaction, Message, Overwrite, User, permissions
from tests.support.e2e.town import Town

TEXT = "Tea at five, **everybody**!"


async def offered(town: Town) -> tuple[Channel, Message]:
    """Let Bo ask among the staff, and be offered to have a text posted in #general."""
    hide = Overwrite.of(town.guild.everyone, deny=permissions.VIEW_CHANNEL)
    shown = (town.bo, town.discord.bot_user)
    rules = [Overwrite.of(one, allow=permissions.VIEW_CHANNEL) for one in shown]
    staff = town.discord.add_channel(town.guild, "staff", overwrites=(hide, *rules))
    asked, _ = await town.ask("hello", author=town.bo, channel=staff)
    services = town.cog.services
    event = await services.store.find(asked.id)
    bot = town.red.bot
    here, there = bot.get_channel(staff.id), bot.get_channel(town.general.id)
    places = cast(tuple[discord.TextChannel, discord.TextChannel], (here, there))
    await services.offers.make(Turn((event,)), *places, TEXT, named=True)
    return staff, town.bot_messages(staff)[-1]


def press(town: Town, user: User, message: Message) -> Interaction:
    """Press the button of an offer."""
    custom_id: Any = message.components[0]["components"][0]["custom_id"]
    return town.discord.press(user, message, custom_id)


async def test_only_the_asker_has_it_posted_once_and_the_button_is_gone(town: Town) -> None:
    """Also by an Aurora that has begun since; the text is left nowhere but where it was posted."""
    _, message = await offered(town)
    await town.command("reload aurora")
    refused = press(town, town.ada, message)
    assert "Only the person who asked" in await town.discord.wait_for(lambda: refused.content)
    press(town, town.bo, message)
    posted = await town.discord.wait_for(
        lambda: [one for one in town.bot_messages(town.general) if one.content == TEXT]
    )
    await town.discord.wait_for(lambda: message.components == [] or None)
    assert len(posted) == 1
    assert TEXT not in message.content
    assert f"{town.guild.id}/{town.general.id}/{posted[0].id}" in message.content


async def test_whoever_may_not_write_there_any_more_is_refused(town: Town) -> None:
    """Rights are asked again at the press, and it can be pressed again when they are back."""
    staff, message = await offered(town)
    mute = Overwrite.of(town.bo, deny=permissions.SEND_MESSAGES)
    town.discord.set_overwrites(town.general, (mute,))
    press(town, town.bo, message)
    told = await town.discord.wait_for(
        lambda: [one for one in town.bot_messages(staff) if "Not posted" in one.content]
    )
    assert "may not write there" in told[0].content
    assert told[0].ephemeral_for == town.bo.id
    town.discord.set_overwrites(town.general, ())
    before = len(town.bot_messages(town.general))
    press(town, town.bo, message)
    await town.discord.wait_for(lambda: len(town.bot_messages(town.general)) > before or None)
    assert town.bot_messages(town.general)[-1].content == TEXT


async def test_who_gets_a_role_is_counted_at_once(town: Town) -> None:
    """Who hears a place is remembered, until somebody's roles change."""
    audiences, bot = town.cog.services.guard.audiences, town.red.bot
    guild = bot.get_guild(town.guild.id)
    assert guild is not None
    keys = [town.discord.add_role(town.guild, name) for name in ("first key", "second key")]
    hide = Overwrite.of(town.guild.everyone, deny=permissions.VIEW_CHANNEL)
    rooms = []
    for key in keys:
        shown = (key, town.bo, town.discord.bot_user)
        rules = [Overwrite.of(one, allow=permissions.VIEW_CHANNEL) for one in shown]
        rooms.append(town.discord.add_channel(town.guild, key.name, overwrites=(hide, *rules)))
    await town.discord.wait_for(lambda: bot.get_channel(rooms[-1].id))
    source, place = (bot.get_channel(room.id) for room in rooms)
    assert await audiences.flows(source, place)
    cyd = town.discord.add_user("cyd")
    town.discord.add_member(town.guild, cyd)
    known = await town.discord.wait_for(lambda: guild.get_member(cyd.id))
    assert await audiences.flows(source, place)
    member = town.guild.members[cyd.id]
    member.roles.append(keys[1].id)
    town.discord.world.update_member(town.guild, member)
    await town.discord.wait_for(lambda: known.get_role(keys[1].id))
    assert not await audiences.flows(source, place)
    member.roles.remove(keys[1].id)
    town.discord.world.update_member(town.guild, member)
    await town.discord.wait_for(lambda: known.get_role(keys[1].id) is None or None)
    assert await audiences.flows(source, place)


async def test_a_pair_of_places_is_loosened_and_shown_and_taken_back(town: Town) -> None:
    """By somebody who sees both; it counts at once."""
    staff, _ = await offered(town)
    settings = town.cog.services.settings
    said = await town.command(f"aurora config audience off {staff.mention} {town.general.mention}")
    assert "Done" in said
    assert settings.loosened(town.guild.id) == {(staff.id, town.general.id)}
    shown = await town.settings()
    assert f"{staff.mention} → {town.general.mention}" in shown
    assert "name two places" in await town.command(f"aurora config audience off {staff.mention}")
    assert "Done" in await town.command(
        f"aurora config audience block {staff.mention} {town.general.mention}"
    )
    assert settings.loosened(town.guild.id) == frozenset()
