"""Commands reach no further than the eyes of who gives them, at the moment when it counts.

And what an owner or admin tells Red of a person binds the agents that work for them.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from redbot.core import commands

from doubles.local_discord import Channel, Message, Overwrite, User, permissions
from tests.support.e2e.hands import button
from tests.support.e2e.pages import add_mod, fill, page, read
from tests.support.e2e.quick import QuickTown, open_quick_town

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Hall:
    """A town with a moderator, and a channel that they can't see; nothing runs there."""

    def __init__(self, town: QuickTown) -> None:
        self.town = town
        self.mod = add_mod(town)
        hide = Overwrite.of(town.guild.everyone, deny=permissions.VIEW_CHANNEL)
        show = Overwrite.of(town.discord.bot_user, allow=permissions.VIEW_CHANNEL)
        self.secret: Channel = town.discord.add_channel(
            town.guild, "secret", overwrites=(hide, show)
        )
        self.roles = list(town.guild.members[self.mod.id].roles)

    def demote(self) -> None:
        """Take the moderator's role."""
        member = self.town.guild.members[self.mod.id]
        member.roles.clear()
        self.town.discord.world.update_member(self.town.guild, member)

    def promote(self) -> None:
        """Give it back."""
        member = self.town.guild.members[self.mod.id]
        member.roles[:] = self.roles
        self.town.discord.world.update_member(self.town.guild, member)

    async def question(self, command: str) -> Message:
        """Let the moderator type a command that asks something; return the question."""
        await self.town.command(command, author=self.mod)
        return self.town.bot_messages(self.town.general)[-1]

    async def press(self, user: User, message: Message, custom_id: str) -> str:
        """Press a button in vain; return what only its person reads."""
        pressed = self.town.discord.press(user, message, custom_id)
        said = await self.town.discord.wait_for(lambda: pressed.content, 20)
        assert pressed.response is not None
        assert pressed.response.ephemeral_for == user.id
        return said

    def waiting(self) -> int:
        """Count what waits."""
        stats: dict[str, Any] = self.town.cog.services.queue.get_stats()
        return int(stats["waiting_by_guild"].get(self.town.guild.id, 0))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    """One for all tests."""
    async with open_quick_town(tmp_path_factory.mktemp("town")) as town:
        assert "paused" in await town.command("aurora events pause everywhere")
        yield Hall(town)


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def as_it_was(hall: Hall) -> AsyncIterator[None]:
    """Let nothing wait, and the moderator be one."""
    yield
    hall.promote()
    cancelling: Any = hall.town.cog.services.cancelling
    await cancelling.cancel(lambda _event: True, "cleared")


@pytest.mark.parametrize("command", ["list", "list waiting"])
async def test_a_list_shows_only_channels_that_its_invoker_sees(hall: Hall, command: str) -> None:
    """Who asked there, and when, is not for everybody who may manage the server."""
    (hidden,) = await fill(hall.town, 1, channel_id=hall.secret.id)
    (shown,) = await fill(hall.town, 1, channel_id=hall.town.general.id)
    said = await page(hall.town, f"aurora queue {command}", author=hall.mod)
    assert str(shown.message_id) in said
    assert str(hidden.message_id) not in said
    assert str(hall.secret.id) not in said
    assert str(hidden.message_id) in await page(hall.town, f"aurora queue {command}")


async def test_what_is_hidden_can_not_be_retried(hall: Hall) -> None:
    """It looks as if there were no such message."""
    (hidden,) = await fill(hall.town, 1, channel_id=hall.secret.id)
    services: Any = hall.town.cog.services
    await services.cancelling.cancel(lambda event: event.id == hidden.id, "cleared")
    link = f"https://discord.com/channels/{hall.town.guild.id}/{hall.secret.id}"
    missing = link + "/1187654321098765432"
    said = await page(hall.town, f"aurora queue retry {link}/{hidden.message_id}", author=hall.mod)
    unknown = await page(hall.town, f"aurora queue retry {missing}", author=hall.mod)
    assert said == unknown


async def test_a_demoted_admins_yes_clears_nothing(hall: Hall) -> None:
    """The question was asked while they could; the press is what counts."""
    await fill(hall.town, 2)
    question = await hall.question("aurora queue clear")
    hall.demote()
    said = await hall.press(hall.mod, question, button(question, "Yes"))
    assert "may not do that any more" in said
    assert hall.waiting() == 2
    # Given back in time, it counts.
    hall.promote()
    hall.town.discord.press(hall.mod, question, button(question, "Yes"))
    await hall.town.discord.wait_for(lambda: not hall.waiting() or None)


async def test_a_demoted_admin_turns_no_pages(hall: Hall) -> None:
    """Also where nothing is changed, only shown."""
    await fill(hall.town, 45, channel_id=hall.town.general.id)
    await hall.town.command("aurora queue list", author=hall.mod)
    menu = hall.town.bot_messages(hall.town.general)[-1]
    before = read(menu)
    forward = [one for row in menu.components for one in row["components"]][2]
    hall.demote()
    await hall.press(hall.mod, menu, str(forward["custom_id"]))
    assert read(menu) == before


async def test_alerts_go_to_no_channel_that_their_admin_can_not_see(hall: Hall) -> None:
    """It would be written to by way of the bot."""
    said = await page(hall.town, f"aurora config alerts <#{hall.secret.id}>", author=hall.mod)
    missing = await page(hall.town, "aurora config alerts <#1187654321098765432>", author=hall.mod)
    assert said == missing
    assert hall.town.bot_messages(hall.secret) == []


async def test_one_servers_retry_does_not_wait_for_anothers(hall: Hall) -> None:
    """Nobody else's admins can keep one from it."""
    command = hall.town.red.bot.get_command("aurora queue retry")
    assert command is not None
    limit: Any = command._max_concurrency
    assert (limit.number, limit.per) == (1, commands.BucketType.guild)


async def listed(hall: Hall, *, add: bool) -> None:
    """Put Bo on Red's list of those who are kept out, or take them off it."""
    bot, bo = hall.town.red.bot, hall.town.bo
    await (bot.add_to_blacklist([bo.id]) if add else bot.remove_from_blacklist([bo.id]))


async def not_allowed(hall: Hall, *, add: bool) -> None:
    """Let the guild's own list name the moderator alone, or nobody."""
    bot, mod, guild = hall.town.red.bot, hall.mod, hall.town.red.bot.get_guild(hall.town.guild.id)
    change = bot.add_to_whitelist if add else bot.remove_from_whitelist
    await change([mod.id], guild=guild)


async def disabled(hall: Hall, *, add: bool) -> None:
    """Disable the cog in the guild, as Red lets its admins do."""
    await hall.town.command(f"command {'disable' if add else 'enable'}cog Aurora")


@pytest.mark.parametrize(
    ("change", "code"),
    [(listed, "ineligible"), (not_allowed, "ineligible"), (disabled, "cog_disabled")],
)
async def test_what_red_is_told_binds_a_run_at_its_next_call(
    hall: Hall, change: Any, code: str
) -> None:
    """The very next: nothing is remembered of the last answer."""
    (event,) = await fill(hall.town, 1, channel_id=hall.town.general.id)
    policy, model = sys.modules["aurora.guard.policy"], sys.modules["aurora.model"]
    guard, turn = hall.town.cog.services.guard, model.Turn((event,))
    act, target = policy.Act.SEND, policy.Target(event.channel_id)
    await hall.town.cog.services.settings.set_world(paused_since=None)
    try:
        assert isinstance(await guard.ask(turn, act, target), policy.Allowed)
        await change(hall, add=True)
        assert (await guard.ask(turn, act, target)).code == code
    finally:
        await change(hall, add=False)
        assert isinstance(await guard.ask(turn, act, target), policy.Allowed)
        await hall.town.cog.services.settings.set_world(paused_since=1.0)


@pytest.mark.parametrize("number", ["99999999999999999999", "9" * 50, "1187654321098765432\u0663"])
async def test_a_number_that_is_no_id_is_no_message(hall: Hall, number: str) -> None:
    """It is told as any other message that is not known."""
    said = await page(hall.town, f"aurora queue retry {number}")
    assert said == await page(hall.town, "aurora queue retry 1187654321098765432")
