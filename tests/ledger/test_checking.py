"""A large file that is looked through for damage while the ledger is in use."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from aurora.clock import Clock
from aurora.ledger import Backlog, LedgerError, checking
from aurora.ledger.opening import open_ledger
from aurora.ledger.sqlite import SqliteStore
from aurora.ledger.tables import Tables
from aurora.model import Event
from aurora.words import Phrase
from tests.support.clocks import FakeClock
from tests.support.disks import FailingDisk
from tests.support.events import make_event
from tests.support.stores import FILE, change, sqlite_store

MARK = b"a reason that fills pages"
PAGE = 4096


class Large:
    """A ledger of which every file counts as large, and what its owner hears."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.folder = folder
        self.path = folder / FILE
        self.clock = clock
        self.disk = FailingDisk()
        self.store = sqlite_store(clock, folder, at_once=0, vfs=self.disk.name)
        self.heard: list[str] = []
        self.store.subscribe(self.hear)
        self.events: list[Event] = []

    def hear(self, what: Phrase) -> None:
        """Note what the owner is told."""
        self.heard.append(str(what))

    async def fill(self) -> None:
        """Keep enough for some pages."""
        for number in range(300):
            await self.store.refuse(number, MARK.decode())
        await self.accept()

    async def accept(self) -> None:
        """Accept something that waits."""
        event = make_event(now=self.clock.time())
        assert await self.store.add(event, change(event))
        self.events.append(event)

    async def die(self) -> None:
        """Leave the file as a kill does, with a log beside it."""
        await self.store.close()
        await asyncio.to_thread(Path(f"{self.path}-wal").touch)

    def harm(self) -> None:
        """Damage a page that no start reads."""
        content = self.path.read_bytes()
        start = content.index(MARK) // PAGE * PAGE
        self.path.write_bytes(content[:start] + os.urandom(8) + content[start + 8 :])

    async def pass_time(self, seconds: float = 60.0) -> None:
        """Let time go by, and the ledger do what is due."""
        await self.clock.advance(seconds)
        for _ in range(2):
            await self.store.noted("anything")
        await asyncio.sleep(0)

    async def looked_through(self) -> None:
        """Wait until nothing looks through the file any more."""
        async with asyncio.timeout(30):
            while await self.store._do(lambda tables: tables.check is not None):
                await self.store.noted("anything")
        await asyncio.sleep(0)

    async def found(self) -> list[str]:
        """Return what the next start finds."""
        await self.store.close()
        backlog = await self.store.open()
        assert backlog.set_aside is None
        return [turn.speaker.id for turn in backlog.turns]


class Slow:
    """A check that takes until it is let go, or is stopped."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()
        self.then: Callable[[apsw.Connection], None] = checking.check

    def check(self, db: apsw.Connection) -> None:
        """Look through a file, in place of `check`."""
        self.begun.set()
        while not self.go.is_set():
            db.execute(
                "WITH RECURSIVE numbers (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM numbers "
                "LIMIT 50000) SELECT count(*) FROM numbers"
            ).fetchall()
        self.then(db)

    async def wait(self) -> None:
        """Wait until it has begun."""
        assert await asyncio.to_thread(self.begun.wait, 30)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    """A check that goes on while other things happen."""
    made = Slow()
    monkeypatch.setattr(checking, "check", made.check)
    yield made
    made.go.set()


@pytest.fixture
async def large(clock: FakeClock, tmp_path: Path) -> Large:
    """A large ledger that a kill has left."""
    made = Large(tmp_path / "data", clock)
    await made.store.open()
    await made.fill()
    await made.die()
    return made


async def test_damage_is_told_once_and_the_next_start_sets_the_file_aside(large: Large) -> None:
    """Reload, the owner reads; so a reload must find what was found."""
    large.harm()
    assert (await large.store.open()).set_aside is None
    await large.looked_through()
    for _ in range(3):
        await large.pass_time()
    (told,) = large.heard
    assert "is damaged. Reload Aurora" in told
    await large.store.close()
    assert (await large.store.open()).set_aside is not None
    await large.store.close()


async def test_nothing_is_written_into_the_file_while_it_is_looked_through(
    large: Large, slow: Slow
) -> None:
    """It is read as one that never changes; what was erased goes from the log right after."""
    await large.store.open()
    await slow.wait()
    there = large.path.read_bytes()
    for _ in range(10):
        await large.accept()
        await large.store.edit(large.events[-1].id, large.events[0].context)
        await large.pass_time()
    assert large.path.read_bytes() == there
    slow.go.set()
    await large.looked_through()
    await large.pass_time()
    assert large.path.read_bytes() != there
    assert large.heard == []
    assert await large.found() == [event.id for event in large.events]
    await large.store.close()


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_file_that_is_taken_away_under_its_check_is_written_anew(
    large: Large, slow: Slow, replaced: bool
) -> None:
    """The check is broken off first; the copy has been read whole, and is due for no other."""
    await large.store.open()
    await slow.wait()
    await large.accept()
    large.path.unlink()
    if replaced:
        large.path.write_bytes(os.urandom(3 * PAGE))
    await large.pass_time()
    (told,) = large.heard
    assert "written it anew" in told
    assert await large.store._do(lambda tables: tables.check) is None
    assert await large.store.noted(checking.CHECK) is None
    await large.accept()
    log_pages = await large.store._do(lambda tables: tables.db.pragma("wal_autocheckpoint"))
    assert log_pages > 0
    assert await large.found() == [event.id for event in large.events]
    await large.store.close()


async def test_what_another_file_holds_is_not_told_as_damage(large: Large, slow: Slow) -> None:
    """The check may have opened what took the place of the ledger."""

    def replace(db: apsw.Connection) -> None:  # noqa: ARG001 - as a check is called
        large.path.unlink()
        large.path.write_bytes(os.urandom(3 * PAGE))
        raise apsw.CorruptError("rubbish")

    slow.then = replace
    slow.go.set()
    await large.store.open()
    await large.looked_through()
    (told,) = large.heard
    assert "written it anew" in told
    assert await large.found() == [large.events[0].id]
    await large.store.close()


async def test_a_disk_that_takes_no_writes_breaks_the_check_off_and_it_stays_due(
    large: Large, slow: Slow
) -> None:
    """Its log could only grow meanwhile."""
    await large.store.open()
    await slow.wait()
    large.disk.error = apsw.FullError
    with pytest.raises(LedgerError, match="disk is full"):
        await large.accept()
    await large.pass_time()
    large.disk.error = None
    await large.pass_time()
    assert "can be written again" in large.heard[-1]
    assert await large.store._do(lambda tables: tables.check) is None
    assert await large.store.noted(checking.CHECK) == checking.DUE
    await large.accept()
    await large.store.close()


async def test_a_disk_that_is_full_at_the_start_leaves_the_check_to_the_next(
    large: Large, clock: FakeClock
) -> None:
    """The ledger is open all the same, and can be read."""

    def opener(path: Path, clock: Clock) -> tuple[Tables, Backlog]:
        opened = open_ledger(path, clock, at_once=0, vfs=large.disk.name)
        large.disk.error, large.disk.only = apsw.FullError, "sqlite3"
        return opened

    store = SqliteStore(large.path, clock, retention=lambda: 0.0, opener=opener)
    assert len((await store.open()).turns) == 1
    assert await store.find(large.events[0].message_id)
    assert await store.noted(checking.CHECK) == checking.DUE
    large.disk.error = None
    await store.close()
