"""The ledger: what was accepted, what was sent for it, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..model import Event, Send, State


class Store(Protocol):
    """Where the ledger is kept. Every call returns only after its change is kept."""

    async def open(self) -> Sequence[Event]:
        """Open the store and return the unfinished events in the order of their acceptance."""
        ...

    async def close(self) -> None:
        """Release everything; further calls fail."""
        ...

    async def add(self, event: Event) -> bool:
        """Keep a new event; False if its message was accepted in the last 7 days (promise 2)."""
        ...

    async def save(self, event: Event) -> None:
        """Keep what changed in an event that is not final; one that was forgotten stays so."""
        ...

    async def finish(self, event: Event, state: State, reason: str) -> None:
        """Bring an event to a final state and forget its content (promise 13).

        Of an event that was forgotten nothing is kept.
        """
        ...

    async def get(self, event_id: str) -> Event | None:
        """Return an event, final or not."""
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

    async def set_conversation(self, agent_id: str, lane: str, conversation_id: str) -> None:
        """Point a lane to a conversation."""
        ...

    async def record_send(self, event_id: str, send: Send) -> None:
        """Keep a send of an event; one with the same key is replaced."""
        ...

    async def sends(self, event_id: str) -> Sequence[Send]:
        """Return what was sent for an event, oldest first."""
        ...

    async def forget_user(self, user_id: int) -> None:
        """Drop everything about a person: their events and what was sent for them."""
        ...
