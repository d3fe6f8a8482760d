"""Guilds, members, roles and channels through the REST API."""

from __future__ import annotations

import discord
import pytest

from doubles.local_discord import permissions
from tests.support.doubles.looking import refused, text_channel
from tests.support.local_town import LocalTown


def grant(town: LocalTown, rights: int) -> None:
    """Give the bot's role some rights, and raise it to the top."""
    role = town.guild.role_of(town.server.bot_user)
    assert role is not None
    role.permissions |= rights
    role.position = 50


@pytest.fixture
def guild(town: LocalTown, client: discord.Client) -> discord.Guild:
    """The town as the client knows it."""
    found = client.get_guild(town.guild.id)
    assert found is not None
    return found


async def test_a_guild_counts_its_members(client: discord.Client, guild: discord.Guild) -> None:
    """The numbers come on demand."""
    fetched = await client.fetch_guild(guild.id)
    assert fetched.approximate_member_count == 3
    assert [item.id async for item in client.fetch_guilds()] == [guild.id]


async def test_an_unknown_guild_is_refused(client: discord.Client) -> None:
    """A guild that the bot is not in does not exist for it."""
    with refused(10004, discord.NotFound):
        await client.fetch_guild(1)


async def test_channels_and_roles_are_listed(town: LocalTown, guild: discord.Guild) -> None:
    """All of them, as the guild has them."""
    assert {item.id for item in await guild.fetch_channels()} == set(town.guild.channels)
    assert {item.id for item in await guild.fetch_roles()} == set(town.guild.roles)
    role = town.server.add_role(town.guild, "team")
    assert (await guild.fetch_role(role.id)).name == "team"


async def test_members_are_paged(town: LocalTown, guild: discord.Guild) -> None:
    """A page ends at its limit, and the next begins after it."""
    first = [m.id async for m in guild.fetch_members(limit=2)]
    rest = [m.id async for m in guild.fetch_members(after=discord.Object(max(first)))]
    assert sorted(first) + rest == sorted(town.guild.members)


async def test_members_are_found_by_name(town: LocalTown, client: discord.Client) -> None:
    """Over REST the beginning of any of their names will do."""
    route = discord.http.Route("GET", "/guilds/{guild_id}/members/search", guild_id=town.guild.id)
    found = await client.http.request(route, params={"query": "ANN", "limit": 5})
    assert [item["user"]["id"] for item in found] == [str(town.anna.id)]


@pytest.mark.parametrize(("known", "code"), [(True, 10007), (False, 10013)])
async def test_a_stranger_is_no_member(
    town: LocalTown, guild: discord.Guild, known: bool, code: int
) -> None:
    """An unknown member differs from an unknown user."""
    stranger = town.server.add_user("stranger").id if known else 1
    with refused(code, discord.NotFound):
        await guild.fetch_member(stranger)


async def test_giving_a_role_takes_right_and_rank(town: LocalTown, guild: discord.Guild) -> None:
    """Both the permission and a higher role are needed."""
    role = town.server.add_role(town.guild, "team")
    member = await guild.fetch_member(town.bert.id)
    with refused(50013, discord.Forbidden):
        await member.add_roles(discord.Object(role.id))
    bot_role = town.guild.role_of(town.server.bot_user)
    assert bot_role is not None
    bot_role.permissions |= permissions.MANAGE_ROLES
    with refused(50013, discord.Forbidden):
        await member.add_roles(discord.Object(role.id))
    bot_role.position = 50
    await member.add_roles(discord.Object(role.id))
    assert town.guild.members[town.bert.id].roles == [role.id]
    await member.remove_roles(discord.Object(role.id))
    assert town.guild.members[town.bert.id].roles == []


async def test_roles_are_made_changed_and_deleted(town: LocalTown, guild: discord.Guild) -> None:
    """A deleted role leaves its members."""
    grant(town, permissions.MANAGE_ROLES)
    role = await guild.create_role(name="team", mentionable=True)
    town.guild.roles[role.id].position = 1
    member = await guild.fetch_member(town.bert.id)
    await member.edit(roles=[discord.Object(role.id)])
    await role.edit(name="crew")
    assert town.guild.roles[role.id].name == "crew"
    await role.delete()
    assert role.id not in town.guild.roles
    assert town.guild.members[town.bert.id].roles == []


async def test_nicknames_are_changed(town: LocalTown, guild: discord.Guild) -> None:
    """One's own by default, others' with a right."""
    await guild.me.edit(nick="Dawn")
    assert town.guild.members[town.server.bot_user.id].nick == "Dawn"
    member = await guild.fetch_member(town.bert.id)
    with refused(50013, discord.Forbidden):
        await member.edit(nick="B")
    grant(town, permissions.MANAGE_NICKNAMES)
    await member.edit(nick="B")
    assert town.guild.members[town.bert.id].nick == "B"


async def test_channels_are_made_changed_and_deleted(
    town: LocalTown, guild: discord.Guild
) -> None:
    """Each takes the right to manage channels."""
    with refused(50013, discord.Forbidden):
        await guild.create_text_channel("new")
    grant(town, permissions.MANAGE_CHANNELS)
    channel = await guild.create_text_channel("new", topic="old")
    await channel.edit(topic="new", name="newer")
    assert (town.guild.channels[channel.id].topic, town.guild.channels[channel.id].name) == (
        "new",
        "newer",
    )
    await channel.delete()
    assert channel.id not in town.guild.channels


async def test_overwrites_are_set_and_taken_back(
    town: LocalTown, client: discord.Client, guild: discord.Guild
) -> None:
    """They change what can be done at once."""
    grant(town, permissions.MANAGE_ROLES)
    channel = text_channel(client, town.general)
    await channel.set_permissions(guild.default_role, add_reactions=False)
    assert not town.server.world.may(town.bert, town.general, permissions.ADD_REACTIONS)
    await channel.set_permissions(guild.default_role, overwrite=None)
    assert town.server.world.may(town.bert, town.general, permissions.ADD_REACTIONS)


async def test_the_bot_can_leave(
    town: LocalTown, client: discord.Client, guild: discord.Guild
) -> None:
    """Then the guild is gone for it."""
    await guild.leave()
    await town.server.wait_for(lambda: client.get_guild(guild.id) is None)


async def test_members_come_and_go(town: LocalTown, guild: discord.Guild) -> None:
    """The cache follows."""
    carl = town.server.add_user("carl")
    town.server.add_member(town.guild, carl)
    await town.server.wait_for(lambda: guild.get_member(carl.id))
    town.server.remove_member(town.guild, carl)
    await town.server.wait_for(lambda: guild.get_member(carl.id) is None)


async def test_emojis_and_stickers_are_listed(town: LocalTown, guild: discord.Guild) -> None:
    """A guild's own emojis can be asked for; stickers it has none."""
    town.server.add_emoji(town.guild, "wave")
    assert [emoji.name for emoji in await guild.fetch_emojis()] == ["wave"]
    assert await guild.fetch_stickers() == []
