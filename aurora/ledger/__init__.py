"""The ledger: what was accepted, what was sent for it, and how it ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from ..model import (
    Change,
    Event,
    EventContext,
    Offer,
    Send,
    Sent,
    State,
    Turn,
)
from ..reasons import ExplainedError
from .feedback_log import FeedbackLog
from .memory_log import MemoryLog
from .run_lists import RunLists
from .run_log import RunLog
from .schedule_book import ScheduleBook
from .strain_log import StrainLog
from .usage_log import UsageLog
from .where import EVERYWHERE as EVERYWHERE
from .where import Where as Where

DEDUPE_SECONDS = 7 * 24 * 3600.0
"""How long a message stays known at least (promise 2)."""
REFUSAL_SECONDS = 24 * 3600.0
PACE_SECONDS = 60.0
"""How long the start of a run in a channel is remembered; longer than any rate limit."""
ASKED_SECONDS, ASKED_KEPT = 3600.0, 1000
"""How far back, and of how many events, a store tells when it is opened who asked."""


class LedgerError(ExplainedError):
    """The ledger can't be used; the bot's owner reads why."""


class InUseError(LedgerError):
    """Another process has the ledger open."""


class Asked(NamedTuple):
    """A turn that somebody was given in a guild, or (None) in DMs, in seconds since the epoch."""

    guild_id: int | None
    author_id: int
    at: float


class Backlog(NamedTuple):
    """What a store holds when it is opened.

    `turns` hold the unfinished events, all waiting and without contexts: those that ran before
    in the turn they ran in, each other in one of its own. They come in the order in which the
    events that speak for them were accepted.
    `starts` are the latest starts of runs by channel, in seconds since the epoch. `set_aside`
    is where an unreadable ledger was moved to. `asked` are the turns of the last hour, oldest
    first; of many events only the latest are looked at.
    """

    turns: Sequence[Turn]
    starts: Mapping[int, float]
    set_aside: str | None = None
    asked: Sequence[Asked] = ()


class Listed(NamedTuple):
    """An event as a list shows it: the tries of its turn, and whether it spoke for the turn."""

    event: Event
    tries: int
    speaks: bool


class Store(FeedbackLog, MemoryLog, RunLists, RunLog, UsageLog, ScheduleBook, StrainLog, Protocol):
    """Where the ledger is kept. Every call returns only after its change is kept.

    But for one thing: what is asked for `lazily` returns at once, and shares the commit of what
    is asked for next, or has one of its own a moment later. It is kept before all that is asked
    for after it. A crash in between loses it: it is for what a crash a moment earlier would have
    lost as well.

    A call that changes state takes the Changes that tell of it, and keeps both or neither: the
    changes are the outbox of the event system.
    """

    async def open(self) -> Backlog:
        """Open the store; what was running comes back at once, as interrupted and one crash older.

        Raises LedgerError.
        """
        ...

    async def close(self) -> None:
        """Release everything; further calls fail."""
        ...

    async def add(self, event: Event, change: Change) -> bool:
        """Keep a new event and its context; False if its message is known (promise 2)."""
        ...

    async def start(self, turn: Turn, changes: Sequence[Change]) -> None:
        """Keep that a turn runs: its row, the states of its events, the channel's start.

        Fills in the context of each event.
        """
        ...

    async def move(
        self, events: Sequence[Event], changes: Sequence[Change], turns: Sequence[Turn] = ()
    ) -> None:
        """Keep the new states of events and all else that changed in them, but no contexts.

        With them the rows of `turns`, as far as they ever started. The content of what is final
        is forgotten (promise 13). Of an event that was forgotten nothing is kept.
        """
        ...

    async def save_turn(self, turn: Turn, *, lazily: bool = False) -> None:
        """Keep what changed in a turn while its events stay what they are."""
        ...

    async def save_events(self, events: Sequence[Event]) -> None:
        """Keep what changed in events whose state did not; their contexts stay as they are."""
        ...

    async def edit(self, event_id: str, context: EventContext) -> None:
        """Replace the context of an event that is not final."""
        ...

    async def revive(self, event: Event, change: Change) -> None:
        """Let a final event wait again, with a new context and without its notices."""
        ...

    async def keep_anchor(self, event: Event, message_id: int) -> None:
        """Keep which message of the bot's stands for an event, and that it was sent for it."""
        ...

    async def get(self, event_id: str) -> Event | None:
        """Return an event with its context, final or not."""
        ...

    async def find(self, message_id: int) -> Event | None:
        """Return the event of a message, as `get` does."""
        ...

    async def turn(self, turn_id: str) -> Turn | None:
        """Return a turn, over or not, with the event that speaks for it and without contexts."""
        ...

    async def recent(
        self, where: Where, *, states: Collection[State] = (), limit: int = 20
    ) -> Sequence[Listed]:
        """Return the latest events, newest first and without contexts; no states means all."""
        ...

    async def counts(self, where: Where) -> Mapping[State, int]:
        """Count the events that are kept, by state."""
        ...

    async def changes(self, after: int = 0, limit: int = 100) -> Sequence[Mapping[str, Any]]:
        """Return the envelopes of changes (see outbox.py), in the order they were kept.

        `after` is a sequence number (`metadata.sequence`).
        """
        ...

    async def refuse(self, message_id: int, reason: str) -> None:
        """Remember for 24 h that a message was seen and why it was not accepted."""
        ...

    async def refusal(self, message_id: int) -> str | None:
        """Return the reason a message was refused for, if it was."""
        ...

    async def conversation(self, agent_id: str, lane: str) -> str | None:
        """Return the conversation in which an agent talks in a lane."""
        ...

    async def set_conversation(
        self, agent_id: str, lane: str, conversation_id: str, *, fresh: bool = False
    ) -> None:
        """Point a lane to a conversation; nothing was read into a `fresh` one yet."""
        ...

    async def add_source(self, agent_id: str, lane: str, place_id: int, gate: str) -> None:
        """Keep that a place was read into a lane's conversation, and who came to read it then."""
        ...

    async def sources(self, agent_id: str, lane: str) -> Mapping[int, str]:
        """Return the places that were read into a lane's conversation, each with its gate."""
        ...

    async def keep_offer(self, offer: Offer) -> None:
        """Keep a text that waits for a button's press."""
        ...

    async def take_offer(self, offer_id: str) -> Offer | None:
        """Return an offer, and forget it with all whose time is up; None if it was one of them."""
        ...

    async def take_dm_conversations(
        self, user_id: int, channel_id: int | None
    ) -> Sequence[tuple[str, str]]:
        """Forget in which conversations a person's direct messages are; return agents with them.

        `channel_id` is the person's DM channel where that is known; others are found by what was
        accepted there.
        """
        ...

    async def take_conversations(self, lane: str) -> Sequence[tuple[str, str]]:
        """Forget in which conversations a lane is, and those apart; return agents with them."""
        ...

    async def record_send(self, event: Event, send: Send, *, lazily: bool = False) -> bool:
        """Keep a send of an event and its turn; one with the same key is replaced.

        False if the event was forgotten: nothing is kept of it, so a repeat could not be told.
        """
        ...

    async def sends(self, event_id: str) -> Sequence[Send]:
        """Return what was sent for an event, oldest first."""
        ...

    async def sent(self, message_id: int) -> Sent | None:
        """Return what a message of the bot's was sent for; None if it is not Aurora's."""
        ...

    async def note(self, key: str, value: str) -> None:
        """Keep a small fact about Aurora itself, such as when it last listened."""
        ...

    async def noted(self, key: str) -> str | None:
        """Return such a fact."""
        ...

    async def dm_channels(self, since: float) -> Sequence[int]:
        """Return the DM channels in which an event was accepted since then, the latest last."""
        ...

    async def forget_user(self, user_id: int) -> None:
        """Drop everything about a person: events, changes, and what was sent for them."""
        ...
