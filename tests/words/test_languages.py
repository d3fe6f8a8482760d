"""Whose language is spoken: the person's in slash commands, the server's elsewhere."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from redbot.core.i18n import get_locale

from aurora.chat.languages import OURS, speak_in, speak_to

GUILDS = {1: "fr-FR", 2: "it-IT"}


class Bot:
    """A bot that knows of its guilds what language they speak; it speaks Japanese itself."""

    def __init__(self) -> None:
        self._i18n_cache = self

    def get_guild(self, guild_id: int) -> SimpleNamespace | None:
        return SimpleNamespace(id=guild_id) if guild_id in GUILDS else None

    async def get_locale(self, guild: SimpleNamespace | None) -> str:
        return GUILDS[guild.id] if guild else "ja-JP"

    get_regional_format = get_locale


async def spoken(guild_id: int | None, locale: discord.Locale | None = None) -> str:
    """Return the language in which the bot answers a command."""
    bot = Bot()
    context: Any = SimpleNamespace(bot=bot, guild=bot.get_guild(guild_id or 0), interaction=None)
    if locale is not None:
        context.interaction = SimpleNamespace(locale=locale)
    await speak_to(context)
    return get_locale()


@pytest.mark.parametrize(("guild_id", "locale"), [(1, "fr-FR"), (2, "it-IT"), (None, "ja-JP")])
async def test_a_text_is_in_the_language_of_its_place(guild_id: int | None, locale: str) -> None:
    """A guild's own; in direct messages the bot's. Also for what is no command."""
    assert await spoken(guild_id) == locale
    bot: Any = Bot()
    await speak_in(bot, guild_id)
    assert get_locale() == locale


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (discord.Locale.german, "de-DE"),
        (discord.Locale.brazil_portuguese, "pt-BR"),
        (discord.Locale.latin_american_spanish, "es-ES"),
        (discord.Locale.british_english, "en-US"),
    ],
)
async def test_a_slash_command_is_answered_in_the_persons_language(
    theirs: discord.Locale, ours: str
) -> None:
    """Whatever the server speaks."""
    assert await spoken(1, theirs) == ours


async def test_a_language_that_is_not_ours_leaves_the_servers() -> None:
    """English would be neither theirs nor the server's."""
    assert await spoken(1, discord.Locale.dutch) == "fr-FR"


async def test_one_task_does_not_speak_for_another() -> None:
    """Notices for two servers go out at the same time."""
    bot: Any = Bot()

    async def speak(guild_id: int) -> str:
        await speak_in(bot, guild_id)
        await asyncio.sleep(0)
        return get_locale()

    assert list(await asyncio.gather(speak(1), speak(2))) == ["fr-FR", "it-IT"]


def test_every_language_is_one_that_people_can_set() -> None:
    """And each of theirs is at most one of ours."""
    theirs = [one for some in OURS.values() for one in some]
    assert len(set(theirs)) == len(theirs)
