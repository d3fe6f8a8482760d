"""The plain data that travels through the house; everything here is JSON-able."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NotRequired, TypedDict

Kind = Literal["mention", "reply", "dm"]


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
    forwarded messages. `cut` counts the characters left out of `content`.
    """

    id: str
    author: Person
    content: str
    at: float
    extras: list[str]
    cut: int


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
    "cycle", "depth"), or is absent when it is complete.
    """

    kind: Kind
    message: Quote
    place: Place
    mentions: Mentions
    chain: list[Quote]
    chain_end: NotRequired[str]
    bot: Named


class State(StrEnum):
    """Where an event stands; the last five are final (DESIGN promise 5)."""

    WAITING = "waiting"
    RUNNING = "running"
    ANSWERED = "answered"
    DECLINED = "declined"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        """Tell whether nothing can follow."""
        return self not in (State.WAITING, State.RUNNING)


@dataclass(slots=True)
class Event:
    """One accepted message on its way to an answer.

    Times are seconds since the epoch. `lane` names the conversation: runs of one lane never
    overlap. `attempts` counts runs that the agent server accepted or may have accepted, `misses`
    the tries that it did not take.
    """

    id: str
    kind: Kind
    message_id: int
    channel_id: int
    guild_id: int | None
    author_id: int
    # Left out of tracebacks and logs: it is what people wrote.
    context: EventContext = field(repr=False)
    accepted_at: float
    expires_at: float
    state: State = State.WAITING
    reason: str = ""
    attempts: int = 0
    misses: int = 0
    not_before: float = 0.0
    agent_id: str | None = None
    conversation_id: str | None = None
    run_id: str | None = None
    input_id: str | None = None

    @property
    def lane(self) -> str:
        """Name the conversation this event belongs to; one per channel, thread or DM."""
        return f"channel:{self.channel_id}"


@dataclass(frozen=True, slots=True)
class Send:
    """One visible thing a run did: what was sent where, so that it is never done twice.

    `text_hash` keeps the text (its first part, if it was split) recognisable without keeping
    it. `kind` is "message" or "reaction" (then the hash is of the emoji and `reply_to` the
    message reacted to). `message_ids` is empty while the send is under way, and more than one
    when a long text was split. `by` tells the agent's send ("tool"; "mcp" if by a tool of its
    own, past Aurora) from Aurora's delivery of its text ("delivery") and from a notice to the
    person, which is no answer.
    """

    key: str
    kind: Literal["message", "reaction"]
    by: Literal["tool", "mcp", "delivery", "notice"]
    channel_id: int
    text_hash: str
    reply_to: int | None = None
    message_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A step in an event's life, told to whoever watches (dispatched as `aurora_event`).

    `step` is "queued", "running", "tool", "retrying" or a final state; `detail` is a reason, a
    tool name or a count, never message content.
    """

    event_id: str
    message_id: int
    channel_id: int
    guild_id: int | None
    step: str
    at: float
    detail: str = ""
