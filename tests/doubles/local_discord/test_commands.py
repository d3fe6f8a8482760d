"""Registering application commands, and what is refused."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from discord import app_commands

from tests.support.doubles.looking import refused
from tests.support.local_town import LocalTown


def body(name: str = "hello", **extra: Any) -> dict[str, Any]:
    """Return the smallest command."""
    return {"name": name, "description": "text", "type": 1, **extra}


def option(name: str = "word", **extra: Any) -> dict[str, Any]:
    """Return the smallest option."""
    return {"name": name, "description": "text", "type": 3, **extra}


async def register(town: LocalTown, client: discord.Client, *bodies: dict[str, Any]) -> None:
    """Register commands for everywhere."""
    await client.http.bulk_upsert_global_commands(town.server.bot_user.id, list(bodies))


async def test_a_tree_is_registered(town: LocalTown, client: discord.Client) -> None:
    """discord.py's own sync puts the whole tree."""
    tree = app_commands.CommandTree(client)

    @tree.command(description="Say hello.")
    async def hello(interaction: discord.Interaction, word: str) -> None:
        await interaction.response.send_message(word)

    (synced,) = await tree.sync()
    assert [item["name"] for item in town.server.commands.of(None).values()] == ["hello"]
    assert (await tree.fetch_command(synced.id)).options[0].name == "word"


async def test_a_command_keeps_its_id(town: LocalTown, client: discord.Client) -> None:
    """Registering the same name again changes the command in its place."""
    await register(town, client, body())
    (before,) = town.server.commands.of(None)
    await register(town, client, body(description="other"), body("more"))
    assert before in town.server.commands.of(None)


async def test_a_guild_has_its_own_commands(town: LocalTown, client: discord.Client) -> None:
    """They are no concern of the global list."""
    app, guild = town.server.bot_user.id, town.guild.id
    made = await client.http.upsert_guild_command(app, guild, body())
    assert [item["id"] for item in await client.http.get_guild_commands(app, guild)] == [
        made["id"]
    ]
    assert await client.http.get_global_commands(app) == []
    await client.http.delete_guild_command(app, guild, made["id"])
    with refused(10063, discord.NotFound):
        await client.http.get_guild_command(app, guild, made["id"])


@pytest.mark.parametrize(
    "wrong",
    [
        body("Hello"),
        body("with space"),
        body("n" * 33),
        body(""),
        body(description=""),
        body(description="d" * 101),
        body(type=9),
        body(options=[option(f"o{number}") for number in range(26)]),
        body(options=[option(), option()]),
        body(options=[option("a"), option("b", required=True)]),
        body(options=[option(choices=[{"name": "n", "value": "v"}] * 26)]),
        body(options=[option(choices=[{"name": "n" * 101, "value": "v"}])]),
        body(options=[option(type=2, options=[option("x", type=2, options=[])])]),
        body(
            options=[
                option(
                    f"o{n}",
                    description="d" * 100,
                    choices=[{"name": "n" * 100, "value": "v" * 100}] * 2,
                )
                for n in range(20)
            ]
        ),
    ],
    ids=[
        "capital letter",
        "space",
        "long name",
        "no name",
        "no description",
        "long description",
        "unknown type",
        "too many options",
        "same option twice",
        "required after optional",
        "too many choices",
        "long choice",
        "nested too deep",
        "too large",
    ],
)
async def test_a_malformed_command_is_refused(
    town: LocalTown, client: discord.Client, wrong: dict[str, Any]
) -> None:
    """Nothing of the list is registered."""
    with refused(50035):
        await register(town, client, body("fine"), wrong)
    assert town.server.commands.of(None) == {}


async def test_a_hundred_commands_are_enough(town: LocalTown, client: discord.Client) -> None:
    """The hundred-and-first is refused, in a list and alone."""
    hundred = [body(f"c{number}") for number in range(100)]
    with refused(50035):
        await register(town, client, *hundred, body("more"))
    await register(town, client, *hundred)
    with refused(30032):
        await client.http.upsert_global_command(
            town.server.bot_user.id,
            body("more"),  # type: ignore[arg-type]
        )


async def test_two_commands_of_a_name_are_refused(town: LocalTown, client: discord.Client) -> None:
    """Names are unique in a scope."""
    with refused(50035):
        await register(town, client, body(), body())


async def test_a_command_is_changed_and_deleted(town: LocalTown, client: discord.Client) -> None:
    """One command can be had alone."""
    app = town.server.bot_user.id
    await register(town, client, body())
    (command_id,) = town.server.commands.of(None)
    changed = await client.http.edit_global_command(app, command_id, {"description": "new"})
    assert changed["description"] == "new"
    await client.http.delete_global_command(app, command_id)
    assert town.server.commands.of(None) == {}


async def test_permissions_of_a_command_are_peoples_to_change(
    town: LocalTown, client: discord.Client
) -> None:
    """None are set, and the bot cannot set them."""
    app, guild = town.server.bot_user.id, town.guild.id
    await register(town, client, body())
    (command_id,) = town.server.commands.of(None)
    assert await client.http.get_guild_application_command_permissions(app, guild) == []
    with refused(10066, discord.NotFound):
        await client.http.get_application_command_permissions(app, guild, command_id)
    with refused(20001, discord.Forbidden):
        await client.http.edit_application_command_permissions(
            app, guild, command_id, {"permissions": []}
        )
