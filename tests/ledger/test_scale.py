"""Much that has ended costs nothing: counts, lists, the start, and the size of the file."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from aurora.ledger import EVERYWHERE, LedgerError, lists, rows, run_rows, sweep
from aurora.ledger.sqlite import SqliteStore
from aurora.model import Event, State
from aurora.words import Phrase
from tests.support.clocks import FakeClock
from tests.support.disks import FailingDisk
from tests.support.events import make_event
from tests.support.steps import steps_of
from tests.support.stores import DAY, FILE, change, end, files, sqlite_store, start

FEW, MANY = 100, 2000
LARGE = 17 << 20
SOON = 20.0


@pytest.fixture
async def store(clock: FakeClock, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An open ledger."""
    made = sqlite_store(clock, tmp_path)
    await made.open()
    yield made
    await made.close()


async def add(store: SqliteStore, clock: FakeClock, count: int, **more: Any) -> list[Event]:
    """Keep new events."""
    events = [make_event(now=clock.time(), **more) for _ in range(count)]
    assert all(await asyncio.gather(*(store.add(one, change(one)) for one in events)))
    return events


async def finished(store: SqliteStore, clock: FakeClock, count: int, **more: Any) -> None:
    """Keep events that are over; one in ten has failed."""
    states = [State.FAILED] + [State.ANSWERED] * 9
    for number, event in enumerate(await add(store, clock, count, **more)):
        turn = await start(store, event)
        await end(store, turn, states[number % 10])


async def until(what: Callable[[], Awaitable[object]]) -> None:
    """Wait for something that comes by itself."""
    async with asyncio.timeout(SOON):
        # What goes on in other threads has no event to wait for.
        while not await what():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)


# -- what is asked for


ASKED: dict[str, Callable[[SqliteStore], Awaitable[Any]]] = {
    "the counts of all": lambda store: store.counts(EVERYWHERE),
    "the counts of a guild": lambda store: store.counts(9),
    "the latest of a guild": lambda store: store.recent(9, limit=10),
    "the latest of a guild without any": lambda store: store.recent(7, limit=10),
    "the latest of all": lambda store: store.recent(EVERYWHERE, limit=10),
    "a guild's dead letters": lambda store: store.recent(8, states=[State.FAILED], limit=10),
    "all dead letters": lambda store: store.recent(EVERYWHERE, states=[State.CANCELLED]),
    "what waits in a guild": lambda store: store.recent(9, states=[State.WAITING]),
    "all that waits": lambda store: store.recent(EVERYWHERE, states=[State.WAITING]),
    "all that runs": lambda store: store.recent(EVERYWHERE, states=[State.RUNNING]),
    "what a person asked": lambda store: store.of_author(8, EVERYWHERE, limit=10),
    "a run by its name": lambda store: store.beginning("evt_01977420-c400-7000-8000-"),
    "the direct messages": lambda store: store.dm_channels(0.0),
}


@pytest.mark.long
async def test_what_is_asked_for_takes_as_long_with_many_as_with_few(
    store: SqliteStore, clock: FakeClock
) -> None:
    """It stands in the line of those whose messages are accepted."""

    async def steps() -> dict[str, int]:
        return {what: await steps_of(store, ask(store)) for what, ask in ASKED.items()}

    await add(store, clock, 3)
    await finished(store, clock, FEW, channel_id=5, guild_id=None)
    few = await steps()
    await finished(store, clock, MANY, channel_id=5, guild_id=None)
    await finished(store, clock, FEW)
    many = await steps()
    assert [what for what in ASKED if many[what] > few[what] + 1500] == []


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (lists.TALLY, (9,)),
        (lists.TALLY_OF_ALL, ()),
        (lists.ENDED, (9, "failed", 1)),
        (lists.ENDED, (None, "answered", 1)),
        (lists.UNANSWERED, ("expired", 1)),
        (lists.ANY, (5, 1)),
        (lists.ANY_OPEN, (5, 1)),
        (run_rows.ENDED_OF_AUTHOR, (7, 5, 1)),
        (run_rows.BY_PREFIX, ("evt_0", "evt_0")),
        (lists.DM_CHANNELS, (0.0,)),
        (rows.ASKED, (0.0, 1.0)),
        (rows.LISTED, (1,)),
        (rows.UNFINISHED, ()),
        (rows.UNFINISHED_TURNS, ()),
        (rows.OPEN_STATES, ()),
        (sweep.OLD_TURNS, ("", "turn_1", 1)),
    ],
)
async def test_no_query_walks_over_events_and_turns(
    store: SqliteStore, query: str, values: tuple[Any, ...]
) -> None:
    """As SQLite itself explains it."""
    steps = await store._do(
        lambda tables: tables.run(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
    )
    assert steps
    assert [step for *_, step in steps if re.match(r"SCAN (events|turns|changes)", step)] == []


async def test_what_has_ended_is_counted_and_listed_before_it_is_entered(
    clock: FakeClock, tmp_path: Path
) -> None:
    """Many are entered at once; who asks, revives, forgets or opens meanwhile notices nothing."""
    store = sqlite_store(clock, tmp_path)
    await store.open()
    kept, revived, _waiting = await add(store, clock, 3)
    other = make_event(now=clock.time(), author_id=77)
    await store.add(other, change(other))
    for event in (kept, revived, other):
        await end(store, await start(store, event), State.ANSWERED)
    revived.state = State.WAITING
    await store.revive(revived, change(revived, "queued"))
    await store.forget_user(77)
    await store.close()
    again = sqlite_store(clock, tmp_path)
    await again.open()
    assert await again.counts(9) == {State.ANSWERED: 1, State.WAITING: 2}
    assert await again.counts(EVERYWHERE) == {State.ANSWERED: 1, State.WAITING: 2}
    listed = await again.recent(9, states=[State.ANSWERED])
    assert [one.event.id for one in listed] == [kept.id]
    await end(again, await start(again, revived), State.FAILED)
    assert (await again.counts(9))[State.FAILED] == 1
    await again.close()


async def test_more_than_a_bite_of_what_waits_is_listed_newest_first(
    store: SqliteStore, clock: FakeClock
) -> None:
    """Wherever it waits, and whatever else there is."""
    waiting = await add(store, clock, lists.LOOKED_AT + 200)
    await finished(store, clock, 30)
    await finished(store, clock, 30, guild_id=8)
    running = waiting.pop(7)
    await start(store, running)

    async def listed(where: Any, *states: State) -> list[str]:
        return [one.event.id for one in await store.recent(where, states=states, limit=1100)]

    ids = [one.id for one in reversed(waiting)]
    assert await listed(9, State.WAITING) == ids[:1100]
    assert await listed(EVERYWHERE, State.WAITING) == ids[:1100]
    assert await listed(EVERYWHERE, State.RUNNING) == [running.id]
    assert await listed(8, State.WAITING) == []
    assert len(await listed(EVERYWHERE, State.ANSWERED)) == 54
    assert (await listed(9))[30:] == ids[:1070]


async def test_counts_are_right_after_an_operation_that_was_undone(
    store: SqliteStore, clock: FakeClock
) -> None:
    """What was noted of it is read anew."""
    good, bad = (make_event(now=clock.time()) for _ in range(2))
    bad.parent_id = 1 << 63
    results = await asyncio.gather(
        store.add(good, change(good)), store.add(bad, change(bad)), return_exceptions=True
    )
    assert [type(one) for one in results] == [bool, LedgerError]
    assert await store.counts(EVERYWHERE) == {State.WAITING: 1}
    turn = await start(store, good)
    turn.attempts = 1 << 63
    with pytest.raises(LedgerError):
        await end(store, turn)
    assert await store.counts(9) == {State.RUNNING: 1}
    assert [one.event.id for one in await store.recent(9)] == [good.id]


# -- the file


@pytest.mark.long
async def test_the_file_shrinks_when_old_rows_are_dropped(
    store: SqliteStore, clock: FakeClock, tmp_path: Path
) -> None:
    """A busy month must not take its room for ever."""
    await finished(store, clock, MANY)
    await store.note("of the size of much that ended", "x" * (4 << 20))
    await store.note("of the size of much that ended", "")
    await clock.advance(61)
    await store.close()
    await store.open()
    large = (tmp_path / FILE).stat().st_size
    await clock.advance(8 * DAY)

    async def gone() -> bool:
        free, left = await store._do(
            lambda tables: (
                tables.db.pragma("freelist_count"),
                tables.run("SELECT count(*) FROM changes").fetchall()[0][0],
            )
        )
        return bool(left == 0 and free <= 300)

    await store.note("wake", "up")
    await until(gone)
    await store.close()
    assert (tmp_path / FILE).stat().st_size < large / 2
    await store.open()
    assert await store._do(lambda tables: tables.db.pragma("integrity_check")) == "ok"


# -- what a start looks at


class ReadingDisk(FailingDisk):
    """A disk that counts how often it is read, by threads, and can hold up the check."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []
        self.held_up: threading.Event | None = None

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        """Open a file of this disk."""
        return _ReadFile(self, name, flags)


class _ReadFile(apsw.VFSFile):
    def __init__(self, disk: ReadingDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("", name, flags)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 - SQLite's name
        thread = threading.current_thread().name
        self._disk.reads.append(thread)
        if self._disk.held_up is not None and thread.endswith("check"):
            assert self._disk.held_up.wait(SOON)
        return super().xRead(amount, offset)


async def large_ledger(folder: Path, clock: FakeClock) -> SqliteStore:
    """Return an open ledger whose file takes too long to look through."""
    store = sqlite_store(clock, folder)
    await store.open()
    event = make_event(now=clock.time())
    event.context["message"]["content"] = "x" * LARGE
    await store.add(event, change(event))
    await store.close()
    await store.open()
    return store


async def died(store: SqliteStore, folder: Path) -> Path:
    """Return a folder as it is if the process dies now; the ledger is closed."""
    after = folder / "died"
    after.mkdir()
    await store.note("left", "in the log")
    for suffix in ("", "-wal"):
        (after / f"{FILE}{suffix}").write_bytes((folder / f"{FILE}{suffix}").read_bytes())
    await store.close()
    return after


def damage(folder: Path) -> None:
    """Write over a page of the file that no start looks at by itself."""
    # Closed, the log is in the file; an empty one says that the process died.
    db = apsw.Connection(str(folder / FILE))
    (page,) = next(db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'refusals_by_age'"))
    db.close()
    with (folder / FILE).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"?" * 4096)
    (folder / f"{FILE}-wal").touch()


async def test_a_large_ledger_that_was_closed_is_opened_without_reading_it(
    clock: FakeClock, tmp_path: Path
) -> None:
    """However large: a gigabyte takes a disk a quarter of a minute."""
    await (await large_ledger(tmp_path, clock)).close()
    disk = ReadingDisk()
    store = sqlite_store(clock, tmp_path, vfs=disk.name)
    await store.open()
    assert len(disk.reads) < 200
    await store.close()


async def test_after_a_kill_a_large_ledger_is_looked_through_beside_the_work(
    clock: FakeClock, tmp_path: Path, event: Event
) -> None:
    """Nobody waits for it; once it is done the next start has nothing to look at."""
    folder = await died(await large_ledger(tmp_path, clock), tmp_path)
    disk = ReadingDisk()
    disk.held_up = threading.Event()
    store = sqlite_store(clock, folder, vfs=disk.name)
    await store.open()
    assert await store.add(event, change(event))
    turn = await start(store, event)
    await end(store, turn)
    assert await store.noted("check") == "due"
    disk.held_up.set()

    async def looked_through() -> bool:
        return await store.noted("check") is None

    await until(looked_through)
    assert disk.reads.count("aurora-ledger-check") > 1000
    await store.close()
    assert files(folder) == [FILE]
    disk.reads.clear()
    await store.open()
    assert "aurora-ledger-check" not in disk.reads
    assert await store.counts(EVERYWHERE) == {State.WAITING: 1, State.ANSWERED: 1}
    await store.close()


async def test_a_look_that_was_broken_off_is_begun_again(clock: FakeClock, tmp_path: Path) -> None:
    """A clean end in the middle of it does not make the file a good one."""
    folder = await died(await large_ledger(tmp_path, clock), tmp_path)
    disk = ReadingDisk()
    disk.held_up = threading.Event()
    store = sqlite_store(clock, folder, vfs=disk.name)
    await store.open()
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    disk.held_up.set()
    await closing
    assert files(folder) == [FILE]
    assert not [one for one in threading.enumerate() if one.name.startswith("aurora-ledger")]
    disk.reads.clear()
    await store.open()

    async def looked_through() -> bool:
        return await store.noted("check") is None

    await until(looked_through)
    assert disk.reads.count("aurora-ledger-check") > 1000
    await store.close()


async def test_damage_that_is_found_is_told_and_the_next_start_sets_the_file_aside(
    clock: FakeClock, tmp_path: Path, event: Event
) -> None:
    """As for a damaged file that is found at the start."""
    folder = await died(await large_ledger(tmp_path, clock), tmp_path)
    damage(folder)
    store, told = sqlite_store(clock, folder), asyncio.Event()
    heard: list[Phrase] = []

    def tell(what: Phrase) -> None:
        heard.append(what)
        told.set()

    store.subscribe(tell)
    assert (await store.open()).set_aside is None
    async with asyncio.timeout(SOON):
        await told.wait()
    assert "damaged. Reload Aurora" in str(heard[0])
    assert await store.add(event, change(event))
    await store.close()
    assert (await store.open()).set_aside is not None
    assert await store.counts(EVERYWHERE) == {}
    await store.close()
