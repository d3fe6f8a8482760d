"""Follow a reply back to where it began: from discord.py's cache, and only then over REST."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import aiohttp
import discord

CHAIN_SECONDS = 5.0
"""Longest time that REST calls for one chain may take; discord.py alone would retry for 25 s."""


class _Parent(NamedTuple):
    """What comes before a message. `starter`: nobody replied to it, it opened the thread."""

    channel_id: int
    message_id: int
    known: discord.Message | discord.DeletedReferencedMessage | None
    starter: bool = False


async def walk(
    message: discord.Message, depth: int, *, seconds: float = CHAIN_SECONDS
) -> tuple[list[discord.Message], str | None]:
    """Return what comes before a message, nearest first and at most `depth`, and why it ends.

    A thread goes on with the message it was started from. An author who may not read the history
    gets what Discord sent along with the message, and no more (promise 11). The reasons are
    those of `context.extract_reply_chain`; "unavailable" also if it takes more than `seconds`.
    """
    found: list[discord.Message] = []
    try:
        async with asyncio.timeout(seconds):
            end = await _walk(message, depth, found)
    except TimeoutError:
        end = "unavailable"
    return found, end


async def _walk(message: discord.Message, depth: int, found: list[discord.Message]) -> str | None:
    home, seen, step, fresh = message.channel, {message.id}, message, True
    places = {home.id, getattr(home, "parent_id", None)}
    may_read = _may_read(message)
    while (parent := _parent(step, seen, home, fresh=fresh)) is not None:
        if parent.message_id in seen:
            return "cycle"
        if parent.channel_id not in places:
            return "elsewhere"
        if len(found) >= depth:
            return "depth" if parent.known is not None or not parent.starter else None
        if not may_read and not (step is message and _came_along(message, parent)):
            return "forbidden"
        known = parent.known or await _fetch(parent, home)
        if isinstance(known, discord.DeletedReferencedMessage):
            return "deleted"
        if isinstance(known, str):
            # Most threads begin without a message; nothing is missing then.
            return None if parent.starter and known == "deleted" else known
        seen.add(parent.message_id)
        step, fresh = known, parent.known is None
        # In a thread Discord stands in an empty message for the one that started it.
        if step.type is not discord.MessageType.thread_starter_message:
            found.append(step)
    return None


def _parent(
    step: discord.Message, seen: set[int], home: discord.abc.MessageableChannel, *, fresh: bool
) -> _Parent | None:
    reference = step.reference
    if (
        reference is not None
        and reference.message_id is not None
        and reference.type is not discord.MessageReferenceType.forward
    ):
        # The cached message knows of later edits, and of its own parent. What came with an older
        # message may have been deleted since, and must not be shown then.
        known = reference.cached_message or (reference.resolved if fresh else None)
        return _Parent(reference.channel_id, reference.message_id, known)
    if (
        isinstance(home, discord.Thread)
        and home.type is not discord.ChannelType.private_thread
        and home.id not in seen
    ):
        # A forum post's first message stands in the post, any other thread's in the parent.
        in_post = isinstance(home.parent, discord.ForumChannel)
        where = home.id if in_post else home.parent_id
        return _Parent(where, home.id, home.starter_message, starter=True)
    return None


def _may_read(message: discord.Message) -> bool:
    """Tell whether the author may read what was said before; a thread goes by its parent."""
    if message.guild is None:
        return True
    author = message.author
    who = author if isinstance(author, discord.Member) else message.guild.default_role
    try:
        allowed = message.channel.permissions_for(who)
    except discord.ClientException:  # a thread whose parent the bot can't see
        return False
    return allowed.view_channel and allowed.read_message_history


def _came_along(message: discord.Message, parent: _Parent) -> bool:
    reference = message.reference
    return not parent.starter and reference is not None and reference.resolved is not None


async def _fetch(parent: _Parent, home: discord.abc.MessageableChannel) -> discord.Message | str:
    """Ask Discord for a message; a reason if it can't be had."""
    channel: object = home
    if parent.channel_id != home.id:
        channel = home.parent if isinstance(home, discord.Thread) else None
    if not isinstance(channel, discord.abc.Messageable):
        return "unavailable"
    try:
        return await channel.fetch_message(parent.message_id)
    except discord.NotFound:
        return "deleted"
    except discord.Forbidden:
        return "forbidden"
    except (discord.DiscordException, aiohttp.ClientError, OSError):
        return "unavailable"
