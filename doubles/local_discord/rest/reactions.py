"""Routes about reactions."""

from __future__ import annotations

from .. import permissions, reacting
from ..emojis import reaction_key
from ..errors import ApiError, Payload
from ..message import Message
from .routing import Request, Routes

routes = Routes()

_BASE = "/channels/{channel_id}/messages/{message_id}/reactions"


def _find(request: Request) -> Message:
    channel = request.text_channel()
    if not request.world.may(request.bot, channel, permissions.READ_MESSAGE_HISTORY):
        raise ApiError(50013)
    return request.message(channel)


def _key(request: Request) -> str:
    return reaction_key(request.names["emoji"], list(request.world.guilds.values()))


def _check_alive(message: Message) -> None:
    if message.channel.thread is not None and message.channel.thread.archived:
        raise ApiError(50083)


@routes.add("PUT", _BASE + "/{emoji}/@me")
async def add_reaction(request: Request) -> None:
    """Let the bot react."""
    message = _find(request)
    _check_alive(message)
    reacting.add(request.world, request.bot, message, _key(request))


@routes.add("DELETE", _BASE + "/{emoji}/@me")
async def remove_own(request: Request) -> None:
    """Take the bot's own reaction back."""
    reacting.remove(request.world, request.bot, _find(request), _key(request))


@routes.add("DELETE", _BASE + "/{emoji}/{user_id}")
async def remove_other(request: Request) -> None:
    """Take somebody's reaction away."""
    message = _find(request)
    request.need(message.channel, permissions.MANAGE_MESSAGES)
    user = request.world.users.get(request.snowflake("user_id"))
    if user is None:
        raise ApiError(10013)
    reacting.remove(request.world, user, message, _key(request))


@routes.add("GET", _BASE + "/{emoji}")
async def list_users(request: Request) -> list[Payload]:
    """List who reacted with an emoji."""
    users = request.world.users
    message, key = _find(request), _key(request)
    after, limit = request.cursor("after") or 0, request.whole("limit", 25, 1, 100)
    ids = sorted(item for item in message.reactions.get(key, ()) if item > after)
    return [users[item].payload() for item in ids[:limit]]


@routes.add("DELETE", _BASE + "/{emoji}")
async def clear_emoji(request: Request) -> None:
    """Take all reactions with one emoji away."""
    message = _find(request)
    request.need(message.channel, permissions.MANAGE_MESSAGES)
    reacting.clear(request.world, message, _key(request))


@routes.add("DELETE", _BASE)
async def clear_all(request: Request) -> None:
    """Take all reactions away."""
    message = _find(request)
    request.need(message.channel, permissions.MANAGE_MESSAGES)
    reacting.clear(request.world, message)
