"""A slash command that does not run: its interaction is answered all the same, once and privately.

Discord waits three seconds, and then shows that the application did not respond.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from aurora.words import phrase
from doubles.local_discord import Channel, Interaction, User
from tests.support.e2e.hands import register
from tests.support.e2e.pages import add_mod
from tests.support.e2e.quick import QuickTown, open_quick_town

pytestmark = pytest.mark.asyncio(loop_scope="module")

_INTEGER = 4
"""Discord's number for an option that is a whole number."""

OWNERS = {
    "aurora agents allow",
    "aurora agents revoke",
    "aurora memory log",
    "aurora memory undo",
    "aurora lettaurl",
    "aurora config dm",
    "aurora events resetcircuit",
}


_RUNS = ("list", "show", "cancel", "retry", "stats")
EVERYBODYS = {"aurora usage", *(f"aurora runs {one}" for one in _RUNS)}
"""About runs of one's own; what they refuse is in tests/e2e/test_runs_commands.py."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QuickTown]:
    """One town for all, with its slash commands registered."""
    async with open_quick_town(tmp_path_factory.mktemp("town")) as town:
        await register(town)
        yield town


@pytest_asyncio.fixture(loop_scope="module")
async def town(house: QuickTown) -> AsyncIterator[QuickTown]:
    """The town as it was."""
    yield house
    house.cog.services.failure = None


def registered(town: QuickTown) -> dict[str, dict[str, Any]]:
    """Return Aurora's slash commands as Discord has them, by full name."""

    def below(one: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        inner = [item for item in one.get("options", ()) if item["type"] in (1, 2)]
        if not inner:
            yield name, one
        for item in inner:
            yield from below(item, f"{name} {item['name']}")

    (root,) = [one for one in town.discord.commands.of(None).values() if one["name"] == "aurora"]
    return dict(below(root, "aurora"))


def filled(command: dict[str, Any]) -> dict[str, Any]:
    """Return a value for each option that is required."""
    needed = [one for one in command.get("options", ()) if one.get("required")]
    plain: dict[int, Any] = {_INTEGER: 1}
    return {
        one["name"]: one["choices"][0]["value"]
        if one.get("choices")
        else plain.get(one["type"], "1")
        for one in needed
    }


async def refused(town: QuickTown, user: User, place: Channel, name: str, **options: Any) -> str:
    """Use a slash command that must not run; return the one sentence, which nobody else sees."""
    before = len(town.bot_messages(place))
    asked: Interaction = town.discord.slash(user, place, name, options)
    said = await town.discord.wait_for(lambda: asked.content, 20)
    assert asked.response is not None
    assert asked.response.ephemeral_for == user.id, name
    assert asked.followups == [], name
    assert said.endswith((".", "`")), said
    assert "[p]" not in said
    public = [one for one in town.bot_messages(place)[before:] if not one.ephemeral]
    assert public == [], name
    return said


async def test_the_group_is_visible_to_everybody(town: QuickTown) -> None:
    """By default rights of Discord's it would be gone for those who may use a part of it."""
    (root,) = [one for one in town.discord.commands.of(None).values() if one["name"] == "aurora"]
    assert root["default_member_permissions"] is None
    assert root["dm_permission"] is not False


@pytest.mark.parametrize("where", ["server", "dm"])
async def test_who_may_nothing_is_told_for_whom_each_command_is(
    town: QuickTown, where: str
) -> None:
    """Not one of them is left without an answer."""
    place = town.general if where == "server" else town.discord.open_dm(town.bo)
    known = registered(town)
    assert len(known) > 12
    assert set(known) >= EVERYBODYS
    for name, command in known.items():
        if name in EVERYBODYS:
            continue
        said = await refused(town, town.bo, place, name, **filled(command))
        if name in OWNERS:
            assert said == "This command is for the bot's owner alone.", name
        elif where == "server":
            assert "those who may manage this server" in said, name
        else:
            assert "server" in said, name


async def test_who_manages_the_server_is_told_what_is_the_owners(town: QuickTown) -> None:
    """And may use the rest."""
    mod = add_mod(town)
    for name, command in registered(town).items():
        if name in OWNERS:
            said = await refused(town, mod, town.general, name, **filled(command))
            assert "the bot's owner alone" in said
    said = await refused(town, mod, town.general, "aurora enable", agent_id="agent-1")
    assert "for the bot's owner to allow" in said
    said = await refused(town, mod, town.general, "aurora events pause", where="everywhere")
    assert "Only the bot's owner" in said
    asked = town.discord.slash(mod, town.general, "aurora config show", {})
    assert "timeout" in await town.discord.wait_for(lambda: asked.content, 20)
    # The list is long, and what can be done about it comes last.
    await town.discord.wait_for(
        lambda: (
            any(
                "config set" in str(one and one.content)
                for one in (asked.response, *asked.followups)
            )
            or None
        )
    )
    asked = town.discord.slash(mod, town.general, "aurora queue status", {})
    assert await town.discord.wait_for(lambda: asked.response, 20) is not None


async def test_a_command_that_breaks_is_answered(
    town: QuickTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red logs what it was, and its traceback command knows it."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(type(town.cog.services.status), "limits", fail)
    said = await refused(town, town.ada, town.general, "aurora queue status")
    assert "Error in command" in said


async def test_a_command_that_breaks_after_it_was_acknowledged_is_answered(
    town: QuickTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What says that the answer takes a moment does not stand there for ever."""

    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(type(town.cog.services.status), "waiting", fail)
    asked = town.discord.slash(town.ada, town.general, "aurora events status", {})
    assert "Error in command" in await town.discord.wait_for(lambda: asked.content, 20)
    assert asked.followups == []


async def test_a_command_of_an_aurora_that_could_not_start_is_answered(town: QuickTown) -> None:
    """The reason is the owner's; the others are told whom to ask."""
    town.cog.services.failure = phrase("the disk is full.")
    said = await refused(town, town.ada, town.general, "aurora queue status")
    assert "the disk is full" in said
    assert "`!reload aurora`" in said
    said = await refused(town, add_mod(town, "dee"), town.general, "aurora queue status")
    assert "could not start" in said
    assert "disk" not in said
    assert "reload" not in said


async def test_a_command_that_is_switched_off_is_answered(town: QuickTown) -> None:
    """Red lets admins do that, command by command."""
    command = town.red.bot.get_command("aurora queue status")
    guild = town.red.bot.get_guild(town.guild.id)
    assert command is not None
    assert guild is not None
    command.disable_in(guild)
    mod = add_mod(town, "eve")
    try:
        said = await refused(town, mod, town.general, "aurora queue status")
    finally:
        command.enable_in(guild)
    assert "switched off here" in said


async def test_a_command_that_a_rule_forbids_is_answered(town: QuickTown) -> None:
    """Who has the right and is kept from it must not be sent after the right."""
    mod = add_mod(town, "fay")
    command = town.red.bot.get_command("aurora queue status")
    assert command is not None
    command.deny_to(mod.id, guild_id=town.guild.id)
    try:
        said = await refused(town, mod, town.general, "aurora queue status")
    finally:
        command.clear_rule_for(mod.id, guild_id=town.guild.id)
    assert "A rule of this bot" in said


async def test_a_command_that_discord_knows_in_an_older_shape_is_answered(
    town: QuickTown,
) -> None:
    """After an update nobody has synced yet."""
    (option,) = [
        one for one in registered(town)["aurora enable"]["options"] if one["name"] == "agent_id"
    ]
    option["name"] = "agent"
    try:
        said = await refused(town, town.ada, town.general, "aurora enable", agent="agent-1")
    finally:
        option["name"] = "agent_id"
    assert "`!slash sync`" in said


WRONG: list[tuple[str, dict[str, str], str]] = [
    ("aurora config set", {"setting": "timeout", "value": "soon"}, "10 to 300"),
    ("aurora config set", {"setting": "timeout", "value": "9999"}, "10 to 300"),
    ("aurora config set", {"setting": "typing", "value": "perhaps"}, "on or off"),
    ("aurora config set", {"setting": "typing", "value": "on", "server": "No"}, "no server `No`"),
    ("aurora config show", {"server": "Neverland"}, "no server `Neverland`"),
    ("aurora config dm", {"action": "agent"}, "Which one?"),
    ("aurora config tools", {"which": "mcp"}, "only behind Letta's REST API"),
    ("aurora lettaurl", {"url": "nonsense"}, "An address begins with"),
    ("aurora enable", {"agent_id": "<agent 1>"}, "without brackets"),
    ("aurora enable", {"agent_id": "agent-1", "server": "Neverland"}, "no server `Neverland`"),
]


@pytest.mark.parametrize(("name", "options", "words"), WRONG)
async def test_a_wrong_argument_is_answered(
    town: QuickTown, name: str, options: dict[str, str], words: str
) -> None:
    """With what would be right, and nobody else reads of the slip."""
    assert words in await refused(town, town.ada, town.general, name, **options)


async def test_a_value_that_discord_should_not_have_let_through_means_nothing_wider(
    town: QuickTown,
) -> None:
    """An older shape may have had other choices."""
    mod = add_mod(town, "gil")
    (option,) = [
        one for one in registered(town)["aurora events pause"]["options"] if one["name"] == "where"
    ]
    choices = option.pop("choices")
    try:
        asked = town.discord.slash(mod, town.general, "aurora events pause", {"where": "nowhere"})
        await town.discord.wait_for(lambda: asked.content, 20)
    finally:
        option["choices"] = choices
    assert town.cog.services.settings.world.paused_since is None
    await town.cog.services.pauses.end(town.guild.id)
