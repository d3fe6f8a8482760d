"""What an agent is told about an event; everything here is JSON-able."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from ..files import File

Kind = Literal["mention", "reply", "dm", "ask", "press", "wake"]
"""How an event came: by a message of these kinds, by a command, by a button, or by a schedule."""
BY_MESSAGE: frozenset[Kind] = frozenset(("mention", "reply", "dm"))
"""The kinds of events that are messages."""


class Person(TypedDict):
    """Somebody on Discord; only the username is always there."""

    id: str
    username: str
    display_name: str
    global_name: str | None
    bot: bool


class Place(TypedDict):
    """Where a message stands; `type` is Discord's channel type by name ("private_thread")."""

    channel_id: str
    channel_name: str
    type: str
    guild_id: str | None
    guild_name: str | None
    parent_id: str | None
    parent_name: str | None


class Quote(TypedDict):
    """One message as the agent gets to see it.

    `extras` describes, one line each, what is not text: attachments, embeds, stickers, polls,
    forwarded messages. What came by no message has no `id`. `cut` counts the characters left out
    of `content`. `files` are facts of what is attached: an event accepted by an older version has
    none.
    """

    id: str
    author: Person
    content: str
    at: float
    extras: list[str]
    cut: int
    files: NotRequired[list[File]]


class Named(TypedDict):
    """A user, role or channel that was mentioned, with the id that addresses it."""

    id: str
    name: str


class Mentions(TypedDict):
    """Whom and what the message mentions, without the bot itself."""

    users: list[Named]
    roles: list[Named]
    channels: list[Named]


class EventContext(TypedDict):
    """All that the agent is told about an event; built once, when it is accepted.

    `chain` is the reply chain, oldest first, without the message itself. `chain_end` says why it
    is shorter than the conversation ("deleted", "forbidden", "elsewhere", "unavailable",
    "cycle", "depth"), or is absent when it is complete. An asker is `patient` who has said that
    they can wait.
    """

    kind: Kind
    message: Quote
    place: Place
    mentions: Mentions
    chain: list[Quote]
    chain_end: NotRequired[str]
    patient: NotRequired[bool]
    bot: Named
