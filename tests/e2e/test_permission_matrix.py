"""Who may give which command, on which surface: one table, asked of a real Red's command tree.

What an agent may do for somebody has a table of its own, in tests/guard/test_permission_matrix.py.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from copy import copy
from typing import Any

import discord
import pytest
import pytest_asyncio
from redbot.core import app_commands, commands

from doubles.local_discord import Channel, Guild, Message, Role, User, permissions
from tests.support.e2e.hands import register
from tests.support.e2e.quick import QuickTown, open_quick_town

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What somebody may do on a surface: nothing (-), what everybody may (M), what an admin may (A),
# all that the owner may (O). An x is where Discord itself lets nobody come so far.
TABLE = """
              typed  slash  pressed  typed in a dm  slash in a dm
bot owner     O      O      O        O              O
guild owner   A      A      A        M              M
admin         A      A      A        M              M
manager       A      A      A        M              M
moderator     M      M      M        M              M
member        M      M      M        M              M
timed out     -      -      -        M              M
left          -      -      -        M              M
bot           -      x      x        x              x
webhook       -      x      x        x              x
stranger      x      x      x        M              M
"""
_HEAD, *_LINES = TABLE.strip("\n").splitlines()
SURFACES = ["typed", "slash", "pressed", "typed in a dm", "slash in a dm"]
ROWS = {line[:13].strip(): dict(zip(SURFACES, line[13:].split(), strict=True)) for line in _LINES}
CELLS = [(who, surface) for who, row in ROWS.items() for surface in row if row[surface] != "x"]
STANDING = {"-": -1, "M": 0, "A": 1, "O": 2}


class Abroad:
    """A guild that is not the bot owner's, and somebody of each kind in it."""

    def __init__(self, town: QuickTown) -> None:
        self.town = town
        self.local = town.discord
        self.keeper = self.local.add_user("keeper")
        self.guild: Guild = self.local.add_guild("Abroad", owner=self.keeper)
        self.place: Channel = self.local.add_channel(self.guild, "general")
        self.local.add_member(self.guild, town.ada)
        self.roles: defaultdict[str, tuple[Role, ...]] = defaultdict(tuple)
        self.people = {who: self._actor(who) for who in ROWS}
        self.interactions: list[discord.Interaction] = []

    def _actor(self, who: str) -> User:
        local, guild = self.local, self.guild
        if who in ("bot owner", "guild owner"):
            return self.town.ada if who == "bot owner" else self.keeper
        user = local.add_user(who.replace(" ", ""), bot=who == "bot")
        rights = {
            "admin": permissions.ADMINISTRATOR,
            "manager": permissions.MANAGE_GUILD,
            # To be silenced, or gone, tells only of those who might do something.
            "timed out": permissions.MANAGE_GUILD,
            "left": permissions.MANAGE_GUILD,
            "moderator": permissions.MANAGE_MESSAGES
            | permissions.MANAGE_THREADS
            | permissions.KICK_MEMBERS,
        }
        if who in rights:
            self.roles[who] = (local.add_role(guild, who, permissions=rights[who]),)
        if who != "stranger":
            local.add_member(guild, user, roles=self.roles[who])
        return user

    async def context(self, who: str, surface: str) -> Any:
        """Return the context of a command that somebody gives."""
        user, bot = self.people[who], self.town.red.bot
        if who != "stranger" and user.id not in self.guild.members:
            self.local.add_member(self.guild, user, roles=self.roles[who])
        dm = surface.endswith("dm")
        place = self.local.open_dm(user) if dm else self.place
        if surface.startswith("slash"):
            self.local.slash(user, place, "aurora queue status", {})
            interaction = await self.local.wait_for(lambda: self.interactions[-1:])
            self.interactions.clear()
            return await bot.get_context(interaction[0])
        said = self.local.say(user, place, "!aurora queue status")
        message = await self.local.wait_for(lambda: self._heard(said))
        if who == "webhook":
            # Discord seldom says of its user that it is a bot.
            message.webhook_id = message.author.id
        return await bot.get_context(message)

    def _heard(self, said: Message) -> discord.Message | None:
        heard = self.town.red.bot.cached_messages
        return copy(next((one for one in heard if one.id == said.id), None))

    async def age(self, who: str, ctx: Any) -> None:
        """Let happen to somebody what happens after they gave the command."""
        if ctx.guild is None:
            return
        if who == "left":
            self.local.remove_member(self.guild, self.people[who])
            await self.local.wait_for(lambda: ctx.guild.get_member(ctx.author.id) is None)
        if who == "timed out":
            ctx.author.timed_out_until = discord.utils.utcnow().replace(year=2999)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def abroad(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Abroad]:
    """One town for all, in which no command runs."""
    async with open_quick_town(tmp_path_factory.mktemp("town")) as town:
        await register(town)
        place = Abroad(town)
        bot = town.red.bot

        async def keep(interaction: discord.Interaction) -> bool:
            place.interactions.append(interaction)
            town.discord.wake()
            return False

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bot.tree, "interaction_check", keep)
            patch.setattr(bot, "process_commands", _nothing)
            yield place


async def _nothing(_message: discord.Message) -> None:
    return None


def leaves(cog: Any) -> Iterator[Any]:
    """Yield the cog's commands, but for groups, which only hold others."""
    for command in cog.walk_commands():
        if not isinstance(command, commands.Group):
            yield command


def acts_of(command: Any) -> list[Any]:
    """Return the acts for which a command's checks ask the guard."""
    asked = (one for one in command.checks if type(one).__module__ == "aurora.guard.invoking")
    return [one.act for one in asked]


async def can_run(command: Any, ctx: Any) -> bool:
    """Tell whether a command would run, by all of its checks and Red's."""
    ctx.command = command
    try:
        return bool(await command.can_run(ctx, check_all_parents=True))
    except commands.CommandError:
        return False


@pytest.mark.parametrize(("who", "surface"), [one for one in CELLS if one[1] != "pressed"])
async def test_each_command_is_for_those_in_charge(abroad: Abroad, who: str, surface: str) -> None:
    """Every command of the tree, by the act that it asks the guard for."""
    needed: Any = sys.modules["aurora.guard.acts"].NEEDED
    ctx = await abroad.context(who, surface)
    await abroad.age(who, ctx)
    cog = abroad.town.cog
    own: Any = sys.modules["aurora.guard.acts"].OWN_IN_DMS
    in_dm = surface.endswith("dm")
    wrong = []
    for command in leaves(cog):
        if surface.startswith("slash") and getattr(command, "app_command", None) is None:
            continue
        (act,) = acts_of(command)
        guilds = any("guild_only" in getattr(one, "__qualname__", "") for one in command.checks)
        wanted = STANDING[ROWS[who][surface]] >= needed[act] or (act in own and in_dm)
        wanted = wanted and not (guilds and in_dm)
        if await can_run(command, ctx) != wanted:
            wrong.append((command.qualified_name, act, wanted))
    assert wrong == []


@pytest.mark.parametrize("who", [who for who, surface in CELLS if surface == "pressed"])
async def test_a_button_is_for_who_could_give_its_command_now(abroad: Abroad, who: str) -> None:
    """Each is asked again; here everybody could give it once."""
    invoking: Any = sys.modules["aurora.guard.invoking"]
    needed: Any = sys.modules["aurora.guard.acts"].NEEDED
    ctx = await abroad.context(who, "typed")
    await abroad.age(who, ctx)
    pressed = type("Pressed", (), {"user": ctx.author})()
    for command in leaves(abroad.town.cog):
        ctx.command = command
        (act,) = acts_of(command)
        wanted = STANDING[ROWS[who]["pressed"]] >= needed[act]
        assert await invoking.may_still(ctx, pressed) == wanted, command.qualified_name


# -- the registries


async def test_every_command_asks_the_guard_for_one_act(abroad: Abroad) -> None:
    """Also the slash commands and menus; a group only shows what it holds."""
    bot, cog = abroad.town.red.bot, abroad.town.cog
    acts: Any = sys.modules["aurora.guard.acts"]
    known = list(leaves(cog))
    assert len(known) > 20
    assert {one.qualified_name: len(acts_of(one)) for one in known if len(acts_of(one)) != 1} == {}
    assert all(acts_of(one)[0] in acts.NEEDED for one in known)
    groups = [one for one in cog.walk_commands() if isinstance(one, commands.Group)]
    assert {one.callback.__code__.co_names for one in groups} == {("show_commands",)}
    kinds = (discord.AppCommandType.chat_input, *_menus())
    ours = [
        one
        for kind in kinds
        for one in bot.tree.walk_commands(type=kind)
        if (one.module or "").startswith("aurora") and not isinstance(one, app_commands.Group)
    ]
    assert len(ours) > 12
    names = {one.qualified_name for one in known}
    # What is both is run through the checks of the typed one.
    loose = [one for one in ours if one.qualified_name not in names]
    # What asks the agent passes the gates of a message, when the question is kept.
    asked = {one.name: getattr(one.callback, "acts", ()) for one in loose}
    assert asked == dict.fromkeys(("ask", "Ask Aurora about this"), (acts.Act.ASK,))


def _menus() -> tuple[discord.AppCommandType, ...]:
    return (discord.AppCommandType.user, discord.AppCommandType.message)


async def test_every_act_of_commands_has_a_command(abroad: Abroad) -> None:
    """One that has none would be a rule that nobody needs."""
    acts: Any = sys.modules["aurora.guard.acts"]
    assert {acts_of(one)[0] for one in leaves(abroad.town.cog)} == set(acts.NEEDED)
