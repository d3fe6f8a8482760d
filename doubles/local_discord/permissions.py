"""Who may do what where: Discord's own computation of permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import Channel, Guild

CREATE_INSTANT_INVITE = 1 << 0
KICK_MEMBERS = 1 << 1
ADMINISTRATOR = 1 << 3
MANAGE_CHANNELS = 1 << 4
MANAGE_GUILD = 1 << 5
ADD_REACTIONS = 1 << 6
STREAM = 1 << 9
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
SEND_TTS_MESSAGES = 1 << 12
MANAGE_MESSAGES = 1 << 13
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
MENTION_EVERYONE = 1 << 17
USE_EXTERNAL_EMOJIS = 1 << 18
CONNECT = 1 << 20
SPEAK = 1 << 21
USE_VAD = 1 << 25
CHANGE_NICKNAME = 1 << 26
MANAGE_NICKNAMES = 1 << 27
MANAGE_ROLES = 1 << 28
USE_APPLICATION_COMMANDS = 1 << 31
REQUEST_TO_SPEAK = 1 << 32
MANAGE_THREADS = 1 << 34
CREATE_PUBLIC_THREADS = 1 << 35
CREATE_PRIVATE_THREADS = 1 << 36
USE_EXTERNAL_STICKERS = 1 << 37
SEND_MESSAGES_IN_THREADS = 1 << 38
USE_EMBEDDED_ACTIVITIES = 1 << 39
USE_SOUNDBOARD = 1 << 42
USE_EXTERNAL_SOUNDS = 1 << 45
SEND_VOICE_MESSAGES = 1 << 46
SEND_POLLS = 1 << 49
USE_EXTERNAL_APPS = 1 << 50
PIN_MESSAGES = 1 << 51

ALL = (1 << 53) - 1

# What @everyone may do in a new guild.
DEFAULT = (
    CREATE_INSTANT_INVITE
    | ADD_REACTIONS
    | STREAM
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | SEND_TTS_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | MENTION_EVERYONE
    | USE_EXTERNAL_EMOJIS
    | CONNECT
    | SPEAK
    | USE_VAD
    | CHANGE_NICKNAME
    | USE_APPLICATION_COMMANDS
    | REQUEST_TO_SPEAK
    | CREATE_PUBLIC_THREADS
    | CREATE_PRIVATE_THREADS
    | USE_EXTERNAL_STICKERS
    | SEND_MESSAGES_IN_THREADS
    | USE_EMBEDDED_ACTIVITIES
    | USE_SOUNDBOARD
    | USE_EXTERNAL_SOUNDS
    | SEND_VOICE_MESSAGES
    | SEND_POLLS
    | USE_EXTERNAL_APPS
)

# What both sides may do in a DM.
IN_DM = (
    ADD_REACTIONS
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | USE_EXTERNAL_EMOJIS
    | USE_APPLICATION_COMMANDS
    | SEND_POLLS
    | PIN_MESSAGES
)

_NEED_SENDING = MENTION_EVERYONE | SEND_TTS_MESSAGES | ATTACH_FILES | EMBED_LINKS | SEND_POLLS


def in_guild(guild: Guild, user_id: int) -> int:
    """Return what a user may do in a guild as a whole; nothing for a stranger."""
    member = guild.members.get(user_id)
    if member is None:
        return 0
    if guild.owner.id == user_id:
        return ALL
    granted = guild.everyone.permissions
    for role_id in member.roles:
        granted |= guild.roles[role_id].permissions
    return ALL if granted & ADMINISTRATOR else granted


def in_channel(channel: Channel, user_id: int) -> int:
    """Return what a user may do in a channel, thread or DM.

    In a thread SEND_MESSAGES is what SEND_MESSAGES_IN_THREADS of its parent says, so that
    callers need not tell threads from channels.
    """
    if channel.guild is None:
        return IN_DM if any(user.id == user_id for user in channel.recipients) else 0
    if channel.thread is not None:
        return _in_thread(channel, user_id)
    granted = in_guild(channel.guild, user_id)
    if granted & ADMINISTRATOR:
        return granted
    return _implied(_overwritten(channel, user_id, granted), channel)


def _overwritten(channel: Channel, user_id: int, granted: int) -> int:
    guild = channel.guild
    if guild is None or user_id not in guild.members:
        return 0
    overwrites = channel.overwrites
    if not overwrites:
        return granted
    everyone = overwrites.get(guild.id)
    if everyone is not None:
        granted = granted & ~everyone.deny | everyone.allow
    allow = deny = 0
    for role_id in guild.members[user_id].roles:
        overwrite = overwrites.get(role_id)
        if overwrite is not None:
            allow |= overwrite.allow
            deny |= overwrite.deny
    granted = granted & ~deny | allow
    own = overwrites.get(user_id)
    return granted if own is None else granted & ~own.deny | own.allow


def _implied(granted: int, channel: Channel) -> int:
    if not granted & VIEW_CHANNEL:
        return 0
    if not granted & SEND_MESSAGES:
        granted &= ~_NEED_SENDING
    # The text chat of a voice channel belongs to those who may join it.
    if channel.is_voice and not granted & CONNECT:
        granted &= VIEW_CHANNEL
    return granted


def _in_thread(channel: Channel, user_id: int) -> int:
    thread, parent = channel.thread, channel.parent
    if thread is None or parent is None or channel.guild is None:
        return 0
    granted = in_guild(channel.guild, user_id)
    if not granted & ADMINISTRATOR:
        granted = _overwritten(parent, user_id, granted)
    if not granted & VIEW_CHANNEL:
        return 0
    if (
        channel.is_private_thread
        and user_id not in thread.members
        and not granted & MANAGE_THREADS
    ):
        return 0
    if granted & SEND_MESSAGES_IN_THREADS:
        return granted | SEND_MESSAGES
    return granted & ~(SEND_MESSAGES | _NEED_SENDING)
