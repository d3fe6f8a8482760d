"""Private messages."""

from __future__ import annotations

import discord
import pytest

from doubles.local_discord import permissions
from tests.support.doubles.looking import refused
from tests.support.local_town import LocalTown


async def test_a_dm_reaches_its_person(town: LocalTown, client: discord.Client) -> None:
    """The channel is opened on demand and used by both."""
    user = await client.fetch_user(town.bert.id)
    await user.send("hello")
    dm = town.server.open_dm(town.bert)
    assert [m.content for m in town.server.messages(dm)] == ["hello"]


async def test_closed_dms_are_refused(town: LocalTown, client: discord.Client) -> None:
    """The channel opens, the message does not go."""
    town.bert.dms_open = False
    user = await client.fetch_user(town.bert.id)
    with refused(50007, discord.Forbidden):
        await user.send("hello")


async def test_a_bot_takes_no_dms(town: LocalTown, client: discord.Client) -> None:
    """Bots do not talk to bots."""
    other = town.server.add_user("other", bot=True)
    user = await client.fetch_user(other.id)
    with refused(50007, discord.Forbidden):
        await user.create_dm()


async def test_an_unknown_user_is_refused(client: discord.Client) -> None:
    """Nobody has this id."""
    with refused(10013, discord.NotFound):
        await client.fetch_user(1)


async def test_the_bot_hears_a_dm(town: LocalTown, client: discord.Client) -> None:
    """It comes without a guild."""
    said = town.server.say(town.bert, town.server.open_dm(town.bert), "psst")
    message = await town.server.wait_for(
        lambda: discord.utils.get(client.cached_messages, id=said.id)
    )
    assert (message.guild, message.content) == (None, "psst")
    await message.reply("yes?")


async def test_others_cannot_write_into_a_dm(town: LocalTown) -> None:
    """It belongs to two."""
    with pytest.raises(PermissionError):
        town.server.say(town.anna, town.server.open_dm(town.bert), "hi")


async def test_others_messages_in_a_dm_cannot_be_deleted(
    town: LocalTown, client: discord.Client
) -> None:
    """There are no moderators in private."""
    dm = town.server.open_dm(town.bert)
    said = town.server.say(town.bert, dm, "mine")
    with refused(50003, discord.Forbidden):
        await client.get_partial_messageable(dm.id).get_partial_message(said.id).delete()


async def test_the_rights_of_a_dm_match_what_can_be_done(town: LocalTown) -> None:
    """Both sides may write, neither may manage."""
    dm = town.server.open_dm(town.bert)
    for user in (town.bert, town.server.bot_user):
        assert permissions.in_channel(dm, user.id) & permissions.SEND_MESSAGES
        assert not permissions.in_channel(dm, user.id) & permissions.MANAGE_MESSAGES
