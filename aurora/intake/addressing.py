"""How a message addresses the bot, told from the message alone."""

from __future__ import annotations

import re
from functools import lru_cache

import discord

from ..markdown import mentioned_outside_code, roles_outside_code
from ..model import Kind
from ..settings import GuildSettings

_WRITTEN = (discord.MessageType.default, discord.MessageType.reply)


def addressed(message: discord.Message, me: discord.abc.User, mine: GuildSettings) -> Kind | None:
    """Tell how a message addresses the bot: as a DM, as a reply to it, or by calling it.

    Runs for every message of every guild, so it looks at as little as it can. The bot's own
    messages and those that Discord writes (pins, boosts, new threads) address nobody.
    """
    kind: Kind | None = None
    if message.guild is None and not unplaced(message):
        kind = "dm"
    elif message.reference is not None and _replies_to(message.reference, me.id):
        kind = "reply"
    elif called(message, me, mine):
        kind = "mention"
    if kind is None or message.type not in _WRITTEN or message.author.id == me.id:
        return None
    return kind


def called(message: discord.Message, me: discord.abc.User, mine: GuildSettings) -> bool:
    """Tell whether a message's text calls the bot: by mention, by a role of its, by its nickname.

    Whoever is replied to is among those mentioned, too, and that is no call.
    """
    if message.mentions and _calls_user(message, me.id):
        return True
    if message.role_mentions and _calls_role(message, me.id, mine.mention_role_id):
        return True
    return (
        mine.wake_word is not None and _nickname(mine.wake_word).match(message.content) is not None
    )


def unplaced(message: discord.Message) -> bool:
    """Tell whether discord.py does not know a guild's channel, as before its guild is here."""
    channel = message.channel
    return isinstance(channel, discord.PartialMessageable) and channel.guild_id is not None


def unresolved(message: discord.Message) -> bool:
    """Tell whether only Discord knows to whom a message replies; it seldom leaves that out."""
    reference = message.reference
    return (
        reference is not None
        and message.type is discord.MessageType.reply
        and reference.message_id is not None
        and reference.channel_id == message.channel.id
        and reference.resolved is None
        and reference.cached_message is None
    )


def replied_to(message: discord.Message) -> discord.Message | None:
    """Return the message that another replies to, as far as it came with it."""
    reference = message.reference
    found = reference and (reference.resolved or reference.cached_message)
    return found if isinstance(found, discord.Message) else None


def _replies_to(reference: discord.MessageReference, bot_id: int) -> bool:
    if reference.type is discord.MessageReferenceType.forward or reference.message_id is None:
        return False
    replied = reference.resolved or reference.cached_message
    return isinstance(replied, discord.Message) and replied.author.id == bot_id


def _calls_user(message: discord.Message, bot_id: int) -> bool:
    listed = any(user.id == bot_id for user in message.mentions)
    return listed and bot_id in mentioned_outside_code(message.content)


def _calls_role(message: discord.Message, bot_id: int, chosen: int | None) -> bool:
    """Tell whether the bot's own role is mentioned, or the chosen one, if the bot has it."""
    me = message.guild.me if message.guild is not None else None
    ours = {
        role.id
        for role in message.role_mentions
        if (role.tags is not None and role.tags.bot_id == bot_id)
        or (role.id == chosen and me is not None and me.get_role(role.id) is not None)
    }
    return bool(ours) and not ours.isdisjoint(roles_outside_code(message.content))


@lru_cache(maxsize=1024)
def _nickname(word: str) -> re.Pattern[str]:
    # What goes on behind it, as in "Aurora's" or "aurora-green", is another word.
    return re.compile(rf"\s*{re.escape(word)}(?![\w'’-])", re.IGNORECASE)
