"""Commands are for no agent: the bot's own, known or not, and those of other bots."""

from __future__ import annotations

import discord
import pytest
from redbot.cogs.alias.alias import Alias
from redbot.cogs.customcom.customcom import CustomCommands
from redbot.core import commands

from aurora.intake.prefixes import is_of_other_bot
from aurora.intake.triggers import Refusal, Trigger
from aurora.reasons import Reason
from aurora.settings import PREFIXES
from tests.support.gates import Gatehouse
from tests.support.payloads import direct

MENTION = Trigger("mention")
COMMAND = Refusal(Reason.COMMAND)
OTHERS = Refusal(Reason.OTHER_BOTS_COMMAND)


def said(scene: Gatehouse, text: str, **more: object) -> discord.Message:
    """Return a message; `@Aurora` in it is a mention of the bot."""
    return scene.world.message(text.replace("@Aurora", f"<@{scene.world.me.id}>"), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "prefixes"),
    [
        ("!hug @Aurora", ["!"]),
        ("!nosuchcommand tell @Aurora", ["!"]),
        ("! hug @Aurora", ["!"]),
        ("!@Aurora", ["!"]),
        ("a?hug @Aurora", ["!", "a?"]),
        ("hey bot, hug @Aurora", ["hey bot, "]),
        ("Äa hug @Aurora", ["Ä"]),
        ("5hug @Aurora", ["5"]),
    ],
)
async def test_what_begins_with_a_prefix_of_the_bot_is_a_command(
    scene: Gatehouse, text: str, prefixes: list[str]
) -> None:
    """Red, an alias or a custom command answers it, or nobody does: what there is may change."""
    await scene.red.set_prefixes(prefixes=prefixes, guild=scene.world.guild)
    assert await scene.check(said(scene, text)) == COMMAND


@pytest.mark.parametrize(
    "text", ["@Aurora !hug", "so !hug @Aurora", " !hug @Aurora", "hug @Aurora"]
)
async def test_a_prefix_further_on_is_none(scene: Gatehouse, text: str) -> None:
    """People talk about commands, too."""
    assert await scene.check(said(scene, text)) == MENTION


async def test_prefixes_are_those_of_the_server(scene: Gatehouse) -> None:
    """One server's prefix is another's word; direct messages go by the bot's own."""
    await scene.red.set_prefixes(prefixes=["%"], guild=scene.world.guild)
    await scene.set(prefixes_ignored=[])
    assert await scene.check(said(scene, "%hug @Aurora")) == COMMAND
    assert await scene.check(said(scene, "!hug @Aurora")) == MENTION
    assert await scene.check(direct(scene.world)) == Trigger("dm")
    world, place = scene.world, 10**17
    assert await scene.check(world.message("!hug", channel=place, dm=True)) == COMMAND
    assert await scene.check(world.message("%hug", channel=place, dm=True)) == Trigger("dm")


async def test_a_reply_that_begins_with_a_prefix_is_a_command(scene: Gatehouse) -> None:
    """Red looks at replies, too."""
    mine = scene.world.message("hi", author="aurora")
    assert await scene.check(scene.world.message("!hug", reply_to=mine)) == COMMAND


async def test_an_empty_prefix_lets_people_talk(scene: Gatehouse) -> None:
    """Some cogs let commands work without a prefix: only what is a command is one then."""
    await _know(scene)
    await scene.red.set_prefixes(prefixes=["!", ""], guild=scene.world.guild)
    assert await scene.check(said(scene, "hello @Aurora")) == MENTION
    assert await scene.check(said(scene, "wave at @Aurora")) == COMMAND


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@Aurora wave", COMMAND),
        ("@Aurora wave to bob", COMMAND),
        ("@Aurora hug bob", COMMAND),
        ("@Aurora world", COMMAND),
        ("@Aurora motd", COMMAND),
        ("@Aurora wavelength is what?", MENTION),
        ("@Aurora hugs for bob", MENTION),
        ("@Aurora please wave", MENTION),
        ("@Aurora", MENTION),
        ("@Aurora what is motd?", MENTION),
    ],
)
async def test_behind_a_mention_what_is_reds_belongs_to_red(
    scene: Gatehouse, text: str, expected: Trigger | Refusal
) -> None:
    """Where the mention is the prefix: a command, an alias of here or of all, a custom one."""
    await _know(scene)
    prefixes = ["!", f"<@{scene.world.me.id}> ", f"<@!{scene.world.me.id}> "]
    await scene.red.set_prefixes(prefixes=prefixes, guild=scene.world.guild)
    assert await scene.check(said(scene, text)) == expected


async def test_where_the_mention_is_no_prefix_all_behind_it_is_talk(scene: Gatehouse) -> None:
    """`@Aurora help` is a question then."""
    await _know(scene)
    assert await scene.check(said(scene, "@Aurora wave")) == MENTION


async def test_a_cog_that_is_disabled_here_has_no_commands(scene: Gatehouse) -> None:
    """Its words are words again."""
    await _know(scene)
    guild = scene.world.guild
    await scene.red.set_prefixes(prefixes=[f"<@{scene.world.me.id}> "], guild=guild)
    for name in ("Alias", "CustomCommands"):
        await scene.red._disabled_cog_cache.disable_cog_in_guild(name, guild.id)
    assert await scene.check(said(scene, "@Aurora hug bob")) == MENTION
    assert await scene.check(said(scene, "@Aurora motd")) == MENTION


@pytest.mark.parametrize(
    "text",
    [
        "?hug @Aurora",
        "t!rob @Aurora",
        "T!rob @Aurora",
        "p!catch @Aurora",
        "sb!hug @Aurora",
        "-play a song for @Aurora",
        "$daily @Aurora",
        ";;queue @Aurora",
        "!!hug @Aurora",
        ">hug @Aurora",
        "pk;switch @Aurora",
        "?привет @Aurora",
    ],
)
async def test_commands_of_other_bots_are_left_alone(scene: Gatehouse, text: str) -> None:
    """Whoever it mentions is what the other bot's command is about."""
    await scene.red.set_prefixes(prefixes=["[p]"], guild=scene.world.guild)
    assert await scene.check(said(scene, text)) == OTHERS


@pytest.mark.parametrize(
    "text",
    [
        "? @Aurora",
        "?! @Aurora",
        "...so @Aurora what now",
        "... @Aurora",
        "- first @Aurora",
        "> quoted @Aurora",
        "-1 is what @Aurora",
        "$5 for @Aurora",
        "hey! you @Aurora",
        "wow!really @Aurora",
        "~~no~~ @Aurora",
        "*hug* @Aurora",
        "_hug_ @Aurora",
        "# Title @Aurora",
        "/shrug @Aurora",
        "(why) @Aurora",
        "@Aurora ?hug",
    ],
)
async def test_ordinary_beginnings_are_no_commands(scene: Gatehouse, text: str) -> None:
    """A prefix counts directly before a letter alone; quotes, lists and sums have none there."""
    await scene.red.set_prefixes(prefixes=["[p]"], guild=scene.world.guild)
    assert await scene.check(said(scene, text)) == MENTION


async def test_in_replies_and_direct_messages_nobody_else_is_meant(scene: Gatehouse) -> None:
    """Whoever answers the bot with "?what" talks to it."""
    mine = scene.world.message("hi", author="aurora")
    assert await scene.check(scene.world.message("?what", reply_to=mine)) == Trigger("reply")
    other = scene.world.message("hi", author="bob")
    assert await scene.check(said(scene, "?what @Aurora", reply_to=other)) == MENTION
    private = scene.world.message("?what", channel=10**17, dm=True)
    assert await scene.check(private) == Trigger("dm")


async def test_a_server_has_a_list_of_its_own(scene: Gatehouse) -> None:
    """What another bot listens to, admins know."""
    await scene.set(prefixes_ignored=["zz", "*?"])
    assert await scene.check(said(scene, "?hug @Aurora")) == MENTION
    assert await scene.check(said(scene, "zzhug @Aurora")) == OTHERS
    assert await scene.check(said(scene, "ab?hug @Aurora")) == OTHERS
    await scene.set(prefixes_ignored=[])
    assert await scene.check(said(scene, "zzhug @Aurora")) == MENTION


def test_a_prefix_is_taken_literally(scene: Gatehouse) -> None:
    """What would be a pattern elsewhere is characters here."""
    message = said(scene, ".hug")
    assert is_of_other_bot(message, PREFIXES)
    assert not is_of_other_bot(said(scene, "xhug"), (".",))
    assert is_of_other_bot(said(scene, "(hug"), ("(",))


class Waving(commands.Cog):
    """A cog with a command."""

    @commands.command()
    async def wave(self, ctx: commands.Context) -> None:
        """Wave."""


async def _know(scene: Gatehouse) -> None:
    """Give Red a command, aliases of the server and of the bot, and a custom command."""
    red, guild = scene.red, scene.world.guild
    alias, custom = Alias(red), CustomCommands(red)
    for cog in (Waving(), alias, custom):
        await red.add_cog(cog)
    entry = {"creator": 1, "command": "wave", "uses": 0}
    await alias.config.guild(guild).entries.set([{"name": "hug", "guild": guild.id, **entry}])
    await alias.config.entries.set([{"name": "world", "guild": None, **entry}])
    await custom.config.guild(guild).commands.set({"motd": {"response": "Hi", "command": "motd"}})
