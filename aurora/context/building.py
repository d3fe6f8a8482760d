"""Turn a Discord message into an EventContext; no live Discord object leaves this module."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import TypedDict

import discord

from ..guard.roles import all_see
from ..markdown import by_code, mentioned_outside_code
from ..model import (
    EventContext,
    Kind,
    Mentions,
    Named,
    Person,
    Place,
    Quote,
)
from ..prompts.fence import clean
from .attachments import files_of
from .chain import walk
from .describe import describe_extras

MESSAGE_CHARS = 4000
"""Most characters kept of the message itself; the longest that Discord takes, from Nitro users."""
CHAIN_MESSAGE_CHARS = 1000
"""Most characters kept of a message in the reply chain."""
CHAIN_CHARS = 6000
"""Most characters of text and descriptions kept of the whole reply chain; the nearest win."""

CHANNELS_NAMED = 20
"""Most channels that a message mentions of which the names are told; of the others the ids are."""

Viewer = discord.Member | discord.User | discord.Role
"""Who learns of what is quoted; everybody in a server if it is none of its members."""

_PRIVATE = (discord.DMChannel, discord.GroupChannel, discord.PartialMessageable)
_MENTION = re.compile(r"<(@!?|@&|#)(\d{15,20})>")


class MessageMetadata(TypedDict):
    """Who wrote a message, and where."""

    author: Person
    place: Place


async def build_event_context(
    message: discord.Message, kind: Kind, *, me: discord.abc.User, depth: int
) -> EventContext:
    """Gather all that the agent is told about a message: plain JSON-able data of bounded size.

    `me` is the bot; `depth` is the most messages of the reply chain, 1 to 10. Raises nothing for
    what Discord refuses: the chain then ends with a reason.
    """
    chain, end = await extract_reply_chain(message, depth)
    own = message.guild.me if message.guild is not None else me
    context = EventContext(
        kind=kind,
        message=quote(message, limit=MESSAGE_CHARS),
        place=extract_message_metadata(message)["place"],
        mentions=_mentions(message, me.id),
        chain=chain,
        bot=_named(me.id, own.display_name),
    )
    if end is not None:
        context["chain_end"] = end
    return context


def build_asked_context(
    kind: Kind,
    author: discord.User | discord.Member,
    channel: discord.abc.MessageableChannel,
    text: str,
    *,
    at: float,
    me: discord.abc.User,
) -> EventContext:
    """Gather what the agent is told about what came by no message; what build_event_context does.

    `text` is what somebody has typed or chosen, `at` when, in seconds since the epoch.
    """
    guild = channel.guild if not isinstance(channel, _PRIVATE) else None
    readable = clean(text)
    said = Quote(
        id="",
        author=_person(author),
        content=readable[:MESSAGE_CHARS],
        at=at,
        extras=[],
        cut=max(len(readable) - MESSAGE_CHARS, 0),
    )
    own = guild.me if guild is not None else me
    return EventContext(
        kind=kind,
        message=said,
        place=_place(channel, guild),
        mentions=Mentions(users=[], roles=[], channels=[]),
        chain=[],
        bot=_named(me.id, own.display_name),
    )


async def build_answer_context(
    question: discord.Message, choice: str, *, at: float, me: discord.abc.User, depth: int
) -> EventContext:
    """Gather what the agent is told of an answer that was chosen by a button, at a time.

    `question` is what the agent asked, as a message of the person's who answers: by what they may
    read its reply chain is followed.
    """
    author, place = question.author, question.channel
    context = build_asked_context("press", author, place, choice, at=at, me=me)
    chain, end = await extract_reply_chain(question, depth - 1)
    asked = quote(question, limit=CHAIN_MESSAGE_CHARS)
    asked["author"] = _person(question.guild.me if question.guild is not None else me)
    context["chain"] = [*chain, asked]
    if end is not None:
        context["chain_end"] = end
    return context


def extract_message_metadata(message: discord.Message) -> MessageMetadata:
    """Tell who wrote a message, and in which channel and guild."""
    place = _place(message.channel, message.guild)
    return MessageMetadata(author=_person(message.author), place=place)


async def extract_reply_chain(
    message: discord.Message, depth: int
) -> tuple[list[Quote], str | None]:
    """Follow a message's replies back, at most `depth` messages; oldest first.

    Returns the chain and why it ends early: "deleted", "forbidden", "elsewhere", "unavailable",
    "cycle" or "depth"; None if it is complete.
    """
    found, end = await walk(message, depth)
    quotes = [quote(one, limit=CHAIN_MESSAGE_CHARS, viewer=message.author) for one in found]
    left = CHAIN_CHARS
    for one in quotes:
        left -= _trim(one, left)
    return quotes[::-1], end


def quote(
    message: discord.Message,
    *,
    limit: int,
    viewer: Viewer | None = None,
) -> Quote:
    """Put a message into plain data, with at most `limit` characters of its text.

    Mentions are made readable. `viewer` is who will learn of it: channels that the viewer (left
    out: the author), or somebody in the place, can't see keep their names to themselves.
    """
    text = "" if message.is_system() else _readable(message, viewer or message.author)
    quoted = Quote(
        id=str(message.id),
        author=_person(message.author),
        content=text[:limit],
        at=message.created_at.timestamp(),
        extras=describe_extras(message),
        cut=max(len(text) - limit, 0),
    )
    if files := files_of(message):
        quoted["files"] = files
    return quoted


def _trim(one: Quote, limit: int) -> int:
    """Cut a quote to `limit` characters, say what went, and return what it takes."""
    kept = one["content"][:limit]
    one["cut"] += len(one["content"]) - len(kept)
    one["content"] = kept
    used, extras = len(kept), one["extras"]
    for index, extra in enumerate(extras):
        if used + len(extra) > limit:
            one["extras"] = [*extras[:index], f"and {len(extras) - index} more not shown"]
            break
        used += len(extra)
    return used


def _named(identity: int, name: str) -> Named:
    return Named(id=str(identity), name=clean(name))


def _person(user: discord.abc.User) -> Person:
    return Person(
        id=str(user.id),
        username=clean(user.name),
        display_name=clean(user.display_name),
        global_name=clean(user.global_name) if user.global_name is not None else None,
        bot=user.bot,
    )


def _place(channel: discord.abc.MessageableChannel, guild: discord.Guild | None) -> Place:
    thread = channel if isinstance(channel, discord.Thread) else None
    # A channel that discord.py does not know has neither name nor, sometimes, type.
    name = "direct message" if guild is None else getattr(channel, "name", "unknown")
    return Place(
        channel_id=str(channel.id),
        channel_name=clean(name),
        type=channel.type.name if channel.type is not None else "unknown",
        guild_id=str(guild.id) if guild is not None else None,
        guild_name=clean(guild.name) if guild is not None else None,
        parent_id=str(thread.parent_id) if thread is not None else None,
        parent_name=clean(thread.parent.name) if thread is not None and thread.parent else None,
    )


def _readable(message: discord.Message, viewer: Viewer) -> str:
    """Set the name before every mention: `@Ann <@1>`; the token is what addresses Ann."""

    # A message may hold the same mention two hundred times.
    @functools.cache
    def name(sigil: str, identity: int) -> str | None:
        match sigil:
            case "#":
                return _channel_name(message, identity, viewer)
            case "@&":
                return _role_name(message, identity)
            case _:
                return _user_name(message, identity)

    def named(found: re.Match[str]) -> str:
        known = name(found[1], int(found[2]))
        return f"{found[1][0]}{known} {found[0]}" if known else found[0]

    pieces = by_code(message.content)
    return clean(
        "".join(piece if is_code else _MENTION.sub(named, piece) for piece, is_code in pieces)
    )


def _user_name(message: discord.Message, user_id: int) -> str | None:
    user = discord.utils.get(message.mentions, id=user_id)
    if user is None and message.guild is not None:
        user = message.guild.get_member(user_id)
    return user.display_name if user is not None else None


def _role_name(message: discord.Message, role_id: int) -> str | None:
    role = message.guild.get_role(role_id) if message.guild is not None else None
    return role.name if role is not None else None


def _channel_name(message: discord.Message, channel_id: int, viewer: Viewer) -> str | None:
    guild = message.guild
    channel = guild.get_channel_or_thread(channel_id) if guild is not None else None
    if guild is None or channel is None:
        return None
    # Each takes a moment, and a message can name ninety.
    if channel_id not in _unique(message.raw_channel_mentions)[:CHANNELS_NAMED]:
        return None
    who = viewer if isinstance(viewer, discord.Member) else guild.default_role
    try:
        permissions = channel.permissions_for(who)
    except discord.ClientException:  # a thread whose parent the bot can't see
        return None
    hidden = isinstance(channel, discord.Thread) and channel.is_private()
    if hidden and channel_id != message.channel.id and not permissions.manage_threads:
        return None
    if not permissions.view_channel or not all_see(message.channel, channel):
        return None
    return channel.name


def _mentions(message: discord.Message, bot_id: int) -> Mentions:
    written = set(message.raw_mentions)
    # Who stands in code alone is not meant, whatever `message.mentions` says.
    in_code = written - mentioned_outside_code(message.content)
    users = _unique([user.id for user in message.mentions] + message.raw_mentions)
    roles = _unique([role.id for role in message.role_mentions] + message.raw_role_mentions)
    own = message.guild.self_role if message.guild is not None else None
    return Mentions(
        users=[
            _named(one, _user_name(message, one) or "unknown user")
            for one in users
            if one != bot_id and one not in in_code
        ],
        roles=[
            _named(one, _role_name(message, one) or "unknown role")
            for one in roles
            if own is None or one != own.id
        ],
        channels=[
            _named(one, _channel_name(message, one, message.author) or "unknown channel")
            for one in _unique(message.raw_channel_mentions)
        ],
    )


def _unique(ids: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(ids))
