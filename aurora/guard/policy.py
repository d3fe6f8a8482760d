"""The one authorisation function: what an agent may do on behalf of the person who asked.

The agent can't do in Discord what that person may not do (promise 11).
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import discord

from ..chat.places import Channel, Place, find_channel, find_guild
from ..model import Event, Turn
from ..reasons import Reason
from .audience import Audiences


class Act(StrEnum):
    """What somebody wants to do."""

    READ = "read"
    SEND = "send"
    REACT = "react"
    LOOK = "look"  # at a server's channels and roles
    MEMORY_LIST = "memory_list"
    MEMORY_READ = "memory_read"
    MEMORY_WRITE = "memory_write"
    MEMORY_DELETE = "memory_delete"


class Target(NamedTuple):
    """What an act is about: a channel, a message in it, a server, or a file of the memory."""

    channel_id: int | None = None
    message_id: int | None = None
    guild_id: int | None = None
    path: str | None = None


class Denied(NamedTuple):
    """A refusal: `code` names it for the ledger, `text` explains it to the agent."""

    code: Reason
    text: str


# Hidden and missing must look alike, or ids could be tried out.
UNKNOWN_CHANNEL = Denied(
    Reason.UNKNOWN_CHANNEL,
    "There is no such channel here, or the person who asked cannot see it. "
    "Use the channel id from the message you are answering.",
)
OUTSIDE_DM = Denied(
    Reason.UNKNOWN_CHANNEL,
    "This is a direct message: only its own channel can be used, none of any server.",
)
GUILD_GONE = Denied(Reason.GUILD_GONE, "The bot is no longer in that server.")
AUTHOR_GONE = Denied(Reason.AUTHOR_GONE, "The person who asked is no longer in this server.")
NO_MESSAGES = Denied(
    Reason.NO_MESSAGES,
    "That channel holds no messages itself; use one of its threads or channels.",
)
TIMED_OUT = Denied(Reason.AUTHOR_TIMED_OUT, "The person who asked is timed out and may only read.")
LOCKED = Denied(Reason.THREAD_LOCKED, "That thread is locked for the person who asked.")
ELSEWHERE = Denied(
    Reason.UNKNOWN_CHANNEL, "You can only ask for the server that the message came from."
)
WIDER = Denied(
    Reason.WIDER_AUDIENCE,
    "Not everybody there may read what this conversation is from, so nothing may be carried "
    "there. Answer where you were asked.",
)
NARROWER = Denied(
    Reason.NARROWER_AUDIENCE,
    "Not everybody who reads your answer here may read that channel, so it can't be read from "
    "here. The person can ask you there.",
)
MISSING = {
    Act.READ: Denied(Reason.MAY_NOT_READ, "The person who asked may not read the history there."),
    Act.SEND: Denied(Reason.MAY_NOT_SEND, "The person who asked may not write there."),
    Act.REACT: Denied(Reason.MAY_NOT_REACT, "The person who asked may not add reactions there."),
}


async def beyond(
    audiences: Audiences, bot: discord.Client, turn: Turn, act: Act, there: Channel
) -> Denied | None:
    """Tell why an act would carry words to people who may not read where they are from.

    Asked last, of what else is allowed: from the event's own place, and into it, all is.
    """
    event = turn.speaker
    if there.id == event.channel_id or act not in (Act.READ, Act.SEND, Act.REACT):
        return None
    if turn.consented:
        return None
    here = await find_channel(bot, event, event.channel_id)
    if here is None:
        return UNKNOWN_CHANNEL
    if act is Act.READ:
        return None if await audiences.flows(there, here) else NARROWER
    return None if await audiences.flows(here, there) else WIDER


async def authorise(
    bot: discord.Client, event: Event, act: Act, channel_id: int
) -> Place | discord.DMChannel | Denied:
    """Return the channel if the event's author may do this there, or else why not.

    A guild that a new session does not know yet is waited for. Raise discord.DiscordException if
    it does not come, or if Discord did not say who may do what.
    """
    if event.guild_id is None:
        channel = await find_channel(bot, event, channel_id)
        return channel if isinstance(channel, discord.DMChannel) else OUTSIDE_DM
    author = await find_author(bot, event)
    if isinstance(author, Denied):
        return author
    channel = await find_channel(bot, event, channel_id)
    if channel is None or not await can_view(author, channel):
        return UNKNOWN_CHANNEL
    if not isinstance(channel, Place):
        return NO_MESSAGES
    return _missing(author, channel, act) or channel


async def find_author(bot: discord.Client, event: Event) -> discord.Member | Denied:
    """Return who wrote in a guild, from the cache if possible, or why nobody can be asked for.

    Raise discord.DiscordException if Discord did not say.
    """
    guild = await find_guild(bot, event.guild_id or 0)
    if guild is None:
        return GUILD_GONE
    try:
        return guild.get_member(event.author_id) or await guild.fetch_member(event.author_id)
    except discord.NotFound:
        return AUTHOR_GONE


def is_away(bot: discord.Client, guild_id: int) -> bool:
    """Tell whether a guild is not known yet, or has an outage: there is nothing to begin there."""
    guild = bot.get_guild(guild_id)
    return guild.unavailable if guild is not None else not bot.is_ready()


async def can_view(
    member: discord.Member, channel: Channel | discord.GroupChannel | discord.PartialMessageable
) -> bool:
    """Tell whether a member sees a channel or thread.

    Raise discord.DiscordException if Discord did not say who is in a private thread.
    """
    if isinstance(channel, discord.DMChannel):
        return channel.recipient == member
    if isinstance(channel, discord.GroupChannel | discord.PartialMessageable):
        return False
    if isinstance(channel, discord.Thread) and channel.parent is None:
        return False
    allowed = channel.permissions_for(member)
    if not allowed.view_channel:
        return False
    if isinstance(channel, discord.VoiceChannel | discord.StageChannel):
        # The text of a voice channel belongs to those who may join it.
        return allowed.connect
    # discord.py goes by the parent's permissions alone, but these threads have a guest list.
    if isinstance(channel, discord.Thread) and channel.is_private():
        return allowed.manage_threads or await _has_joined(channel, member)
    return True


async def _has_joined(thread: discord.Thread, member: discord.Member) -> bool:
    # The cache knows only who joined or left since the bot started.
    try:
        await thread.fetch_member(member.id)
    except (discord.NotFound, discord.Forbidden):
        return False
    return True


def _missing(author: discord.Member, channel: Place, act: Act) -> Denied | None:
    allowed = channel.permissions_for(author)
    if act is not Act.READ and author.is_timed_out() and not allowed.administrator:
        return TIMED_OUT
    write = allowed.send_messages
    if isinstance(channel, discord.Thread):
        write = allowed.send_messages_in_threads
        if channel.locked and act is not Act.READ and not allowed.manage_threads:
            return LOCKED
    granted = {
        Act.READ: allowed.read_message_history,
        Act.SEND: write,
        Act.REACT: allowed.add_reactions and allowed.read_message_history,
    }
    return None if granted[act] else MISSING[act]
