"""A message, and how Discord's API words it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .model import Channel, Payload, User
from .snowflakes import moment

DEFAULT, THREAD_CREATED, REPLY, SLASH_REPLY, THREAD_STARTER, PINNED = 0, 18, 19, 20, 21, 6
HAS_THREAD, EPHEMERAL, LOADING, HAS_SNAPSHOT, COMPONENTS_V2 = (
    1 << 5,
    1 << 6,
    1 << 7,
    1 << 14,
    1 << 15,
)
SUPPRESS_EMBEDS = 1 << 2

_USER = re.compile(r"<@!?(\d{15,20})>")
_ROLE = re.compile(r"<@&(\d{15,20})>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")


@dataclass(slots=True, eq=False)
class Attachment:
    """A file that hangs on a message; its bytes are served under `url()`, for a day.

    A voice message has a length.
    """

    id: int
    filename: str
    data: bytes
    url: Callable[[], str]
    content_type: str | None = None
    description: str | None = None
    voice_seconds: float | None = None

    def payload(self) -> Payload:
        """Return the attachment object, with an address of its own each time."""
        url = self.url()
        body: Payload = {
            "id": str(self.id),
            "filename": self.filename,
            "size": len(self.data),
            "url": url,
            "proxy_url": url,
        }
        if self.voice_seconds is not None:
            body |= {"duration_secs": self.voice_seconds, "waveform": "AAAA"}
        if self.content_type is not None:
            body["content_type"] = self.content_type
        if self.description is not None:
            body["description"] = self.description
        return body


@dataclass(slots=True, frozen=True)
class AllowedMentions:
    """Who a message may ping; None for "all that are named"."""

    everyone: bool = True
    users: frozenset[int] | None = None
    roles: frozenset[int] | None = None
    replied_user: bool = True

    @classmethod
    def from_payload(cls, raw: Payload | None) -> AllowedMentions:
        """Read the field of a request; without it everybody named is pinged."""
        if raw is None:
            return cls()
        parse = raw.get("parse") or []
        return cls(
            everyone="everyone" in parse,
            users=None if "users" in parse else _ids(raw.get("users")),
            roles=None if "roles" in parse else _ids(raw.get("roles")),
            replied_user=bool(raw.get("replied_user", False)),
        )


@dataclass(slots=True, eq=False)
class Message:
    """A message; `deleted` ones are in no channel any more."""

    id: int
    channel: Channel
    author: User
    content: str
    timestamp: str
    type: int = DEFAULT
    embeds: list[Payload] = field(default_factory=list)
    components: list[Payload] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    stickers: list[Payload] = field(default_factory=list)
    poll: Payload | None = None
    mentions: list[User] = field(default_factory=list)
    mention_roles: list[int] = field(default_factory=list)
    mention_everyone: bool = False
    reference: int | None = None
    referenced: Message | None = None
    forwarded: Payload | None = None  # the snapshot of a forwarded message
    reactions: dict[str, set[int]] = field(default_factory=dict)  # emoji -> user ids
    nonce: str | None = None
    flags: int = 0
    tts: bool = False
    edited_timestamp: str | None = None
    deleted: bool = False
    thread: Channel | None = None
    interaction: Payload | None = None
    ephemeral_for: int | None = None
    webhook_id: int | None = None

    @property
    def created_at(self) -> datetime:
        """When it was sent."""
        return moment(self.id)

    @property
    def edited(self) -> bool:
        """Whether its text was changed after sending."""
        return self.edited_timestamp is not None

    @property
    def ephemeral(self) -> bool:
        """Whether only one person sees it."""
        return self.ephemeral_for is not None

    @property
    def pinned(self) -> bool:
        """Whether it is pinned in its channel."""
        return self.id in self.channel.pins

    def payload(self, me: int, *, nested: bool = False) -> Payload:
        """Return the message object as the user `me` gets it.

        Args:
            me: Whose reactions count as "me".
            nested: For use inside a reply, where Discord leaves out what it replies to.

        """
        body: Payload = {
            "id": str(self.id),
            "type": self.type,
            "channel_id": str(self.channel.id),
            "author": self.author.payload(),
            "content": self.content,
            "timestamp": self.timestamp,
            "edited_timestamp": self.edited_timestamp,
            "tts": self.tts,
            "mention_everyone": self.mention_everyone,
            "mentions": [user.payload() for user in self.mentions],
            "mention_roles": [str(role_id) for role_id in self.mention_roles],
            "attachments": [item.payload() for item in self.attachments],
            "embeds": self.embeds,
            "components": self.components,
            "pinned": self.pinned,
            "flags": self.flags,
        }
        self._add_extras(body, me)
        if self.reference is not None or self.forwarded is not None:
            self._add_reference(body, me, nested=nested)
        return body

    def _add_extras(self, body: Payload, me: int) -> None:
        if self.reactions:
            body["reactions"] = [
                reaction_payload(key, users, me) for key, users in self.reactions.items()
            ]
        if self.stickers:
            body["sticker_items"] = self.stickers
        if self.poll is not None:
            body["poll"] = self.poll
        if self.thread is not None and not self.thread.deleted:
            body["thread"] = self.thread.payload(me)
        if self.interaction is not None:
            body |= self.interaction
        if self.webhook_id is not None:
            body["webhook_id"] = str(self.webhook_id)

    def _add_reference(self, body: Payload, me: int, *, nested: bool) -> None:
        if self.forwarded is not None:
            body["message_reference"] = self.forwarded["message_reference"]
            body["message_snapshots"] = self.forwarded["message_snapshots"]
            return
        source = self.referenced
        place = source.channel if source is not None else self.channel
        reference = {
            "type": 0,
            "message_id": str(self.reference),
            "channel_id": str(place.id),
        }
        if place.guild is not None:
            reference["guild_id"] = str(place.guild.id)
        body["message_reference"] = reference
        if not nested:
            gone = source is None or source.deleted
            body["referenced_message"] = (
                None if gone or source is None else source.payload(me, nested=True)
            )

    def snapshot(self) -> Payload:
        """Return what a forward of this message carries."""
        reference = {
            "type": 1,
            "message_id": str(self.id),
            "channel_id": str(self.channel.id),
        }
        if self.channel.guild is not None:
            reference["guild_id"] = str(self.channel.guild.id)
        copy: Payload = {
            "type": self.type,
            "content": self.content,
            "timestamp": self.timestamp,
            "edited_timestamp": self.edited_timestamp,
            "flags": self.flags,
            "mentions": [user.payload() for user in self.mentions],
            "mention_roles": [str(role_id) for role_id in self.mention_roles],
            "attachments": [item.payload() for item in self.attachments],
            "embeds": self.embeds,
            "components": self.components,
            "sticker_items": self.stickers,
        }
        return {"message_reference": reference, "message_snapshots": [{"message": copy}]}


def named_users(content: str) -> list[int]:
    """Return the users that a text mentions, each once."""
    return list(dict.fromkeys(map(int, _USER.findall(content))))


def named_roles(content: str) -> list[int]:
    """Return the roles that a text mentions, each once."""
    return list(dict.fromkeys(map(int, _ROLE.findall(content))))


def names_everyone(content: str) -> bool:
    """Say whether a text mentions everyone or those who are here."""
    return _EVERYONE.search(content) is not None


def emoji_payload(key: str) -> Payload:
    """Return the partial emoji object of a reaction's key."""
    name, colon, emoji_id = key.partition(":")
    if colon and emoji_id.isdigit():
        return {"id": emoji_id, "name": name}
    return {"id": None, "name": key}


def reaction_payload(key: str, users: set[int], me: int) -> Payload:
    """Return the reaction object as the user `me` gets it."""
    return {
        "emoji": emoji_payload(key),
        "count": len(users),
        "count_details": {"burst": 0, "normal": len(users)},
        "me": me in users,
        "me_burst": False,
        "burst_colors": [],
    }


def without_content(payload: Payload) -> Payload:
    """Return a message as a bot without the message content intent gets it."""
    bare = payload | {"content": "", "embeds": [], "attachments": [], "components": []}
    for key in ("poll", "message_snapshots"):
        bare.pop(key, None)
    return bare


def _ids(raw: Any) -> frozenset[int]:
    return frozenset(int(item) for item in raw or ())
