"""Builders of events for tests that need no Discord."""

from __future__ import annotations

import itertools
from typing import Any

from aurora.ids import new_turn_id
from aurora.model import (
    Event,
    EventContext,
    Kind,
    Person,
    Turn,
)

_ids = itertools.count(1000)


def new_id() -> int:
    """Return an id that nothing has had yet; later ones are higher."""
    return next(_ids)


def make_context(
    *, message_id: int = 500, channel_id: int = 1, guild_id: int | None = 9, kind: Kind = "mention"
) -> EventContext:
    """Return a small, valid context."""
    author: Person = {
        "id": "7",
        "username": "ada",
        "display_name": "Ada",
        "global_name": None,
        "bot": False,
    }
    return {
        "kind": kind,
        "message": {
            "id": str(message_id),
            "author": author,
            "content": "hello",
            "at": 1_750_000_000.0,
            "extras": [],
            "cut": 0,
        },
        "place": {
            "channel_id": str(channel_id),
            "channel_name": "general",
            "type": "text",
            "guild_id": None if guild_id is None else str(guild_id),
            "guild_name": None if guild_id is None else "Guild",
            "parent_id": None,
            "parent_name": None,
        },
        "mentions": {"users": [], "roles": [], "channels": []},
        "chain": [],
        "bot": {"id": "42", "name": "Aurora"},
    }


def make_event(
    *,
    message_id: int | None = None,
    channel_id: int = 1,
    guild_id: int | None = 9,
    author_id: int = 7,
    now: float = 1_750_000_000.0,
    **changes: Any,
) -> Event:
    """Return a new event, each with a message of its own."""
    message_id = new_id() if message_id is None else message_id
    kind: Kind = "dm" if guild_id is None else "mention"
    event = Event(
        id=f"evt_{message_id}",
        kind=kind,
        message_id=message_id,
        channel_id=channel_id,
        guild_id=guild_id,
        author_id=author_id,
        context=make_context(
            message_id=message_id, channel_id=channel_id, guild_id=guild_id, kind=kind
        ),
        accepted_at=now,
        expires_at=now + 900.0,
    )
    for key, value in changes.items():
        setattr(event, key, value)
    return event


def make_turn(*events: Event, **changes: Any) -> Turn:
    """Return a turn of events, the last of which speaks; they are named after it."""
    turn = Turn(events, new_turn_id(max(event.accepted_at for event in events)))
    for key, value in changes.items():
        setattr(turn, key, value)
    for event in events:
        event.turn_id = turn.id
    return turn
