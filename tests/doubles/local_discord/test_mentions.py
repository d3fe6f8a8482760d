"""Who is pinged by a message."""

from __future__ import annotations

import discord
import pytest

from doubles.local_discord import Overwrite, permissions
from tests.support.doubles.looking import partial, refused, text_channel
from tests.support.local_town import LocalTown

NOBODY = discord.AllowedMentions.none()


async def test_named_users_are_pinged(town: LocalTown, client: discord.Client) -> None:
    """Without a limit everybody named is mentioned, each once."""
    await text_channel(client, town.general).send(f"{town.bert.mention} {town.bert.mention}")
    assert town.server.messages(town.general)[0].mentions == [town.bert]


async def test_allowed_mentions_hold_users_back(town: LocalTown, client: discord.Client) -> None:
    """Only those on the list are pinged."""
    text = f"{town.anna.mention} {town.bert.mention}"
    allowed = discord.AllowedMentions(
        everyone=False, roles=False, users=[discord.Object(town.bert.id)]
    )
    await text_channel(client, town.general).send(text, allowed_mentions=allowed)
    assert town.server.messages(town.general)[0].mentions == [town.bert]


async def test_a_reply_without_ping_mentions_nobody(
    town: LocalTown, client: discord.Client
) -> None:
    """replied_user decides about the author of the answered message."""
    asked = town.server.say(town.bert, town.general, "what?")
    await partial(client, asked).reply("that", mention_author=False)
    assert town.server.messages(town.general)[-1].mentions == []


async def test_everyone_takes_a_right(town: LocalTown, client: discord.Client) -> None:
    """Without the right the words stay words."""
    channel = text_channel(client, town.general)
    await channel.send("@everyone")
    deny = Overwrite.of(town.guild.everyone, deny=permissions.MENTION_EVERYONE)
    town.server.set_overwrites(town.general, (deny,))
    await channel.send("@everyone")
    assert [m.mention_everyone for m in town.server.messages(town.general)] == [True, False]


async def test_everyone_can_be_held_back(town: LocalTown, client: discord.Client) -> None:
    """allowed_mentions goes before the right."""
    await text_channel(client, town.general).send("@here", allowed_mentions=NOBODY)
    assert not town.server.messages(town.general)[0].mention_everyone


@pytest.mark.parametrize("mentionable", [True, False])
async def test_a_role_is_pinged_if_it_may_be(
    town: LocalTown, client: discord.Client, mentionable: bool
) -> None:
    """Without the right to ping all, the role itself decides."""
    role = town.server.add_role(town.guild, "team", mentionable=mentionable)
    deny = Overwrite.of(town.guild.everyone, deny=permissions.MENTION_EVERYONE)
    town.server.set_overwrites(town.general, (deny,))
    await text_channel(client, town.general).send(role.mention)
    pinged = town.server.messages(town.general)[0].mention_roles
    assert pinged == ([role.id] if mentionable else [])


async def test_a_contradictory_list_is_refused(town: LocalTown, client: discord.Client) -> None:
    """All users and a list of users exclude each other."""
    body = {"content": "x", "allowed_mentions": {"parse": ["users"], "users": [str(town.bert.id)]}}
    route = discord.http.Route(
        "POST", "/channels/{channel_id}/messages", channel_id=town.general.id
    )
    with refused(50035):
        await client.http.request(route, json=body)


async def test_the_bots_own_role_is_found_in_a_message(
    town: LocalTown, client: discord.Client
) -> None:
    """Mentioning the managed role reaches discord.py with its tag."""
    role = town.guild.role_of(town.server.bot_user)
    assert role is not None
    said = town.server.say(town.anna, town.general, f"{role.mention} hello")
    message = await town.server.wait_for(
        lambda: discord.utils.get(client.cached_messages, id=said.id)
    )
    assert [r.tags.bot_id for r in message.role_mentions if r.tags] == [town.server.bot_user.id]
