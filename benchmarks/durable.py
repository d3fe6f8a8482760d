"""The queue over a ledger on disk, as the cog wires them, and the events that go through it."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aurora.clock import SystemClock
from aurora.errors import Breakers
from aurora.ids import new_event_id
from aurora.ledger import Store
from aurora.ledger.sqlite import SqliteStore
from aurora.model import Event, EventContext
from aurora.queue import EXPIRY_SECONDS, Enqueued, MessageQueue
from aurora.queue.limits import WorkRules
from aurora.settings import Settings

from .freely import ASKING_FREELY

_RETENTION_SECONDS = 30 * 24 * 3600.0
_FIRST_ID = 1 << 60
_TEXT = "Could you look at the log of last night and tell us what went wrong there? " * 5


class _Kept:
    """Settings of many guilds: each has an agent of its own; nothing but the limits slows them."""

    def __init__(self, guilds: int) -> None:
        self._guilds = {
            _FIRST_ID + number: {
                "agent_id": f"agent-{number}",
                "enabled": True,
                "rate_limit_seconds": 0.0,
                "max_queue_size": 1_000_000,
                "coalesce_messages": False,
                **ASKING_FREELY,
            }
            for number in range(guilds)
        }

    async def load(self) -> tuple[Mapping[str, Any], Mapping[int, Mapping[str, Any]]]:
        return {}, self._guilds

    async def save(self, guild_id: int | None, key: str, value: Any) -> None:
        raise NotImplementedError("benchmarks change no setting")


class EventMaker:
    """Lanes in guilds, one author each; it makes their events, each with about 1 kB of context."""

    def __init__(self, lanes: int, guilds: int) -> None:
        self.lanes = lanes
        self.guilds = guilds
        self._ids = itertools.count(_FIRST_ID + (1 << 50))

    def event(self, lane: int) -> Event:
        """Make the next event of a lane; message ids count upwards."""
        message_id, now = next(self._ids), time.time()
        guild_id = _FIRST_ID + lane % self.guilds
        channel_id, author_id = guild_id + (lane + 1 << 20), guild_id + (lane + 1 << 32)
        return Event(
            id=new_event_id(now),
            kind="mention",
            message_id=message_id,
            channel_id=channel_id,
            guild_id=guild_id,
            author_id=author_id,
            context=_context(message_id, channel_id, guild_id, author_id, now),
            accepted_at=now,
            expires_at=now + EXPIRY_SECONDS,
        )


async def settings_of(guilds: int) -> Settings:
    """Return the settings of so many guilds, each with an agent of its own."""
    settings = Settings(_Kept(guilds))
    await settings.load()
    return settings


@asynccontextmanager
async def opened(path: Path, guilds: int) -> AsyncIterator[tuple[MessageQueue, Store]]:
    """Wire a queue to a ledger file, neither of them open yet; the file is closed at the end."""
    clock = SystemClock()
    settings = await settings_of(guilds)
    store = SqliteStore(path, clock, retention=lambda: _RETENTION_SECONDS)
    try:
        yield MessageQueue(store, WorkRules(settings, Breakers(clock)), clock), store
    finally:
        await store.close()


async def accept(queue: MessageQueue, event: Event) -> None:
    """Enqueue an event; raise SystemExit if it is not accepted."""
    enqueued = await queue.enqueue(event)
    if enqueued is not Enqueued.ACCEPTED:
        raise SystemExit(f"The measurement is void: an event was not accepted but {enqueued}.")


def _context(
    message_id: int, channel_id: int, guild_id: int, author_id: int, now: float
) -> EventContext:
    return {
        "kind": "mention",
        "message": {
            "id": str(message_id),
            "author": {
                "id": str(author_id),
                "username": "someone",
                "display_name": "Someone",
                "global_name": None,
                "bot": False,
            },
            "content": f"<@{_FIRST_ID}> {message_id}: {_TEXT}",
            "at": now,
            "extras": [],
            "cut": 0,
        },
        "place": {
            "channel_id": str(channel_id),
            "channel_name": "general",
            "type": "text",
            "guild_id": str(guild_id),
            "guild_name": "A guild like many",
            "parent_id": None,
            "parent_name": None,
        },
        "mentions": {"users": [], "roles": [], "channels": []},
        "chain": [],
        "bot": {"id": str(_FIRST_ID), "name": "Aurora"},
    }
