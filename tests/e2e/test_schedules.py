"""`[p]aurora schedule`, through a real Red: an agent is woken, for who may have it woken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from doubles.local_discord import Channel, Message, User, permissions
from doubles.quick_app_server import Plan
from tests.support.e2e.pages import page
from tests.support.e2e.quick import QuickTown, open_quick_town

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QuickTown]:
    """One town for all, as each schedule has a channel of its own."""
    async with open_quick_town(tmp_path_factory.mktemp("town")) as opened:
        await opened.command("aurora config schedules on")
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def room(town: QuickTown, request: pytest.FixtureRequest) -> Channel:
    """A channel of the test's own, and an agent that greets."""
    town.quick.script = lambda _text: Plan("Good morning.")
    made = town.discord.add_channel(town.guild, request.node.name[:30])
    await town.discord.wait_for(lambda: town.red.bot.get_channel(made.id))
    return made


async def make_due(town: QuickTown, number: int) -> None:
    """Let the time of a schedule have come."""
    schedules = town.cog.services.schedules
    one: Any = schedules._all[number]
    due = town.cog.services.clock.time() - 1.0
    when = f"once {due}" if one.when.startswith("once") else one.when
    await schedules._keep(replace(one, due=due, when=when))


async def add(town: QuickTown, room: Channel, text: str, author: User | None = None) -> int:
    """Add a schedule by command, and return its number."""
    said = await town.command(f"aurora schedule add {text}", channel=room, author=author)
    assert said.startswith("✓ Schedule "), said
    return int(said.split()[2].rstrip(":"))


def said_by_agent(town: QuickTown, room: Channel) -> list[Message]:
    """Return what the agent said in a channel."""
    return [one for one in town.bot_messages(room) if one.content == "Good morning."]


async def woken(town: QuickTown, room: Channel, count: int = 1) -> None:
    """Wait until the agent has spoken so often."""
    await town.discord.wait_for(lambda: len(said_by_agent(town, room)) >= count or None)


async def test_an_agent_is_woken_and_speaks_plainly(town: QuickTown, room: Channel) -> None:
    """At its time once; a single time is gone then. Nobody is called, and nothing is marked."""
    number = await add(town, room, "in 2h greet everybody")
    assert "greet everybody" in await page(town, "aurora schedule list", channel=room)
    await make_due(town, number)
    await woken(town, room)
    (post,) = said_by_agent(town, room)
    assert (post.reference, post.mentions) == (None, [])
    assert "no schedules here" in await page(town, "aurora schedule list", channel=room)


async def test_where_nobody_writes_it_comes_once(town: QuickTown, room: Channel) -> None:
    """Until a person says something there."""
    number = await add(town, room, "every 1h greet everybody")
    await make_due(town, number)
    await woken(town, room)
    asked = town.quick.inputs
    await make_due(town, number)
    await town.command(f"aurora schedule pause {number}")
    assert "goes on" in await town.command(f"aurora schedule pause {number}")
    assert town.quick.inputs == asked
    town.discord.say(town.bo, room, "hello?")
    await make_due(town, number)
    await woken(town, room, 2)
    assert "is removed" in await town.command(f"aurora schedule remove {number}")


async def test_who_has_no_right_any_more_has_nobody_woken(town: QuickTown, room: Channel) -> None:
    """The schedule is paused, and says so."""
    mod = town.discord.add_user("mia")
    role = town.discord.add_role(town.guild, "mods", permissions=permissions.MANAGE_GUILD)
    town.discord.add_member(town.guild, mod, roles=(role,))
    await town.discord.wait_for(lambda: _may_manage(town, mod) or None)
    number = await add(town, room, "every 1h greet everybody", mod)
    role.permissions = 0
    town.discord.world.update_role(town.guild, role)
    await town.discord.wait_for(lambda: not _may_manage(town, mod) or None)
    await make_due(town, number)
    paused = await town.discord.wait_for(
        lambda: town.cog.services.schedules._all[number].paused or None
    )
    assert paused == "not allowed"
    assert "may not any more" in await page(town, "aurora schedule list", channel=room)
    assert said_by_agent(town, room) == []


def _may_manage(town: QuickTown, user: User) -> bool:
    guild = town.red.bot.get_guild(town.guild.id)
    member = guild.get_member(user.id) if guild is not None else None
    return member is not None and member.guild_permissions.manage_guild


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("add whenever greet", "does not begin with a time"),
        ("add daily 09:00", "What is the agent to do?"),
        ("add every 5m greet", "once an hour"),
        ("pause 999", "no schedule 999"),
        ("remove 999", "no schedule 999"),
    ],
)
async def test_what_can_not_be_done_is_said(town: QuickTown, text: str, words: str) -> None:
    """With what could."""
    assert words in await town.command(f"aurora schedule {text}")


async def test_clocks_and_quiet_hours_are_chosen(town: QuickTown, room: Channel) -> None:
    """And hold for what is typed afterwards."""
    assert "Europe/Berlin" in await town.command("aurora config timezone europe/berlin")
    assert "no time zone" in await town.command("aurora config timezone Mars/Base")
    assert "from 22-7" in await town.command("aurora config quiethours 22-7")
    assert "no span" in await town.command("aurora config quiethours 25-7")
    said = await town.command("aurora schedule add daily 23:30 greet", channel=room)
    assert "quiet hours" in said
    assert "no quiet hours" in await town.command("aurora config quiethours off")
    assert "UTC" in await town.command("aurora config timezone utc")
