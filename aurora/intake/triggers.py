"""Decide whether a message is for the agent, and whether its author may ask."""

from __future__ import annotations

from typing import NamedTuple

import discord
from redbot.core import commands
from redbot.core.bot import Red

from ..chat.failures import FAILURES
from ..chat.places import Place, find_place
from ..guard.barring import barred_by_red, barred_there, kept_out
from ..guard.looking import why_shut
from ..guard.policy import NO_PERSON, Act, Actor, Denied, Found, Here, Target, may
from ..guard.sight import may_write
from ..model import Event, Kind
from ..reasons import Reason
from ..settings import Settings


class Trigger(NamedTuple):
    """A message that the agent is to answer."""

    kind: Kind


class Refusal(NamedTuple):
    """A message that the agent is not to see."""

    reason: Reason


_WRITTEN = (discord.MessageType.default, discord.MessageType.reply)


def addressed(message: discord.Message, me: discord.abc.User) -> Kind | None:
    """Tell how a message addresses the bot: a reply to it, a mention of it or its role, a DM.

    Runs for every message of every guild, so it looks at as little as it can. The bot's own
    messages and those that Discord writes (pins, boosts, new threads) address nobody.
    """
    kind: Kind | None = None
    if message.guild is None and not unplaced(message):
        kind = "dm"
    elif message.reference is not None and _replies_to(message.reference, me.id):
        kind = "reply"
    elif (message.mentions and _mentions(message, me.id)) or (
        message.role_mentions and _mentions_role(message, me.id)
    ):
        kind = "mention"
    if kind is None or message.type not in _WRITTEN or message.author.id == me.id:
        return None
    return kind


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


def still_addressed(message: discord.Message, me: discord.abc.User) -> bool:
    """Tell whether an edited message still addresses the bot; in doubt it does."""
    return addressed(message, me) is not None or unresolved(message)


async def check(
    message: discord.Message, bot: Red, cog: commands.Cog, settings: Settings
) -> Trigger | Refusal:
    """Pass a message through every gate, cheap ones first, or name the gate that stopped it."""
    actor, found, here = _of_message(message, settings)
    if not actor.person:
        return Refusal(NO_PERSON.code)
    if bot.user is None:
        return Refusal(Reason.NOT_ADDRESSED)
    kind = addressed(message, bot.user)
    if kind is None and here.shut is None and unresolved(message):
        kind = await _replies_after_all(message, bot.user.id)
    if kind is None:
        return Refusal(Reason.NOT_ADDRESSED)
    missing = here.shut
    # Of a missing agent a person is told in a DM, and so only one who may use the bot.
    if missing is Reason.DM_NO_AGENT:
        here = here._replace(shut=None)
    if here.shut is None:
        barred = await _barred(message, bot, cog, settings, found, here)
        actor = actor._replace(barred=barred)
    answer = may(actor, Act.ASK, found, here)
    if isinstance(answer, Denied):
        return Refusal(answer.code)
    return Refusal(missing) if missing is not None else Trigger(kind)


async def still_welcome(
    event: Event, bot: Red, cog: commands.Cog, settings: Settings
) -> Reason | None:
    """Ask again, when an event's turn has come, what may have changed; a reason to cancel it.

    What can't be found out (not connected yet, an outage of Discord) is no reason.
    """
    guild_id, shut = event.guild_id, why_shut(settings, event.guild_id)
    if shut is not None:
        return shut
    if not bot.is_ready():
        return None
    guild = bot.get_guild(guild_id) if guild_id is not None else None
    if guild is not None and guild.unavailable:
        return None
    member = guild.get_member(event.author_id) if guild is not None else None
    barred, place = await barred_by_red(bot, cog, event.author_id, member, guild), None
    if barred is None and guild is not None:
        try:
            place = await find_place(bot, event, event.channel_id)
        except FAILURES:
            return None
        if place is not None:
            barred = await barred_there(bot, settings, event.author_id, member, guild, place)
    actor = Actor(event.author_id, member, barred)
    found = Found(Target(event.channel_id), place)
    answer = may(actor, Act.ASK, found, Here(guild_id, guild, place))
    return answer.code if isinstance(answer, Denied) else None


def _of_message(message: discord.Message, settings: Settings) -> tuple[Actor, Found, Here]:
    """Return what is known of a message without asking anybody."""
    author, guild, place = message.author, message.guild, message.channel
    guild_id = guild.id if guild is not None else None
    channel = place if isinstance(place, Place | discord.DMChannel) else None
    actor = Actor(
        author.id,
        author if isinstance(author, discord.Member) else None,
        # A webhook's user is no bot to discord.py unless Discord says so.
        person=not (author.bot or author.system or message.webhook_id is not None),
    )
    here = Here(guild_id, guild, channel, shut=why_shut(settings, guild_id))
    return actor, Found(Target(place.id, message.id), channel), here


async def _barred(
    message: discord.Message,
    bot: Red,
    cog: commands.Cog,
    settings: Settings,
    found: Found,
    here: Here,
) -> Reason | None:
    """Return why somebody may not use the bot where they write."""
    if await bot.cog_disabled_in_guild(cog, here.guild):
        return Reason.COG_DISABLED
    # Red counts a place where it can't write as ineligible.
    if here.guild is not None and (
        found.channel is None or not may_write(found.channel, here.guild.me)
    ):
        return Reason.CANNOT_SEND
    try:
        eligible = await bot.message_eligible_as_command(message)
    except discord.ClientException:  # a thread whose parent channel the bot can't see
        return Reason.CANNOT_SEND
    if not eligible:
        return Reason.INELIGIBLE
    if here.guild is None:
        return None
    member = message.author if isinstance(message.author, discord.Member) else None
    return await kept_out(bot, settings, message.author.id, member, here.guild, message.channel)


def _mentions(message: discord.Message, bot_id: int) -> bool:
    return any(user.id == bot_id for user in message.mentions)


def _mentions_role(message: discord.Message, bot_id: int) -> bool:
    return any(
        role.tags is not None and role.tags.bot_id == bot_id for role in message.role_mentions
    )


def _replies_to(reference: discord.MessageReference, bot_id: int) -> bool:
    if reference.type is discord.MessageReferenceType.forward or reference.message_id is None:
        return False
    replied = reference.resolved or reference.cached_message
    return isinstance(replied, discord.Message) and replied.author.id == bot_id


async def _replies_after_all(message: discord.Message, bot_id: int) -> Kind | None:
    reference = message.reference
    if reference is None or reference.message_id is None:
        return None
    try:
        replied = await message.channel.fetch_message(reference.message_id)
    except FAILURES:
        return None
    return "reply" if replied.author.id == bot_id else None
