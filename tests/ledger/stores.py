"""What the tests of the stores share."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from aurora.ledger import DEDUPE_SECONDS, Store
from aurora.ledger.memory import MemoryStore
from aurora.ledger.sqlite import SqliteStore
from aurora.model import (
    Change,
    Event,
    Send,
    State,
)
from tests.support.clocks import FakeClock

DAY = 24 * 3600.0
_ids = itertools.count(1)


def sqlite_store(clock: FakeClock, folder: Path, *, vfs: str | None = None) -> SqliteStore:
    """Return the store of a folder, as a user gets it."""
    path = folder / "ledger.sqlite3"
    return SqliteStore(path, clock, retention=lambda: DEDUPE_SECONDS, vfs=vfs)


STORES: dict[str, Callable[[FakeClock, Path], Store]] = {
    "memory": lambda clock, _folder: MemoryStore(clock),
    "sqlite": sqlite_store,
}


def change(event: Event, step: str = "queued", *, at: float | None = None, **more: str) -> Change:
    """Return the next change in an event's life."""
    cause, event.cause = event.cause, f"evt_change_{next(_ids)}"
    return Change(
        event_id=event.id,
        message_id=event.message_id,
        channel_id=event.channel_id,
        guild_id=event.guild_id,
        step=step,
        at=event.accepted_at if at is None else at,
        id=event.cause,
        cause=cause,
        **more,
    )


def send(key: str = "answer", **changes: object) -> Send:
    """Return a send."""
    fields = {"key": key, "kind": "message", "by": "tool", "channel_id": 1, "text_hash": "abc"}
    return Send(**(fields | changes))  # type: ignore[arg-type]


async def start(store: Store, event: Event, *, at: float | None = None) -> None:
    """Let a turn run."""
    for member in event.members:
        member.state, member.started_at = State.RUNNING, at
    await store.start(event, [change(member, "running") for member in event.members])


async def end(store: Store, event: Event, state: State = State.ANSWERED, why: str = "") -> None:
    """Bring an event to its end."""
    event.state, event.reason = state, why
    await store.move([event], [change(event, state)])


async def reopened(store: Store) -> list[Event]:
    """Return what is unfinished, as the next start finds it."""
    await store.close()
    return list((await store.open()).events)
