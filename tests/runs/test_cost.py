"""What a mention costs: what the ledger is asked for, and in how many commits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aurora.agents.protocol import (
    Accepted,
    Reasoning,
    RunStarted,
    Text,
    ToolCalled,
    ToolReturned,
    Usage,
)
from aurora.ledger.sqlite import SqliteStore
from tests.support.clocks import FakeClock
from tests.support.scripts import ScriptedBackend, by_tool, done
from tests.support.stores import Commits
from tests.support.workers import Bench

MOST_COMMITS = 6
BEGUN: list[Any] = [Accepted(), RunStarted("run-1"), Usage(10, 5)]
TEXT = [*BEGUN, done("Hello.")]
CALL, BACK = ToolCalled("a", "discord_read_messages"), ToolReturned("a", is_error=False)
CALLING = [*BEGUN, Reasoning("hm"), CALL, BACK, Text("m", "Hello."), done("Hello.")]
SENT = [*BEGUN, by_tool("Hello."), done("I have answered.")]
SILENT = [*BEGUN, done("")]


class Counted:
    """A bench on a ledger on disk that notes the operations asked for, and counts commits."""

    def __init__(self, path: Path, tales: Sequence[Any]) -> None:
        clock, self._commits = FakeClock(), Commits()
        store = SqliteStore(path, clock, retention=lambda: 1e6, opener=self._commits.open)
        self.operations: list[str] = []
        self.bench = Bench(ScriptedBackend(*tales), clock=clock, store=store)
        self.bench.store.puts_off = False
        self._submit = store._do
        store._do = self._count  # type: ignore[method-assign]

    def _count(self, operation: Any, *args: Any, **options: Any) -> Any:
        self.operations.append(operation.__name__)
        return self._submit(operation, *args, **options)

    @property
    def _running(self) -> int:
        running: int = self.bench.queue.get_stats()["running"]
        return running

    async def ask(self) -> tuple[list[str], int]:
        """Have one mention answered; return the operations, and the commits that they took."""
        self.operations.clear()
        before = self._commits.count
        # Longer than the channel's pace.
        await self.bench.clock.advance(10)
        event = await self.bench.ask()
        async with asyncio.timeout(30):
            while self.bench.queue.find(event.message_id) or self._running:  # noqa: ASYNC110 - the ledger's thread has no event to wait for
                await asyncio.sleep(0.001)
        return self.operations, self._commits.count - before


@asynccontextmanager
async def counted(folder: Path, *tales: Any) -> AsyncIterator[Counted]:
    """Open a bench in which the lane has its conversation already."""
    made = Counted(folder / "ledger.sqlite3", tales)
    await made.bench.start()
    try:
        await made.ask()
        yield made
    finally:
        await made.bench.stop()
        await made.bench.kept_by.close()


@pytest.mark.parametrize(
    ("tale", "operations"),
    [
        (TEXT, ["add", "start", "save_turns", "record_send", "record_send", "move"]),
        # Its steps share the commits that there are.
        (
            CALLING,
            ["add", "start", "save_turns", "put_steps", "record_send", "record_send", "move"],
        ),
        (SENT, ["add", "start", "record_send", "record_send", "save_turns", "move"]),
        (SILENT, ["add", "start", "save_turns", "save_turns", "move"]),
    ],
    ids=["text", "calling", "sent", "silent"],
)
async def test_a_mention_takes_few_commits(
    tmp_path: Path, tale: Sequence[Any], operations: list[str]
) -> None:
    """One at a time, with nobody to share a commit with; and nothing is read back.

    It takes four or five. More would be a lazy one that a slow machine kept waiting for too long.
    """
    async with counted(tmp_path, tale, tale) as ledger:
        asked, commits = await ledger.ask()
        assert commits <= MOST_COMMITS
        assert asked == operations
