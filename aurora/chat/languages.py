"""In which language somebody is spoken to: a person's own in slash commands, else their server's.

It is set for the task that speaks, and for those that this task begins. Red itself sets it for
commands alone; listeners, tasks and buttons do it here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import discord
from redbot.core import commands
from redbot.core.bot import Red
from redbot.core.i18n import set_contextual_locale, set_contextual_locales_from_guild

OURS = {
    "en-US": (discord.Locale.american_english, discord.Locale.british_english),
    "de-DE": (discord.Locale.german,),
    "es-ES": (discord.Locale.spain_spanish, discord.Locale.latin_american_spanish),
    "fr-FR": (discord.Locale.french,),
    "ja-JP": (discord.Locale.japanese,),
    "pt-BR": (discord.Locale.brazil_portuguese,),
}
"""The languages that Aurora speaks, by Red's names, and those that people can set in Discord."""


Speak = Callable[[int | None], Awaitable[None]]
"""Sets the language of a guild, or of direct messages (None), for the task that calls it."""


async def speak_as_before(_guild_id: int | None) -> None:
    """Leave the language as it is."""


async def speak_in(bot: Red, guild_id: int | None) -> None:
    """Speak the language of a guild, or in direct messages (None) the bot's."""
    guild = bot.get_guild(guild_id) if guild_id is not None else None
    await set_contextual_locales_from_guild(bot, guild)


async def speak_to(ctx: commands.Context) -> None:
    """Speak the language of a slash command's person, if it is one of ours, else as `speak_in`."""
    await set_contextual_locales_from_guild(ctx.bot, ctx.guild)
    if ctx.interaction is not None:
        _speak_as(ctx.interaction.locale)


async def speak_to_person(interaction: discord.Interaction[Any]) -> None:
    """Speak the language of who uses a button, a form or a menu, as `speak_to` does."""
    await set_contextual_locales_from_guild(interaction.client, interaction.guild)
    _speak_as(interaction.locale)


def _speak_as(locale: discord.Locale) -> None:
    for ours, theirs in OURS.items():
        if locale in theirs:
            set_contextual_locale(ours)
