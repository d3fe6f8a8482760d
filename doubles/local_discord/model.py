"""What a Discord is made of, and how its API words it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .snowflakes import moment

if TYPE_CHECKING:
    from .message import Message

Payload = dict[str, Any]

TEXT, DM, VOICE, CATEGORY, NEWS = 0, 1, 2, 4, 5
NEWS_THREAD, PUBLIC_THREAD, PRIVATE_THREAD, STAGE, FORUM = 10, 11, 12, 13, 15
WITHOUT_MESSAGES = frozenset({CATEGORY, FORUM})


def timestamp(seconds: float | None = None) -> str:
    """Return a moment, in seconds since 1970, as Discord writes it; left out it is now."""
    now = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return now.isoformat()


@dataclass(slots=True, eq=False)
class User:
    """An account: a person's or a bot's."""

    id: int
    name: str
    global_name: str | None = None
    bot: bool = False
    dms_open: bool = True

    @property
    def mention(self) -> str:
        """The text that mentions this user."""
        return f"<@{self.id}>"

    def payload(self) -> Payload:
        """Return the user object."""
        return {
            "id": str(self.id),
            "username": self.name,
            "discriminator": "0",
            "global_name": self.global_name,
            "avatar": None,
            "avatar_decoration_data": None,
            "bot": self.bot,
            "public_flags": 0,
        }


@dataclass(slots=True, eq=False)
class Role:
    """A role of a guild; the one whose id is the guild's is @everyone."""

    id: int
    name: str
    permissions: int = 0
    position: int = 0
    mentionable: bool = False
    managed: bool = False
    bot_id: int | None = None

    @property
    def mention(self) -> str:
        """The text that mentions this role."""
        return f"<@&{self.id}>"

    def payload(self) -> Payload:
        """Return the role object."""
        body: Payload = {
            "id": str(self.id),
            "name": self.name,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": self.position,
            "permissions": str(self.permissions),
            "managed": self.managed,
            "mentionable": self.mentionable,
            "flags": 0,
        }
        if self.bot_id is not None:
            body["tags"] = {"bot_id": str(self.bot_id)}
        return body


@dataclass(slots=True, eq=False)
class Member:
    """A user in a guild."""

    user: User
    roles: list[int] = field(default_factory=list)
    nick: str | None = None
    joined_at: str = field(default_factory=timestamp)

    def payload(self, *, with_user: bool = True) -> Payload:
        """Return the member object; inside a message the user stands beside it."""
        body: Payload = {
            "roles": [str(role_id) for role_id in self.roles],
            "nick": self.nick,
            "avatar": None,
            "joined_at": self.joined_at,
            "premium_since": None,
            "communication_disabled_until": None,
            "deaf": False,
            "mute": False,
            "pending": False,
            "flags": 0,
        }
        if with_user:
            body["user"] = self.user.payload()
        return body


@dataclass(slots=True, frozen=True)
class Overwrite:
    """What a channel allows and denies to a role or a member."""

    id: int
    type: int
    allow: int = 0
    deny: int = 0

    @classmethod
    def of(cls, target: Role | User, *, allow: int = 0, deny: int = 0) -> Overwrite:
        """Make the overwrite for a role or a user."""
        return cls(target.id, 0 if isinstance(target, Role) else 1, allow, deny)

    def payload(self) -> Payload:
        """Return the overwrite object."""
        return {
            "id": str(self.id),
            "type": self.type,
            "allow": str(self.allow),
            "deny": str(self.deny),
        }


@dataclass(slots=True, eq=False)
class Thread:
    """What a channel has when it is a thread."""

    owner_id: int
    members: dict[int, str] = field(default_factory=dict)  # user id -> when they joined
    archived: bool = False
    locked: bool = False
    invitable: bool = True
    auto_archive_duration: int = 1440
    archive_timestamp: str = field(default_factory=timestamp)
    applied_tags: list[str] = field(default_factory=list)
    messages_sent: int = 0

    def member_payload(self, thread_id: int, user_id: int) -> Payload:
        """Return the thread member object of somebody who joined."""
        return {
            "id": str(thread_id),
            "user_id": str(user_id),
            "join_timestamp": self.members[user_id],
            "flags": 0,
        }


@dataclass(slots=True, eq=False)
class Channel:
    """A place for messages (or a category of such places)."""

    id: int
    type: int
    name: str
    guild: Guild | None = None
    parent: Channel | None = None
    position: int = 0
    topic: str | None = None
    nsfw: bool = False
    slowmode: int = 0
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    recipients: list[User] = field(default_factory=list)  # a DM's, the bot included
    thread: Thread | None = None
    messages: list[Message] = field(default_factory=list)  # by id, the deleted ones left out
    pins: dict[int, str] = field(default_factory=dict)  # message id -> when it was pinned
    last_message_id: int | None = None
    deleted: bool = False

    @property
    def is_voice(self) -> bool:
        """Whether people can talk here."""
        return self.type in (VOICE, STAGE)

    @property
    def is_private_thread(self) -> bool:
        """Whether only invited people see this thread."""
        return self.type == PRIVATE_THREAD

    @property
    def holds_messages(self) -> bool:
        """Whether messages can be sent here; a forum holds only posts."""
        return self.type not in WITHOUT_MESSAGES

    @property
    def mention(self) -> str:
        """The text that mentions this channel."""
        return f"<#{self.id}>"

    def payload(self, me: int) -> Payload:
        """Return the channel object as the user `me` gets it."""
        if self.guild is None:
            return self._dm_payload(me)
        body: Payload = {
            "id": str(self.id),
            "type": self.type,
            "name": self.name,
            "guild_id": str(self.guild.id),
            "parent_id": str(self.parent.id) if self.parent else None,
            "last_message_id": _id_or_none(self.last_message_id),
            "rate_limit_per_user": self.slowmode,
            "flags": 0,
        }
        if self.thread is not None:
            return body | self._thread_payload(self.thread, me)
        body |= {
            "position": self.position,
            "topic": self.topic,
            "nsfw": self.nsfw,
            "permission_overwrites": [item.payload() for item in self.overwrites.values()],
        }
        if self.is_voice:
            body |= {"bitrate": 64000, "user_limit": 0, "rtc_region": None}
        if self.type == FORUM:
            body |= {
                "available_tags": [],
                "default_reaction_emoji": None,
                "default_sort_order": None,
                "default_forum_layout": 0,
            }
        return body

    def _dm_payload(self, me: int) -> Payload:
        return {
            "id": str(self.id),
            "type": self.type,
            "last_message_id": _id_or_none(self.last_message_id),
            "recipients": [user.payload() for user in self.recipients if user.id != me],
            "flags": 0,
        }

    def _thread_payload(self, thread: Thread, me: int) -> Payload:
        body: Payload = {
            "owner_id": str(thread.owner_id),
            "message_count": thread.messages_sent,
            "total_message_sent": thread.messages_sent,
            "member_count": min(len(thread.members), 50),  # Discord stops counting at 50
            "applied_tags": list(thread.applied_tags),
            "thread_metadata": {
                "archived": thread.archived,
                "archive_timestamp": thread.archive_timestamp,
                "auto_archive_duration": thread.auto_archive_duration,
                "locked": thread.locked,
                "invitable": thread.invitable,
                "create_timestamp": moment(self.id).isoformat(),
            },
        }
        if me in thread.members:
            body["member"] = thread.member_payload(self.id, me)
        return body


@dataclass(slots=True, eq=False)
class Guild:
    """A guild with all that is in it."""

    id: int
    name: str
    owner: User
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    threads: dict[int, Channel] = field(default_factory=dict)
    emojis: dict[int, str] = field(default_factory=dict)

    @property
    def everyone(self) -> Role:
        """The role that all members have."""
        return self.roles[self.id]

    def role_of(self, user: User) -> Role | None:
        """Return the managed role that came with a bot."""
        return next((role for role in self.roles.values() if role.bot_id == user.id), None)

    def active_threads(self) -> Iterator[Channel]:
        """Yield the threads that are not archived."""
        return (item for item in self.threads.values() if item.thread and not item.thread.archived)

    def emoji_payload(self, emoji_id: int) -> Payload:
        """Return the emoji object of one of the guild's own emojis."""
        return {
            "id": str(emoji_id),
            "name": self.emojis[emoji_id],
            "roles": [],
            "require_colons": True,
            "managed": False,
            "animated": False,
            "available": True,
        }

    def payload(self) -> Payload:
        """Return the guild object without members and channels."""
        return {
            "id": str(self.id),
            "name": self.name,
            "icon": None,
            "splash": None,
            "discovery_splash": None,
            "banner": None,
            "description": None,
            "owner_id": str(self.owner.id),
            "region": "local",
            "afk_channel_id": None,
            "afk_timeout": 300,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "public_updates_channel_id": None,
            "vanity_url_code": None,
            "application_id": None,
            "widget_enabled": False,
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "nsfw": False,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "preferred_locale": "en-US",
            "features": [],
            "emojis": [self.emoji_payload(emoji_id) for emoji_id in self.emojis],
            "stickers": [],
            "roles": [role.payload() for role in self.roles.values()],
        }


def _id_or_none(snowflake: int | None) -> str | None:
    return None if snowflake is None else str(snowflake)
