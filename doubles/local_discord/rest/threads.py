"""Routes about threads and forum posts."""

from __future__ import annotations

from .. import permissions, threads
from ..errors import (
    ApiError,
    Payload,
    bad_length,
    required,
)
from ..model import (
    FORUM,
    NEWS,
    NEWS_THREAD,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    TEXT,
    Channel,
    Thread,
)
from .bodies import check_rights, draft_from, is_empty
from .messages import NOT_TO_TOUCH, shown
from .routing import Request, Routes

routes = Routes()

_MOST_ACTIVE = 1000


def _name(fields: Payload) -> str:
    name = fields.get("name")
    if name is None:
        raise required("name")
    name = str(name).strip()
    if not 1 <= len(name) <= 100:
        raise bad_length("name", 1, 100)
    return name


def _check_room(parent: Channel) -> None:
    """Refuse a thread more than a guild may have active at a time."""
    if parent.guild is not None and len(list(parent.guild.active_threads())) >= _MOST_ACTIVE:
        raise ApiError(160006)


def _thread(request: Request) -> tuple[Channel, Thread]:
    channel = request.channel()
    if channel.thread is None:
        raise ApiError(50024)
    return channel, channel.thread


@routes.add("POST", "/channels/{channel_id}/messages/{message_id}/threads")
async def start_from_message(request: Request) -> Payload:
    """Start a thread from a message."""
    parent = request.channel()
    message = request.message(parent)
    if parent.type not in (TEXT, NEWS):
        raise ApiError(50024)
    request.need(parent, permissions.CREATE_PUBLIC_THREADS)
    if message.type in NOT_TO_TOUCH:
        raise ApiError(50021)
    if message.thread is not None and not message.thread.deleted:
        raise ApiError(160004)
    name = _name(request.fields)
    _check_room(parent)
    channel = threads.start(request.world, parent, name, owner=request.bot, message=message)
    return channel.payload(request.bot.id)


@routes.add("POST", "/channels/{channel_id}/threads")
async def start(request: Request) -> Payload:
    """Start a thread, or in a forum a post."""
    parent, fields = request.channel(), request.fields
    name = _name(fields)
    _check_room(parent)
    if parent.type == FORUM:
        return _start_post(request, parent, name, fields)
    if parent.type not in (TEXT, NEWS):
        raise ApiError(50024)
    private = fields.get("type", PRIVATE_THREAD) == PRIVATE_THREAD
    needed = permissions.CREATE_PRIVATE_THREADS if private else permissions.CREATE_PUBLIC_THREADS
    request.need(parent, needed)
    channel = threads.start(request.world, parent, name, owner=request.bot, private=private)
    return channel.payload(request.bot.id)


def _start_post(request: Request, forum: Channel, name: str, fields: Payload) -> Payload:
    body = fields.get("message")
    if body is None:
        raise required("message")
    draft = draft_from(request, body)
    check_rights(request, forum, draft)
    if is_empty(draft):
        raise ApiError(50006)
    channel, message = threads.start_post(request.world, forum, name, draft, author=request.bot)
    return channel.payload(request.bot.id) | {"message": shown(request, message)}


@routes.add("GET", "/guilds/{guild_id}/threads/active")
async def list_active(request: Request) -> Payload:
    """List a guild's active threads that the bot can see."""
    guild, world = request.guild(), request.world
    visible = [
        item
        for item in guild.active_threads()
        if world.may(request.bot, item, permissions.VIEW_CHANNEL)
    ]
    return _listing(request, visible)


@routes.add("GET", "/channels/{channel_id}/threads/archived/public")
async def list_archived_public(request: Request) -> Payload:
    """List a channel's archived public threads, the latest first."""
    parent = request.channel()
    request.need(parent, permissions.READ_MESSAGE_HISTORY)
    return _archived(request, parent, (PUBLIC_THREAD, NEWS_THREAD))


@routes.add("GET", "/channels/{channel_id}/threads/archived/private")
async def list_archived_private(request: Request) -> Payload:
    """List a channel's archived private threads."""
    parent = request.channel()
    request.need(parent, permissions.READ_MESSAGE_HISTORY | permissions.MANAGE_THREADS)
    return _archived(request, parent, (PRIVATE_THREAD,))


@routes.add("GET", "/channels/{channel_id}/users/@me/threads/archived/private")
async def list_archived_joined(request: Request) -> Payload:
    """List the archived private threads that the bot is in."""
    parent = request.channel()
    request.need(parent, permissions.READ_MESSAGE_HISTORY)
    return _archived(request, parent, (PRIVATE_THREAD,), joined=True)


def _archived(
    request: Request, parent: Channel, types: tuple[int, ...], *, joined: bool = False
) -> Payload:
    guild = parent.guild
    limit, before = request.whole("limit", 50, 1, 100), request.query.get("before")
    found = [
        item
        for item in (guild.threads.values() if guild else ())
        if item.parent is parent
        and item.thread
        and item.thread.archived
        and item.type in types
        and (not joined or request.bot.id in item.thread.members)
        and (before is None or item.thread.archive_timestamp < before)
    ]
    found.sort(key=lambda item: item.thread.archive_timestamp if item.thread else "", reverse=True)
    return _listing(request, found[:limit]) | {"has_more": len(found) > limit}


def _listing(request: Request, found: list[Channel]) -> Payload:
    payloads = [item.payload(request.bot.id) for item in found]
    return {
        "threads": payloads,
        "members": [item["member"] for item in payloads if "member" in item],
        "has_more": False,
    }


@routes.add("GET", "/channels/{channel_id}/thread-members")
async def list_members(request: Request) -> list[Payload]:
    """List who is in a thread."""
    channel, thread = _thread(request)
    return [thread.member_payload(channel.id, user_id) for user_id in thread.members]


@routes.add("PUT", "/channels/{channel_id}/thread-members/@me")
async def join(request: Request) -> None:
    """Let the bot join a thread."""
    channel, thread = _thread(request)
    if thread.archived:
        raise ApiError(50083)
    request.world.join_thread(channel, request.bot)


@routes.add("DELETE", "/channels/{channel_id}/thread-members/@me")
async def leave(request: Request) -> None:
    """Let the bot leave a thread."""
    channel, _ = _thread(request)
    request.world.leave_thread(channel, request.bot)


@routes.add("GET", "/channels/{channel_id}/thread-members/{user_id}")
async def get_member(request: Request) -> Payload:
    """Return somebody's membership in a thread."""
    channel, thread = _thread(request)
    user_id = request.snowflake("user_id")
    if user_id not in thread.members:
        raise ApiError(10007)
    return thread.member_payload(channel.id, user_id)


@routes.add("PUT", "/channels/{channel_id}/thread-members/{user_id}")
async def add_member(request: Request) -> None:
    """Add somebody to a thread."""
    channel, thread = _thread(request)
    if thread.archived:
        raise ApiError(50083)
    request.need(channel, permissions.SEND_MESSAGES)
    guild, user_id = channel.guild, request.snowflake("user_id")
    if guild is None or user_id not in guild.members:
        raise ApiError(10007)
    request.world.join_thread(channel, guild.members[user_id].user)


@routes.add("DELETE", "/channels/{channel_id}/thread-members/{user_id}")
async def remove_member(request: Request) -> None:
    """Remove somebody from a thread."""
    channel, thread = _thread(request)
    if thread.owner_id != request.bot.id:
        request.need(channel, permissions.MANAGE_THREADS)
    user = request.world.users.get(request.snowflake("user_id"))
    if user is None:
        raise ApiError(10013)
    request.world.leave_thread(channel, user)
