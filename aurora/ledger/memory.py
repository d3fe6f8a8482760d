"""The reference store: everything in memory, gone with the process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from ..clock import Clock
from ..model import Event, EventContext, Send, State

DEDUPE_SECONDS = 7 * 24 * 3600.0
REFUSAL_SECONDS = 24 * 3600.0


class MemoryStore:
    """A Store for tests and for bots that need not survive a restart."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: OrderedDict[str, Event] = OrderedDict()
        self._by_message: dict[int, str] = {}
        self._sends: dict[str, dict[str, Send]] = {}
        self._refusals: OrderedDict[int, tuple[float, str]] = OrderedDict()
        self._conversations: dict[tuple[str, str], str] = {}

    async def open(self) -> Sequence[Event]:
        """Return the unfinished events in the order of their acceptance."""
        return [event for event in self._events.values() if not event.state.final]

    async def close(self) -> None:
        """Release everything."""

    async def add(self, event: Event) -> bool:
        """Keep a new event; False if its message was accepted in the last 7 days."""
        self._sweep()
        if event.message_id in self._by_message:
            return False
        self._events[event.id] = replace(event)
        self._by_message[event.message_id] = event.id
        return True

    async def save(self, event: Event) -> None:
        """Keep what changed in an event that is not final; one that was forgotten stays so."""
        if event.id in self._events:
            self._events[event.id] = replace(event)

    async def finish(self, event: Event, state: State, reason: str) -> None:
        """Bring an event to a final state and forget its content."""
        event.state, event.reason = state, reason
        if event.id not in self._events:
            return
        # Nothing reads the context of a final event; erased, it cannot leak either.
        self._events[event.id] = replace(event, context=cast(EventContext, {}))

    async def get(self, event_id: str) -> Event | None:
        """Return an event, final or not."""
        event = self._events.get(event_id)
        return replace(event) if event else None

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

    async def set_conversation(self, agent_id: str, lane: str, conversation_id: str) -> None:
        """Point a lane to a conversation."""
        self._conversations[agent_id, lane] = conversation_id

    async def record_send(self, event_id: str, send: Send) -> None:
        """Keep a send of an event; one with the same key is replaced."""
        if event_id not in self._events:
            return
        self._sends.setdefault(event_id, {})[send.key] = send

    async def sends(self, event_id: str) -> Sequence[Send]:
        """Return what was sent for an event, oldest first."""
        return list(self._sends.get(event_id, {}).values())

    async def forget_user(self, user_id: int) -> None:
        """Drop everything about a person: their events and what was sent for them."""
        for event in [one for one in self._events.values() if one.author_id == user_id]:
            self._drop(event)

    def _sweep(self) -> None:
        """Drop what is older than any promise reaches, oldest first."""
        limit = self._clock.time() - DEDUPE_SECONDS
        while self._events:
            oldest = next(iter(self._events.values()))
            if oldest.accepted_at > limit or not oldest.state.final:
                return
            self._drop(oldest)

    def _drop(self, event: Event) -> None:
        del self._events[event.id]
        self._by_message.pop(event.message_id, None)
        self._sends.pop(event.id, None)
