"""The plain data that travels through the house; everything here is JSON-able."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple, NotRequired, TypedDict, cast

from .files import File

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
    forwarded messages. `cut` counts the characters left out of `content`. `files` are facts of
    what is attached: an event accepted by an older version has none.
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
    """Where an event stands; the last five are final (promise 5)."""

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


NO_CONTEXT = cast(EventContext, {})
"""Stands where an event's context is not in memory: it waits, or it has ended."""


@dataclass(slots=True)
class Event:
    """One accepted message on its way to an answer.

    Times are seconds since the epoch. `lane` names the conversation: runs of one lane never
    overlap. `turn_id` names the turn in which the event ran last, if it ever did. The context is
    in memory only while the event runs: the store keeps it, and fills it in when a turn starts.
    """

    id: str
    kind: Kind
    message_id: int
    channel_id: int
    guild_id: int | None
    author_id: int
    accepted_at: float
    expires_at: float
    # Left out of tracebacks and logs: it is what people wrote.
    context: EventContext = field(default_factory=lambda: NO_CONTEXT, repr=False)
    parent_id: int | None = None
    state: State = State.WAITING
    reason: str = ""
    turn_id: str | None = None
    cause: str | None = None
    """The id of its latest Change."""
    ended_at: float | None = None
    # Lives in memory alone, and is monotonic: a clock that is set must not end anything.
    deadline: float = field(default=math.inf, compare=False, repr=False)

    @property
    def lane(self) -> str:
        """Name the conversation this event belongs to; one per channel, thread or DM."""
        return lane_of(self.channel_id)

    @property
    def came_at(self) -> float:
        """Return when it was accepted, by the monotonic clock."""
        return self.deadline - (self.expires_at - self.accepted_at)


@dataclass(slots=True)
class Turn:
    """The events that run together, and what became of the attempts to answer them.

    Mostly it is one event. Consecutive events of one author may run as one turn: who is in it is
    decided when it first runs, and from then on it has an `id` and a row of its own. The last of
    the `events` speaks for it: its message is answered, and sends are recorded under its name.

    `attempts` counts runs that the agent server accepted or may have accepted, `misses` the tries
    that it did not take, `crashes` the deaths of Aurora while the turn ran. `interrupted` says
    that an attempt was broken off and may have had effects that nobody recorded. `answer` is the
    text that a finished run left to be delivered, `dropped` how many characters it left that were
    not. Times are seconds since the epoch.
    """

    events: tuple[Event, ...]
    id: str = ""
    attempts: int = 0
    misses: int = 0
    crashes: int = 0
    interrupted: bool = False
    not_before: float = 0.0
    agent_id: str | None = None
    conversation_id: str | None = None
    run_id: str | None = None
    input_id: str | None = None
    answer: str | None = field(default=None, repr=False)
    started_at: float | None = None
    ended_at: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    dropped: int = 0
    # Lives in memory alone, and is monotonic: not to run before.
    ready_at: float = field(default=0.0, compare=False, repr=False)
    # Lives in memory alone: by what reason the agent's last send was refused.
    refused: str = field(default="", compare=False, repr=False)
    # Lives in memory alone: whether its conversation was shortened for it.
    compacted: bool = field(default=False, compare=False, repr=False)
    # Lives in memory alone: whether that was a text of which "all", or the "rest", is not out.
    unsaid: Literal["", "all", "rest"] = field(default="", compare=False, repr=False)
    # Lives in memory alone: whether its asker has said that who reads along is no matter.
    consented: bool = field(default=False, compare=False, repr=False)
    # Lives in memory alone: whether its asker talks in a conversation of their own.
    apart: bool = field(default=False, compare=False, repr=False)
    # Lives in memory alone: the addresses that people wrote in what the agent read meanwhile.
    heard: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    @property
    def speaker(self) -> Event:
        """Return the event that speaks for the turn: the latest of its events."""
        return self.events[-1]

    @property
    def earlier(self) -> tuple[Event, ...]:
        """Return the events that run along with the speaker, oldest first; often none."""
        return self.events[:-1]

    @property
    def lane(self) -> str:
        """Name the conversation that the turn belongs to."""
        return self.speaker.lane

    @property
    def conversation_lane(self) -> str:
        """Name whose conversation the agent has: the lane's, or its asker's own in it."""
        return own_lane(self.lane, self.speaker.author_id) if self.apart else self.lane


def lane_of(channel_id: int) -> str:
    """Name the lane of a channel, thread or DM."""
    return f"channel:{channel_id}"


def own_lane(lane: str, author_id: int) -> str:
    """Name the conversation that somebody has apart from the others of a lane."""
    return f"{apart(lane)}{author_id}"


def apart(lane: str) -> str:
    """Return how the names begin of conversations that are apart from the lane's."""
    return f"{lane}:user:"


@dataclass(frozen=True, slots=True)
class Ballot:
    """A poll to be made: for how many `hours`, and whether one may choose several answers."""

    question: str = field(repr=False)
    answers: tuple[str, ...] = field(repr=False)
    hours: int
    multiple: bool


@dataclass(frozen=True, slots=True)
class Owed:
    """What a send is to say, for as long as that is not all out.

    With a file its `name` and `content`, or its poll. `room` is how many messages it may become.
    `voids` are the keys of the sends that need not get out any more if this one does: the agent
    made it knowing that they had not.
    """

    text: str = field(repr=False)
    name: str = field(default="", repr=False)
    content: str = field(default="", repr=False)
    ballot: Ballot | None = None
    room: int | None = None
    voids: tuple[str, ...] = ()


class Send(NamedTuple):
    """One visible thing a run did: what was sent where, so that it is never done twice.

    `text_hash` keeps the text as it was sent (its first part, if it was split) recognisable
    without keeping it, as `chat/fingerprints.py` has it. `kind` is "message" or "reaction" (then
    the hash is of the emoji and `reply_to` the message reacted to), an "edit" of the message
    `reply_to`, or a "thread" that begins with it. `message_ids` is empty while
    the send is under way, and more than one when a long text was split. `by` tells the agent's
    send ("tool"; "mcp" if by a tool of its own, past Aurora) from Aurora's delivery of its text
    ("delivery") and from a notice to the person, which is no answer. An `interim` send is not
    meant for the answer; others are full ones. `length` is that of its text, in characters.
    """

    key: str
    kind: Literal["message", "reaction", "edit", "thread"]
    by: Literal["tool", "mcp", "delivery", "notice"]
    channel_id: int
    text_hash: str
    reply_to: int | None = None
    message_ids: tuple[int, ...] = ()
    interim: bool = False
    length: int = 0
    owed: Owed | None = None


class Said(NamedTuple):
    """What an agent wrote in a run and did not send: after its last send and what it read last.

    `earlier` is the last text before that, if nothing was sent where it was asked. `went_on` says
    that it wrote or called anything after its last send there.
    """

    texts: tuple[str, ...] = ()
    earlier: str = ""
    went_on: bool = False


class Offer(NamedTuple):
    """A text that is posted in another place if its asker, the `author_id`, presses a button.

    Until `expires_at`, in seconds since the epoch.
    """

    id: str
    event_id: str
    author_id: int
    channel_id: int
    text: str
    expires_at: float


class Change(NamedTuple):
    """A step in an event's life, told to whoever watches (dispatched as `aurora_event`).

    `step` is "queued", "running", "tool", "retrying" or a final state; `detail` is a reason, a
    tool name or a count, never message content. `id` (`evt_` and a UUIDv7) is made once; `cause`
    is the id of the change before it in the same life. `attempt` counts the turn's attempts so
    far. It is a tuple because a busy bot makes thousands a second, and in the order of its row.
    """

    event_id: str
    message_id: int
    channel_id: int
    guild_id: int | None
    author_id: int
    lane: str
    step: str
    at: float
    detail: str = ""
    id: str = ""
    cause: str | None = None
    agent_id: str | None = None
    turn_id: str | None = None
    attempt: int = 0


class Unread(NamedTuple):
    """Messages that nobody looked at: a channel, and from when to when (seconds since 1970)."""

    guild_id: int | None
    channel_id: int
    since: float
    until: float


class Sent(NamedTuple):
    """Where a message of the bot's comes from: the event and turn it was sent for, its part."""

    event_id: str
    turn_id: str | None
    part: int


class MemoryChange(NamedTuple):
    """One change of a file in an agent's memory, without a word of what stands in it.

    `channel_id` and `guild_id` say in which place it was written, None where that is not known.
    `version` is the server's name for the memory after the change, empty until that is known.
    `at` is in seconds since the epoch, `length` in characters.
    """

    agent_id: str
    path: str
    act: Literal["write", "delete", "undo"]
    author_id: int | None
    channel_id: int | None
    guild_id: int | None
    turn_id: str
    at: float
    length: int
    version: str = ""
    number: int = 0


class Trace(StrEnum):
    """What of a turn is to be seen in Discord; of several the first that applies."""

    ANSWER = "answer"
    LATER = "later"  # nobody can look now, or what is owed can't be sent now
    DOUBT = "doubt"  # something was sent, and whether it arrived can't be found out
    INTERIM = "interim"  # only what is no answer: a first word, a reaction, a message elsewhere
    END = "end"  # the person was told that there will be no answer
    NOTHING = "nothing"
