"""Decide whether a message is for the agent, and whether its author may ask."""

from __future__ import annotations

from typing import NamedTuple

import aiohttp
import discord
from redbot.core import commands
from redbot.core.bot import Red

from ..chat.places import find_place
from ..guard import access
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
    # A webhook's user is no bot to discord.py unless Discord says so.
    if message.author.bot or message.author.system or message.webhook_id is not None:
        return Refusal(Reason.BOT)
    if bot.user is None:
        return Refusal(Reason.NOT_ADDRESSED)
    guild_id = message.guild.id if message.guild is not None else None
    missing = _missing_setting(guild_id, settings)
    kind = addressed(message, bot.user)
    if kind is None and missing is None and unresolved(message):
        kind = await _replies_after_all(message, bot.user.id)
    if kind is None:
        return Refusal(Reason.NOT_ADDRESSED)
    # Of a missing agent a person is told in a DM, and so only one who may use the bot.
    if missing is not None and missing is not Reason.DM_NO_AGENT:
        return Refusal(missing)
    reason = await _unwelcome(message, bot, cog)
    if reason is None and message.guild is not None:
        reason = await _kept_out(message.guild, message.author, message.channel, bot, settings)
    reason = reason or missing
    return Refusal(reason) if reason is not None else Trigger(kind)


async def still_welcome(
    event: Event, bot: Red, cog: commands.Cog, settings: Settings
) -> Reason | None:
    """Ask again, when an event's turn has come, what may have changed; a reason to cancel it.

    What can't be found out (not connected yet, an outage of Discord) is no reason.
    """
    if (missing := _missing_setting(event.guild_id, settings)) is not None:
        return missing
    if not bot.is_ready():
        return None
    guild = bot.get_guild(event.guild_id) if event.guild_id is not None else None
    if event.guild_id is not None and guild is None:
        return Reason.GUILD_LEFT
    if guild is not None and guild.unavailable:
        return None
    if await bot.cog_disabled_in_guild(cog, guild):
        return Reason.COG_DISABLED
    member = guild.get_member(event.author_id) if guild is not None else None
    if not await bot.allowed_by_whitelist_blacklist(member, who_id=event.author_id, guild=guild):
        return Reason.INELIGIBLE
    if guild is None:
        return None
    return await _unwelcome_there(event, guild, member, bot, settings)


async def _unwelcome_there(
    event: Event, guild: discord.Guild, member: discord.Member | None, bot: Red, settings: Settings
) -> Reason | None:
    """Ask again about an event's place in a guild."""
    try:
        place = await find_place(bot, event, event.channel_id)
    except (discord.DiscordException, aiohttp.ClientError, OSError):
        return None
    if place is None:
        return Reason.NO_ACCESS
    if not _can_send(place, guild):
        return Reason.CANNOT_SEND
    return await _kept_out(guild, member or discord.Object(event.author_id), place, bot, settings)


def _missing_setting(guild_id: int | None, settings: Settings) -> Reason | None:
    if guild_id is None and not settings.world.enable_dm_responses:
        return Reason.DM_DISABLED
    if settings.world.letta_base_url is None:
        return Reason.NOT_CONFIGURED
    if settings.agent_for(guild_id) is None:
        return Reason.NOT_ENABLED if guild_id is not None else Reason.DM_NO_AGENT
    return None


async def _unwelcome(message: discord.Message, bot: Red, cog: commands.Cog) -> Reason | None:
    guild = message.guild
    if await bot.cog_disabled_in_guild(cog, guild):
        return Reason.COG_DISABLED
    can_send = guild is None or _can_send(message.channel, guild)
    try:
        eligible = await bot.message_eligible_as_command(message)
    except discord.ClientException:  # a thread whose parent channel the bot can't see
        eligible = can_send = False
    if eligible and can_send:
        return None
    # Red counts a place where it can't write as ineligible.
    return Reason.INELIGIBLE if can_send else Reason.CANNOT_SEND


async def _kept_out(
    guild: discord.Guild,
    author: discord.abc.Snowflake,
    channel: discord.abc.Snowflake,
    bot: Red,
    settings: Settings,
) -> Reason | None:
    """Ask the guild's own lists; who is above them is only looked at where there are any."""
    mine = settings.guild(guild.id)
    if not access.has_lists(mine):
        return None
    member = author if isinstance(author, discord.Member) else None
    owner = author.id in (bot.owner_ids or ())
    manages = member is not None and (
        member.guild_permissions.manage_guild or await bot.is_admin(member)
    )
    asker = access.Asker(
        author.id,
        None if member is None else [role.id for role in member.roles],
        above_people=owner or author.id == guild.owner_id,
        above_places=owner or manages,
    )
    return access.refusal(mine, asker, access.places_of(channel))


def _can_send(channel: discord.abc.MessageableChannel, guild: discord.Guild) -> bool:
    """Tell whether the bot may write in a guild's channel, by Discord's rules."""
    if isinstance(channel, discord.PartialMessageable | discord.DMChannel | discord.GroupChannel):
        return False
    try:
        may = channel.permissions_for(guild.me)
    except discord.ClientException:
        return False
    if not may.view_channel:
        return False
    if isinstance(channel, discord.Thread):
        # A message wakes an archived thread; a lock binds all but those who manage threads.
        return may.send_messages_in_threads and (not channel.locked or may.manage_threads)
    if isinstance(channel, discord.VoiceChannel | discord.StageChannel) and not may.connect:
        return False
    return may.send_messages


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
    except (discord.DiscordException, aiohttp.ClientError, OSError):
        return None
    return "reply" if replied.author.id == bot_id else None
