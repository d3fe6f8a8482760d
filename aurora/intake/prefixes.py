"""Commands: what begins with a prefix of the bot's, or of another bot's, is for no agent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import discord
from redbot.core import Config
from redbot.core.bot import Red

_LETTER = r"[^\W\d_]"


async def is_command(message: discord.Message, bot: Red) -> bool:
    """Tell whether a message begins like a command of the bot's, known or not.

    Behind a mention of the bot people also talk to it: what is Red's there is a command, an alias
    or a custom command.
    """
    prefixes = await bot.get_prefix(message)
    begins = [
        one
        for one in ([prefixes] if isinstance(prefixes, str) else prefixes)
        if message.content.startswith(one)
    ]
    # Some cogs let commands work without any prefix, which is an empty one.
    if any(one.strip() and not _is_mention(one, bot) for one in begins):
        return True
    return any([await _is_reds(message, bot, one) for one in begins])


def is_of_other_bot(message: discord.Message, prefixes: Sequence[str]) -> bool:
    """Tell whether a message begins with one of other bots' prefixes and a letter behind it.

    In direct messages and in replies nobody else is meant.
    """
    if message.guild is None or message.type is discord.MessageType.reply or not prefixes:
        return False
    return _commands(tuple(prefixes)).match(message.content) is not None


@lru_cache(maxsize=256)
def _commands(prefixes: tuple[str, ...]) -> re.Pattern[str]:
    begins = (
        f"{_LETTER}{{1,2}}{re.escape(one[1:])}" if one.startswith("*") else re.escape(one)
        for one in prefixes
    )
    return re.compile(f"(?:{'|'.join(begins)}){_LETTER}", re.IGNORECASE)


def _is_mention(prefix: str, bot: Red) -> bool:
    return bot.user is not None and prefix.strip() in (f"<@{bot.user.id}>", f"<@!{bot.user.id}>")


async def _is_reds(message: discord.Message, bot: Red, prefix: str) -> bool:
    """Tell whether the word behind a prefix begins something of Red's."""
    if (await bot.get_context(message)).valid:
        return True
    word = message.content[len(prefix) :].split(maxsplit=1)[:1]
    return bool(word) and word[0] in await _made_up(bot, message.guild)


async def _made_up(bot: Red, guild: discord.Guild | None) -> set[str]:
    """Return the names of aliases and custom commands, which only Red's own cogs know."""
    return await _aliases(bot, guild) | await _custom_commands(bot, guild)


async def _aliases(bot: Red, guild: discord.Guild | None) -> set[str]:
    cog: Any = bot.get_cog("Alias")
    # Of another cog of that name nothing is known.
    if not hasattr(cog, "config") or not isinstance(config := cog.config, Config):
        return set()
    if await bot.cog_disabled_in_guild(cog, guild):
        return set()
    kept = [await config.all()]
    if guild is not None:
        kept.append(await config.guild(guild).all())
    return {one["name"] for every in kept for one in every.get("entries", ())}


async def _custom_commands(bot: Red, guild: discord.Guild | None) -> set[str]:
    cog: Any = bot.get_cog("CustomCommands")
    if guild is None or not hasattr(cog, "get_command_names"):
        return set()
    disabled = await bot.cog_disabled_in_guild(cog, guild)
    return set() if disabled else {*await cog.get_command_names(guild)}
