"""How reactions come and go, whoever reacts."""

from __future__ import annotations

from . import permissions
from .errors import ApiError
from .message import Message, emoji_payload
from .model import Payload, User
from .world import World

_MOST = 20


def add(world: World, user: User, message: Message, key: str) -> None:
    """Let a user react; reacting twice changes nothing.

    Raises:
        ApiError: They may not add a new emoji here, or there are too many.

    """
    reactions = message.reactions
    if user.id in reactions.get(key, ()):
        return
    if key not in reactions:
        # Whoever may see a reaction may join it; starting one takes a permission.
        if not world.may(user, message.channel, permissions.ADD_REACTIONS):
            raise ApiError(50013)
        if len(reactions) >= _MOST:
            raise ApiError(30010)
    reactions.setdefault(key, set()).add(user.id)
    data = _payload(message, key) | {
        "user_id": str(user.id),
        "message_author_id": str(message.author.id),
        "burst": False,
        "type": 0,
    }
    guild = message.channel.guild
    if guild is not None and user.id in guild.members:
        data["member"] = guild.members[user.id].payload()
    world.emit("MESSAGE_REACTION_ADD", data, guild=guild, channel=message.channel)


def remove(world: World, user: User, message: Message, key: str) -> None:
    """Take a user's reaction back.

    Raises:
        ApiError: There is no such reaction.

    """
    users = message.reactions.get(key, set())
    if user.id not in users:
        raise ApiError(10014)
    users.discard(user.id)
    if not users:
        del message.reactions[key]
    data = _payload(message, key) | {"user_id": str(user.id), "burst": False, "type": 0}
    channel = message.channel
    world.emit("MESSAGE_REACTION_REMOVE", data, guild=channel.guild, channel=channel)


def clear(world: World, message: Message, key: str | None = None) -> None:
    """Take away all reactions of a message, or all with one emoji."""
    channel = message.channel
    if key is None:
        name, data = "MESSAGE_REACTION_REMOVE_ALL", _payload(message, None)
        message.reactions.clear()
    else:
        name, data = "MESSAGE_REACTION_REMOVE_EMOJI", _payload(message, key)
        message.reactions.pop(key, None)
    world.emit(name, data, guild=channel.guild, channel=channel)


def _payload(message: Message, key: str | None) -> Payload:
    channel = message.channel
    body: Payload = {"message_id": str(message.id), "channel_id": str(channel.id)}
    if channel.guild is not None:
        body["guild_id"] = str(channel.guild.id)
    if key is not None:
        body["emoji"] = emoji_payload(key)
    return body
