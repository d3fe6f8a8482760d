"""Which gateway events a session asked for, and what of a message it may read."""

from __future__ import annotations

from . import permissions
from .message import without_content
from .model import Payload
from .world import Event, World

GUILDS, GUILD_MEMBERS, GUILD_EXPRESSIONS, GUILD_PRESENCES = 1 << 0, 1 << 1, 1 << 3, 1 << 8
GUILD_MESSAGES, GUILD_REACTIONS, GUILD_TYPING = 1 << 9, 1 << 10, 1 << 11
DM_MESSAGES, DM_REACTIONS, DM_TYPING = 1 << 12, 1 << 13, 1 << 14
MESSAGE_CONTENT = 1 << 15
PRIVILEGED = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT

# event -> the intent in guilds, the intent in DMs; 0 is "never"
_MESSAGES = (GUILD_MESSAGES, DM_MESSAGES)
_REACTIONS = (GUILD_REACTIONS, DM_REACTIONS)
_NEEDED: dict[str, tuple[int, int]] = {
    "MESSAGE_CREATE": _MESSAGES,
    "MESSAGE_UPDATE": _MESSAGES,
    "MESSAGE_DELETE": _MESSAGES,
    "MESSAGE_DELETE_BULK": (GUILD_MESSAGES, 0),
    "MESSAGE_REACTION_ADD": _REACTIONS,
    "MESSAGE_REACTION_REMOVE": _REACTIONS,
    "MESSAGE_REACTION_REMOVE_ALL": _REACTIONS,
    "MESSAGE_REACTION_REMOVE_EMOJI": _REACTIONS,
    "TYPING_START": (GUILD_TYPING, DM_TYPING),
    "CHANNEL_PINS_UPDATE": (GUILDS, DM_MESSAGES),
    "GUILD_MEMBER_ADD": (GUILD_MEMBERS, 0),
    "GUILD_MEMBER_REMOVE": (GUILD_MEMBERS, 0),
    "GUILD_MEMBER_UPDATE": (GUILD_MEMBERS, 0),
    "GUILD_EMOJIS_UPDATE": (GUILD_EXPRESSIONS, 0),
    "THREAD_MEMBERS_UPDATE": (GUILDS, 0),
}


def wanted(event: Event, intents: int, bot_id: int) -> bool:
    """Say whether a session that asked for `intents` gets an event."""
    if event.name == "INTERACTION_CREATE":
        return True
    if event.name == "GUILD_MEMBER_UPDATE" and event.data["user"]["id"] == str(bot_id):
        return bool(intents & GUILDS)  # about oneself no intent is needed
    in_guild, in_dm = _NEEDED.get(event.name, (GUILDS, 0))
    return bool(intents & (in_dm if event.guild is None else in_guild))


def seen(event: Event, world: World) -> bool:
    """Say whether the bot can look where an event happened."""
    return event.channel is None or world.may(world.bot, event.channel, permissions.VIEW_CHANNEL)


def readable(data: Payload, *, content: bool, bot_id: int, in_dm: bool) -> Payload:
    """Return a message as the bot may read it.

    Without the message content intent a text is empty, except in DMs, in one's own messages
    and where one is mentioned; the same goes for the message that is replied to.
    """
    if content or in_dm:
        return data
    me = str(bot_id)
    named = any(user["id"] == me for user in data["mentions"])
    if data["author"]["id"] != me and not named:
        data = without_content(data)
    referenced = data.get("referenced_message")
    if referenced:
        inner = readable(referenced, content=False, bot_id=bot_id, in_dm=False)
        data = data | {"referenced_message": inner}
    return data
