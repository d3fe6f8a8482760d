"""What the tests of the stores share."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import apsw

from aurora.clock import Clock
from aurora.ledger import DEDUPE_SECONDS, Backlog, Store
from aurora.ledger.memory import MemoryStore
from aurora.ledger.opening import open_ledger
from aurora.ledger.sqlite import SqliteStore
from aurora.ledger.tables import Tables
from aurora.model import (
    NO_CONTEXT,
    Change,
    Event,
    Send,
    State,
    Turn,
)
from tests.support.clocks import FakeClock
from tests.support.events import make_turn

DAY = 24 * 3600.0
FILE = "ledger.sqlite3"
_ids = itertools.count(1)


def sqlite_store(clock: Clock, folder: Path, **opening: Any) -> SqliteStore:
    """Return the store of a folder, as a user gets it, but for how its file is opened."""
    opener = partial(open_ledger, **opening)
    return SqliteStore(folder / FILE, clock, retention=lambda: DEDUPE_SECONDS, opener=opener)


class Commits:
    """Counts the commits of a ledger that it opens."""

    def __init__(self) -> None:
        self.count = 0

    def open(self, path: Path, clock: Clock) -> tuple[Tables, Backlog]:
        """Open a ledger, in place of `open_ledger`."""
        tables, backlog = open_ledger(path, clock)
        run = tables.run

        def counting(statement: str, *values: Any) -> Any:
            self.count += statement == "COMMIT"
            return run(statement, *values)

        tables.run = counting
        return tables, backlog


STORES: dict[str, Callable[[FakeClock, Path], Store]] = {
    "memory": lambda clock, _folder: MemoryStore(clock),
    "sqlite": sqlite_store,
}


def tamper(folder: Path, statement: str, *values: Any) -> None:
    """Change a closed ledger behind its back."""
    db = apsw.Connection(str(folder / FILE))
    db.execute(statement, values)
    db.close()


def files(folder: Path) -> list[str]:
    """Return the names of what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def change(
    event: Event,
    step: str = "queued",
    *,
    at: float | None = None,
    turn: Turn | None = None,
    **more: str,
) -> Change:
    """Return the next change in an event's life."""
    cause, event.cause = event.cause, f"evt_change_{next(_ids)}"
    return Change(
        event_id=event.id,
        message_id=event.message_id,
        channel_id=event.channel_id,
        guild_id=event.guild_id,
        author_id=event.author_id,
        lane=event.lane,
        step=step,
        at=event.accepted_at if at is None else at,
        id=event.cause,
        cause=cause,
        agent_id=turn.agent_id if turn else None,
        turn_id=event.turn_id,
        attempt=turn.attempts if turn else 0,
        **more,
    )


def changes(turn: Turn, step: str) -> list[Change]:
    """Return the next change of each event of a turn."""
    return [change(event, step, turn=turn) for event in turn.events]


def make_send(key: str = "answer", **changes: object) -> Send:
    """Return a send."""
    fields = {"key": key, "kind": "message", "by": "tool", "channel_id": 1, "text_hash": "abc"}
    return Send(**(fields | changes))  # type: ignore[arg-type]


async def start(store: Store, what: Event | Turn, *, at: float | None = None) -> Turn:
    """Let a turn run, or an event in a turn of its own; return the turn."""
    turn = make_turn(what) if isinstance(what, Event) else what
    turn.started_at = at
    for event in turn.events:
        event.state = State.RUNNING
    await store.start(turn, changes(turn, "running"))
    return turn


async def retry(store: Store, turn: Turn) -> None:
    """Put a turn back."""
    for event in turn.events:
        event.state, event.context = State.WAITING, NO_CONTEXT
    await store.move(turn.events, changes(turn, "retrying"), [turn])


async def end(
    store: Store, what: Event | Turn, state: State = State.ANSWERED, why: str = ""
) -> None:
    """Bring a turn to its end, or an event of which no more is known."""
    turn = Turn((what,)) if isinstance(what, Event) else what
    for event in turn.events:
        event.state, event.reason = state, why
    turn.ended_at = turn.speaker.accepted_at
    await store.move(turn.events, changes(turn, state), [turn])


async def reopened(store: Store) -> list[Turn]:
    """Return what is unfinished, as the next start finds it."""
    await store.close()
    return list((await store.open()).turns)
