"""Events and turns: what was accepted, and what runs together."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, cast

from .contexts import BY_MESSAGE, EventContext, Kind
from .routes import NO_ROUTE, Route, read_route


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
    """One accepted message, or other cause, on its way to an answer.

    `message_id` is the id of its source: of the message, or of the interaction with a command or
    button; a schedule has none, and makes one up for each of its times (`ids.wake_id`). What came
    by no message may have an anchor: a message of the bot's that stands for it.

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
    anchor_id: int | None = None
    wish: str = ""
    """What is wanted besides an answer, as a Wish writes it."""
    # Lives in memory alone, and is monotonic: a clock that is set must not end anything.
    deadline: float = field(default=math.inf, compare=False, repr=False)

    @property
    def by_message(self) -> bool:
        """Whether it is a message of its author's."""
        return self.kind in BY_MESSAGE

    @property
    def unasked(self) -> bool:
        """Whether nobody waits for an answer."""
        return self.kind == "wake"

    @property
    def replies_to(self) -> int | None:
        """Return the message that is answered and marked; None if there is none."""
        return self.message_id if self.by_message else self.anchor_id

    @property
    def source(self) -> str:
        """Name what it came by."""
        what = "message" if self.by_message else "wake" if self.unasked else "interaction"
        return f"{what}:{self.message_id}"

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
    not. The tokens are those that the server has told of, `unmetered` is how many calls of the
    `model` it may owe the tokens of, and `seconds` is how long the agent was at it. What a router
    has said of it is `routed`, as a Route writes it. Other times are seconds since the epoch.
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
    cached_tokens: int = 0
    unmetered: int = 0
    seconds: float = 0.0
    model: str | None = None
    routed: str = ""
    # Lives in memory alone, and is monotonic: not to run before.
    ready_at: float = field(default=0.0, compare=False, repr=False)
    # Lives in memory alone: by what reason the agent's last send was refused.
    refused: str = field(default="", compare=False, repr=False)
    # Lives in memory alone: whether that was a text of which "all", or the "rest", is not out.
    unsaid: Literal["", "all", "rest"] = field(default="", compare=False, repr=False)
    # Lives in memory alone: whether its conversation was shortened for it.
    compacted: bool = field(default=False, compare=False, repr=False)
    # Lives in memory alone: whether its asker has said that who reads along is no matter.
    consented: bool = field(default=False, compare=False, repr=False)
    # Lives in memory alone: whether its asker talks in a conversation of their own.
    apart: bool = field(default=False, compare=False, repr=False)
    # Lives in memory alone: the model that it is given in place of its agent's own; empty is that
    # of the agent, None leaves alone what there is.
    using: str | None = field(default=None, compare=False, repr=False)
    # Lives in memory alone: whether that is the strongest.
    strong: bool = field(default=False, compare=False, repr=False)
    # Lives in memory alone: how many tokens were spent beside it, which its budget pays for.
    aside: int = field(default=0, compare=False, repr=False)
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
    def route(self) -> Route:
        """Return what a router has said of it."""
        return read_route(self.routed) if self.routed else NO_ROUTE

    @property
    def conversation_lane(self) -> str:
        """Name whose conversation it is: the lane's, its asker's own in it, or the schedules'."""
        if self.speaker.unasked:
            return f"{apart(self.lane)}schedules"
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
