"""The reference store: everything in memory, gone with the process."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

from ..clock import Clock
from ..ids import oldest_turn_id
from ..model import (
    NO_CONTEXT,
    Change,
    Event,
    EventContext,
    Offer,
    Send,
    Sent,
    State,
    Turn,
    apart,
    own_lane,
)
from . import (
    ASKED_KEPT,
    ASKED_SECONDS,
    DEDUPE_SECONDS,
    EVERYWHERE,
    PACE_SECONDS,
    REFUSAL_SECONDS,
    Asked,
    Backlog,
    Where,
)
from .ages import aged
from .backlog import Kept, recovered
from .feedbacks import KeptFeedback
from .memories import KeptMemories
from .outbox import envelope
from .run_logs import KeptRunLog
from .run_rows import KeptRuns
from .schedules import KeptSchedules
from .sends import put_send
from .strains import KeptStrains
from .usage_log import USAGE_SECONDS
from .usages import KeptUsage


class MemoryStore(
    KeptFeedback, KeptMemories, KeptStrains, KeptRunLog, KeptRuns, KeptUsage, KeptSchedules
):
    """A Store that shows what the others must do; tests use it where nothing must survive."""

    def __init__(self, clock: Clock, *, retention: float = DEDUPE_SECONDS) -> None:
        super().__init__()
        self._clock = clock
        self._retention = retention
        self._events: OrderedDict[str, Event] = OrderedDict()
        self._by_message: dict[int, str] = {}
        self._turns: OrderedDict[str, Kept] = OrderedDict()
        self._starts: dict[int, float] = {}
        self._changes: dict[str, tuple[float, dict[str, Any]]] = {}
        self._sequence = 0
        self._sends: dict[str, dict[str, Send]] = {}
        self._sent: dict[int, Sent] = {}
        self._refusals: OrderedDict[int, tuple[float, str]] = OrderedDict()
        self._conversations: dict[tuple[str, str], str] = {}
        self._sources: dict[tuple[str, str], dict[int, str]] = {}
        self._offers: dict[str, Offer] = {}
        self._notes: dict[str, str] = {}

    async def open(self) -> Backlog:
        """Return what is unfinished; what was running is interrupted and one crash older."""
        unfinished = [event for event in self._events.values() if not event.state.final]
        turns = recovered(
            [replace(event, context=NO_CONTEXT) for event in unfinished], self._turns
        )
        for event in unfinished:
            event.state = State.WAITING
        for turn in turns:
            if turn.id and turn.interrupted:
                self._turns[turn.id] = _kept(turn)
        oldest = self._clock.time() - PACE_SECONDS
        starts = {channel: at for channel, at in self._starts.items() if at > oldest}
        return Backlog(turns, starts, asked=self._asked())

    async def close(self) -> None:
        """Release everything."""

    def _asked(self) -> list[Asked]:
        now = self._clock.time()
        asked: dict[object, Asked] = {}
        for event in list(self._events.values())[-ASKED_KEPT:]:
            if now - ASKED_SECONDS < event.accepted_at <= now:
                one = Asked(event.guild_id, event.author_id, event.accepted_at)
                key = (*one[:2], event.turn_id or event.lane)
                asked[key] = min(asked.get(key, one), one, key=lambda asked: asked.at)
        return sorted(asked.values(), key=lambda asked: asked.at)

    async def add(self, event: Event, change: Change) -> bool:
        """Keep a new event and its context; False if its message is known."""
        self._sweep()
        if event.message_id in self._by_message:
            return False
        self._events[event.id] = replace(event)
        self._by_message[event.message_id] = event.id
        self._uncounted[event.id] = None
        self._publish(change)
        return True

    async def start(self, turn: Turn, changes: Sequence[Change]) -> None:
        """Keep that a turn runs, and fill in the contexts of its events."""
        self._starts[turn.speaker.channel_id] = turn.started_at or self._clock.time()
        await self.move(turn.events, changes)
        if any(event.id in self._events for event in turn.events):
            self._turns[turn.id] = _kept(turn)
        for event in turn.events:
            kept = self._events.get(event.id)
            event.context = kept.context if kept else NO_CONTEXT

    async def move(
        self, events: Sequence[Event], changes: Sequence[Change], turns: Sequence[Turn] = ()
    ) -> None:
        """Keep new states; the content of what is final is forgotten."""
        await self.save_events(events)
        for turn in turns:
            await self.save_turn(turn)
        for event, change in zip(events, changes, strict=True):
            if event.id in self._events:
                self._publish(change)
            speaker, kept = self._turns.get(event.turn_id or "", ("", None))
            if kept is not None and event.state.final and speaker == event.id:
                kept.answer = None

    async def save_turn(self, turn: Turn, *, lazily: bool = False) -> None:  # noqa: ARG002 - it is as quick at once
        """Keep what changed in a turn."""
        if turn.id in self._turns:
            self._turns[turn.id] = _kept(turn)

    async def save_events(self, events: Sequence[Event]) -> None:
        """Keep what changed in events, apart from their contexts."""
        for event in events:
            kept = self._events.get(event.id)
            if kept is None:
                continue
            if kept.state.final and event.state is not kept.state:
                self._uncounted[event.id] = None
            # Nothing reads the content of a final event; erased, it cannot leak either.
            context = NO_CONTEXT if event.state.final else kept.context
            self._events[event.id] = replace(event, context=context)
            if event.state.final:
                sends = self._sends.get(event.id, {})
                sends.update((key, one._replace(owed=None)) for key, one in sends.items())

    async def edit(self, event_id: str, context: EventContext) -> None:
        """Replace the context of an event that is not final."""
        kept = self._events.get(event_id)
        if kept is not None and not kept.state.final:
            kept.context = context

    async def revive(self, event: Event, change: Change) -> None:
        """Let a final event wait again, without its notices."""
        if event.id not in self._events:
            return
        self._count_usage()
        self._events[event.id] = replace(event)
        self._uncounted[event.id] = None
        self._publish(change)
        sends = self._sends.get(event.id, {})
        for key in [key for key, send in sends.items() if send.by == "notice"]:
            del sends[key]

    async def keep_anchor(self, event: Event, message_id: int) -> None:
        """Keep which message of the bot's stands for an event."""
        if (kept := self._events.get(event.id)) is not None:
            kept.anchor_id = message_id
            self._sent.setdefault(message_id, Sent(event.id, None, 0))

    async def get(self, event_id: str) -> Event | None:
        """Return an event with its context, final or not."""
        event = self._events.get(event_id)
        return replace(event) if event else None

    async def find(self, message_id: int) -> Event | None:
        """Return the event of a message."""
        return await self.get(self._by_message.get(message_id, ""))

    async def turn(self, turn_id: str) -> Turn | None:
        """Return a turn with the event that speaks for it."""
        speaker_id, turn = self._turns.get(turn_id, ("", None))
        event = self._events.get(speaker_id)
        if turn is None or event is None:
            return None
        return replace(turn, events=(replace(event, context=NO_CONTEXT),))

    async def counts(self, where: Where) -> Mapping[State, int]:
        """Count the events by state."""
        return Counter(
            event.state for event in self._events.values() if where in (EVERYWHERE, event.guild_id)
        )

    async def changes(self, after: int = 0, limit: int = 100) -> Sequence[Mapping[str, Any]]:
        """Return envelopes in order."""
        kept = [one for _, one in self._changes.values()]
        later = [one for one in kept if one["metadata"]["sequence"] > after]
        return later[:limit]

    async def refuse(self, message_id: int, reason: str) -> None:
        """Remember for 24 h that a message was seen and why it was not accepted."""
        self._refusals[message_id] = (self._clock.time(), reason)
        self._refusals.move_to_end(message_id)
        while self._refusals:
            oldest = next(iter(self._refusals))
            if self._refusals[oldest][0] > self._clock.time() - REFUSAL_SECONDS:
                break
            del self._refusals[oldest]

    async def refusal(self, message_id: int) -> str | None:
        """Return the reason a message was refused for in the last 24 h, if it was."""
        at, reason = self._refusals.get(message_id, (float("-inf"), ""))
        return reason if at > self._clock.time() - REFUSAL_SECONDS else None

    async def conversation(self, agent_id: str, lane: str) -> str | None:
        """Return the conversation in which an agent talks in a lane."""
        return self._conversations.get((agent_id, lane))

    async def take_dm_conversations(
        self, user_id: int, channel_id: int | None
    ) -> list[tuple[str, str]]:
        """Forget in which conversations a person's direct messages are."""
        channels = {
            event.channel_id
            for event in self._events.values()
            if event.author_id == user_id and event.guild_id is None
        }
        lanes = {f"channel:{one}" for one in (*channels, channel_id)}
        found = [key for key in self._conversations if key[1] in lanes]
        return [(key[0], self._conversations.pop(key)) for key in found]

    async def take_conversations(self, lane: str) -> list[tuple[str, str]]:
        """Forget in which conversations a lane is."""
        found = [
            key for key in self._conversations if key[1] == lane or key[1].startswith(apart(lane))
        ]
        for key in found:
            self._sources.pop(key, None)
        return [(key[0], self._conversations.pop(key)) for key in found]

    async def set_conversation(
        self, agent_id: str, lane: str, conversation_id: str, *, fresh: bool = False
    ) -> None:
        """Point a lane to a conversation."""
        self._conversations[agent_id, lane] = conversation_id
        if fresh:
            self._sources.pop((agent_id, lane), None)

    async def add_source(self, agent_id: str, lane: str, place_id: int, gate: str) -> None:
        """Keep that a place was read into a lane's conversation."""
        self._sources.setdefault((agent_id, lane), {})[place_id] = gate

    async def sources(self, agent_id: str, lane: str) -> Mapping[int, str]:
        """Return the places that were read into a lane's conversation."""
        return dict(self._sources.get((agent_id, lane), {}))

    async def keep_offer(self, offer: Offer) -> None:
        """Keep a text that waits for a button's press."""
        self._offers[offer.id] = offer

    async def take_offer(self, offer_id: str) -> Offer | None:
        """Return an offer, and forget it with all whose time is up."""
        now = self._clock.time()
        found = self._offers.pop(offer_id, None)
        self._offers = {key: one for key, one in self._offers.items() if one.expires_at > now}
        return found if found is not None and found.expires_at > now else None

    async def record_send(self, event: Event, send: Send, *, lazily: bool = False) -> bool:  # noqa: ARG002 - as above
        """Keep a send of an event; one with the same key is replaced."""
        if event.id not in self._events:
            return False
        put_send(self._sends.setdefault(event.id, {}), send)
        # A reaction stands at a message of somebody's.
        for part, message_id in enumerate(send.message_ids if send.kind == "message" else ()):
            # What a message was first sent for is what it was sent for.
            self._sent.setdefault(message_id, Sent(event.id, event.turn_id, part))
        return True

    async def sends(self, event_id: str) -> Sequence[Send]:
        """Return what was sent for an event, oldest first."""
        return list(self._sends.get(event_id, {}).values())

    async def sent(self, message_id: int) -> Sent | None:
        """Return what a message of the bot's was sent for."""
        return self._sent.get(message_id)

    async def note(self, key: str, value: str) -> None:
        """Keep a small fact about Aurora itself."""
        self._notes[key] = value

    async def noted(self, key: str) -> str | None:
        """Return such a fact."""
        return self._notes.get(key)

    async def dm_channels(self, since: float) -> Sequence[int]:
        """Return the DM channels in which an event was accepted since then."""
        lately = [
            event.channel_id
            for event in reversed(self._events.values())
            if event.guild_id is None and event.accepted_at >= since
        ]
        return list(dict.fromkeys(lately))[::-1]

    async def forget_user(self, user_id: int) -> None:
        """Drop everything about a person."""
        self._count_usage()
        theirs = [one for one in self._events.values() if one.author_id == user_id]
        ids = {event.id for event in theirs}
        for event in theirs:
            if event.guild_id is None:
                self._strains.pop(event.lane, None)
        for turn_id in [key for key, (speaker, _) in self._turns.items() if speaker in ids]:
            del self._turns[turn_id]
        for event in theirs:
            self._drop(event)
        self._offers = {key: one for key, one in self._offers.items() if one.author_id != user_id}
        own = own_lane("", user_id)
        for kept in (self._conversations, self._sources):
            for key in [key for key in kept if key[1].endswith(own)]:
                del kept[key]
        self._changes = {
            key: (at, one)
            for key, (at, one) in self._changes.items()
            if one["metadata"]["user_id"] != str(user_id)
        }
        self._forget_memories(user_id)
        self._forget_usage(user_id)
        self._forget_schedules(user_id)
        self._forget_feedback(user_id)

    def _publish(self, change: Change) -> None:
        # A change has one id for ever: told to keep it twice, the store has kept it once.
        if change.id not in self._changes:
            self._sequence += 1
            self._changes[change.id] = (change.at, envelope(change, self._sequence))

    def _sweep(self) -> None:
        """Drop what is older than it is kept."""
        now = self._clock.time()
        limit = now - self._retention
        times = ((event, event.accepted_at) for event in self._events.values())
        old = [event for event in aged(times, limit, now) if event.state.final]
        if old:
            self._count_usage()
        for event in old:
            self._drop(event)
        gone, early = {event.id for event in old}, oldest_turn_id(now)
        for key in [key for key, one in self._turns.items() if key > early and one[0] in gone]:
            del self._turns[key]
        begun = takewhile(lambda item: item[0] < oldest_turn_id(limit), self._turns.items())
        for turn_id in [key for key, (speaker, _) in begun if not self._unfinished(speaker)]:
            del self._turns[turn_id]
        for key in aged(((key, at) for key, (at, _) in self._changes.items()), limit, now):
            del self._changes[key]
        self._drop_usage(now, min(limit, now - USAGE_SECONDS))

    def _unfinished(self, event_id: str) -> bool:
        event = self._events.get(event_id)
        return event is not None and not event.state.final

    def _drop(self, event: Event) -> None:
        del self._events[event.id]
        del self._by_message[event.message_id]
        self._uncounted.pop(event.id, None)
        if self._sends.pop(event.id, None):
            self._sent = {key: one for key, one in self._sent.items() if one.event_id != event.id}


def _kept(turn: Turn) -> Kept:
    # What a turn that is over had to say was said, or never will be.
    over = turn.ended_at is not None or turn.speaker.state.final
    return turn.speaker.id, replace(turn, events=(), answer=None if over else turn.answer)
