"""What the server keeps: the tables of Postgres, and what it puts into Redis."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import uuid4

from .ids import new_id, now

Json = dict[str, Any]


@dataclass(slots=True)
class Record:
    """One stored message: the entries that listings show of it, and what the model sees of it."""

    id: str
    role: str
    entries: list[Json]
    chat: list[Json]
    position: int = 0
    calls: tuple[Json, ...] = ()
    waiting: frozenset[str] = frozenset()
    returned: frozenset[str] = frozenset()
    step_id: str | None = None


@dataclass(slots=True)
class Thread:
    """A conversation, or an agent's main thread (id None)."""

    agent_id: str
    id: str | None = None
    summary: str | None = None
    records: list[Record] = field(default_factory=list)
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    last_message: datetime | None = None

    @property
    def lock_key(self) -> str:
        """Name what is locked while a run is active here."""
        return self.id or self.agent_id

    def add(self, records: Iterable[Record], position: int) -> int:
        """Store messages from `position` on and return the next one.

        Two runs at a time count from the same position: that is how their messages get mixed.
        """
        for record in records:
            record.position = position
            position += 1
            self.records.append(record)
        self.records.sort(key=lambda record: record.position)
        self.last_message = now()
        return position


@dataclass(slots=True)
class Agent:
    """An agent with the names of its tools."""

    name: str
    system: str
    tools: list[str]
    model: str
    parallel_tool_calls: bool = False
    tags: list[str] = field(default_factory=list)
    blocks: list[Json] = field(default_factory=list)
    approvals: set[str] = field(default_factory=set)
    last_stop_reason: str | None = None
    id: str = field(default_factory=lambda: new_id("agent"))
    created: datetime = field(default_factory=now)


@dataclass(slots=True)
class Run:
    """One run as Postgres knows it, with the tokens and messages it has brought so far."""

    agent_id: str
    thread: Thread
    background: bool
    kind: str
    return_types: list[str] | None = None
    id: str = field(default_factory=lambda: new_id("run"))
    status: str = "running"
    stop_reason: str | None = None
    error: Json | None = None
    created: datetime = field(default_factory=now)
    completed: datetime | None = None
    records: list[Record] = field(default_factory=list)
    steps: list[Json] = field(default_factory=list)
    stuck: bool = False
    """Whether its end, unless it is cancelled, is not written any more."""

    @property
    def active(self) -> bool:
        """Say whether the run still counts as running."""
        return self.status == "running"

    @property
    def cancelled(self) -> bool:
        """Say whether somebody has cancelled the run."""
        return self.status == "cancelled"

    def end(self, status: str, stop_reason: str, error: Json | None = None) -> None:
        """Write the end of the run, unless it was cancelled meanwhile."""
        if not self.active or (self.stuck and status != "cancelled"):
            return
        self.status, self.stop_reason, self.error = status, stop_reason, error
        self.completed = now()


class Stream:
    """The events of a run: written once, read from any place, by any number of readers."""

    def __init__(self, *, numbered: bool) -> None:
        self.events: list[str] = []
        self.closed = False
        self._dead = False
        self._numbered = numbered
        self._news = asyncio.Event()

    def seq_id(self, position: int) -> int | None:
        """Give the number of the event at `position`, where events are numbered."""
        return position if self._numbered else None

    def put(self, frame: Json, *, error: bool = False) -> None:
        """Append a frame; only streams in Redis number their frames."""
        if self._numbered and "seq_id" in frame:
            frame = {**frame, "seq_id": len(self.events) + 1}
        text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
        head = "event: error\n" if error else ""
        self.events.append(f"{head}data: {text}\n\n")
        self._wake()

    def done(self) -> None:
        """Append the end marker and close."""
        self.events.append("data: [DONE]\n\n")
        self.close()

    def close(self) -> None:
        """Tell the readers that nothing follows."""
        self.closed = True
        self._wake()

    def die(self) -> None:
        """Let nothing more be read, and no end: what held the events is gone."""
        self._dead = True

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def more(self, after: int, timeout: float | None) -> bool:
        """Wait until there are events after that many, or the end; False after the timeout."""
        try:
            async with asyncio.timeout(timeout):
                while self._dead or not (len(self.events) > after or self.closed):
                    await self._news.wait()
        except TimeoutError:
            return False
        return True


class Redis:
    """Locks, otids and background streams; they outlive the server's process.

    A lock ends by itself after `lock_seconds`.
    """

    def __init__(self, lock_seconds: float) -> None:
        self._lock_seconds = lock_seconds
        self.otids: dict[str, str] = {}
        self.streams: dict[str, Stream] = {}
        self.last_run: dict[str, str] = {}
        self._locks: dict[str, tuple[str, float]] = {}

    def holder(self, key: str) -> str | None:
        """Name the run that holds a lock."""
        run_id, until = self._locks.get(key, ("", 0.0))
        return run_id if until > monotonic() else None

    def lock(self, key: str, run_id: str) -> None:
        """Take a lock for a run."""
        self._locks[key] = (run_id, monotonic() + self._lock_seconds)

    def unlock(self, key: str, run_id: str) -> None:
        """Free a lock if that run still holds it."""
        if self.holder(key) == run_id:
            del self._locks[key]


class Store:
    """Everything that the server's data bases hold."""

    def __init__(self, redis: Redis | None) -> None:
        self.agents: dict[str, Agent] = {}
        self.threads: dict[str, Thread] = {}
        self.main: dict[str, Thread] = {}
        self.runs: dict[str, Run] = {}
        self.redis = redis
        self.redis_is_lost = False
        """Whether there was one, and the server does not reach it any more."""

    def active(self, thread: Thread) -> list[Run]:
        """List the active runs of a thread, newest first."""
        return [run for run in self.newest() if run.active and run.thread is thread]

    def newest(self) -> list[Run]:
        """List all runs, newest first."""
        return list(reversed(self.runs.values()))


def request_token(otids: Sequence[str]) -> str:
    """Name a request by the otids of all its messages, as the server does for its dedupe."""
    if not otids:
        return str(uuid4())
    return hashlib.sha256("|".join(otids).encode()).hexdigest()[:16]
