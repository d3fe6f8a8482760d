"""Nothing that people wrote stays in the data folder (promise 13), and nothing for ever."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from aurora.ledger import EVERYWHERE
from aurora.ledger.sqlite import SqliteStore
from aurora.model import (
    NO_CONTEXT,
    Event,
    EventContext,
    State,
)
from tests.support.clocks import FakeClock
from tests.support.disks import FailingDisk
from tests.support.events import make_context, make_event
from tests.support.stores import (
    DAY,
    change,
    end,
    make_send,
    retry,
    sqlite_store,
    start,
)

MARK = b"a secret of somebody's"
SIZES = [10, 3_000, 5_000, 60_000]
"""Small, most of a page, more than a page, and a chain of overflow pages."""


@pytest.fixture
async def store(clock: FakeClock, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An open ledger."""
    made = sqlite_store(clock, tmp_path)
    await made.open()
    yield made
    await made.close()


def secret(size: int = 10) -> EventContext:
    """Return a context that is full of secrets."""
    context = make_context()
    context["message"]["content"] = MARK.decode() * (1 + size // len(MARK))
    return context


def found(folder: Path, mark: bytes = MARK) -> int:
    """Count a text in all files of a folder."""
    return sum(path.read_bytes().count(mark) for path in folder.iterdir())


async def gone(folder: Path, tries: int = 500) -> bool:
    """Wait until no secret is left."""
    for _ in range(tries):
        if not found(folder):
            return True
        await asyncio.sleep(0.01)
    return False


# -- erasure


@pytest.mark.parametrize("size", SIZES)
async def test_the_content_of_a_final_event_leaves_the_folder(
    store: SqliteStore, event: Event, tmp_path: Path, size: int
) -> None:
    """The file and its log, soon after the end."""
    event.context = secret(size)
    await store.add(event, change(event))
    assert found(tmp_path)
    turn = await start(store, event)
    turn.answer = MARK.decode() * (1 + size // len(MARK))
    await store.save_turn(turn)
    await end(store, turn)
    assert await gone(tmp_path)


@pytest.mark.parametrize("size", SIZES)
async def test_what_an_edit_replaced_leaves_the_folder(
    store: SqliteStore, event: Event, tmp_path: Path, size: int
) -> None:
    """Its author has taken it back."""
    event.context = secret(size)
    await store.add(event, change(event))
    await store.edit(event.id, make_context())
    assert await gone(tmp_path)


@pytest.mark.parametrize("size", SIZES)
async def test_what_a_forgotten_person_wrote_leaves_the_folder(
    store: SqliteStore, event: Event, tmp_path: Path, size: int
) -> None:
    """Whatever became of it."""
    event.context = secret(size)
    await store.add(event, change(event))
    await store.forget_user(event.author_id)
    assert await gone(tmp_path)


async def test_an_answer_that_is_taken_back_leaves_the_folder(
    store: SqliteStore, event: Event, tmp_path: Path
) -> None:
    """The next attempt may say something else."""
    await store.add(event, change(event))
    turn = await start(store, event)
    turn.answer = MARK.decode()
    await store.save_turn(turn)
    assert found(tmp_path)
    turn.answer = None
    await retry(store, turn)
    assert await gone(tmp_path)


async def test_a_close_leaves_no_content_of_final_events(
    store: SqliteStore, event: Event, tmp_path: Path
) -> None:
    """Even right after the end."""
    event.context = secret(5_000)
    await store.add(event, change(event))
    ending = asyncio.create_task(end(store, event))
    await asyncio.sleep(0)
    await store.close()
    await ending
    assert not found(tmp_path)


async def test_under_load_too_content_goes_within_seconds(
    store: SqliteStore, clock: FakeClock, event: Event, tmp_path: Path
) -> None:
    """Somebody is always writing, so the thread is never idle."""
    event.context = secret()
    await store.add(event, change(event))
    await end(store, event)
    busy = True

    async def keep_busy() -> None:
        while busy:
            await store.note("busy", "yes")

    tasks = [asyncio.create_task(keep_busy()) for _ in range(4)]
    await asyncio.sleep(0.2)
    await clock.advance(2.5)
    try:
        assert await gone(tmp_path)
    finally:
        busy = False
        await asyncio.gather(*tasks)


async def test_among_many_that_wait_only_their_own_content_stays(
    store: SqliteStore, clock: FakeClock, tmp_path: Path
) -> None:
    """Pages are split and joined meanwhile; no copy may be left behind by that."""
    rng, events = random.Random(1), []  # noqa: S311 - dice, no secret
    for number in range(600):
        one = make_event(now=clock.time(), message_id=10_000_000 + number)
        one.context["message"]["content"] = f"<{one.message_id}>" * rng.choice([1, 30, 90, 700])
        events.append(one)
    await asyncio.gather(*(store.add(one, change(one)) for one in events))
    rng.shuffle(events)
    ended, waiting = events[:450], events[450:]
    for first in range(0, len(ended), 50):
        await asyncio.gather(*(end(store, one) for one in ended[first : first + 50]))
        for one in rng.sample(waiting, 5):
            context = make_context()
            context["message"]["content"] = f"<{one.message_id}>" * rng.choice([1, 60, 500])
            await store.edit(one.id, context)
    await store.close()
    content = (tmp_path / "ledger.sqlite3").read_bytes()
    left = [one.message_id for one in ended if f"<{one.message_id}>".encode() in content]
    assert left == []
    assert all(f"<{one.message_id}>".encode() in content for one in waiting)


async def test_a_disk_that_fails_delays_the_erasure_and_no_more(
    clock: FakeClock, tmp_path: Path, event: Event, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried again, and said once."""
    disk = FailingDisk()
    store = sqlite_store(clock, tmp_path, vfs=disk.name)
    await store.open()
    event.context = secret()
    await store.add(event, change(event))
    disk.error, disk.only = apsw.FullError, "sqlite3"
    await end(store, event)
    assert not await gone(tmp_path, 30)
    assert caplog.text.count("can't grow") == 1
    disk.error = None
    assert await gone(tmp_path)
    await store.close()


# -- retention


def kept_for(folder: Path, clock: FakeClock, days: list[float]) -> SqliteStore:
    """Return a store whose retention can be changed."""
    return SqliteStore(folder / "ledger.sqlite3", clock, retention=lambda: days[0] * DAY)


async def counted(store: SqliteStore, table: str) -> int:
    """Count rows, after the sweep has had its turn."""
    rows: list[tuple[int]] = await store._do(
        lambda tables: tables.run(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608 - a test's own
    )
    return rows[0][0]


async def test_how_long_rows_are_kept_is_asked_anew(
    clock: FakeClock, tmp_path: Path, event: Event
) -> None:
    """The owner may change it at any time."""
    days = [30.0]
    store = kept_for(tmp_path, clock, days)
    await store.open()
    await store.add(event, change(event))
    await end(store, event)
    await clock.advance(20 * DAY)
    assert await store.get(event.id) is not None
    days[0] = 10.0
    await clock.advance(61)
    await store.note("a", "write")
    assert await store.get(event.id) is None
    await store.close()


async def test_rows_are_kept_for_seven_days_whatever_is_set(
    clock: FakeClock, tmp_path: Path, event: Event
) -> None:
    """Promise 2 needs them."""
    store = kept_for(tmp_path, clock, [0.0])
    await store.open()
    await store.add(event, change(event))
    await end(store, event)
    await clock.advance(7 * DAY - 1)
    await store.note("a", "write")
    assert await store.get(event.id) is not None
    await store.close()


async def test_a_setting_that_can_not_be_read_stops_nothing(
    clock: FakeClock, tmp_path: Path, event: Event, caplog: pytest.LogCaptureFixture
) -> None:
    """Rows are kept a little longer, and it is said."""
    store = SqliteStore(tmp_path / "ledger.sqlite3", clock, retention=lambda: 1 / 0)
    await store.open()
    assert await store.add(event, change(event)) is True
    await store.close()
    assert "Old rows can't be dropped" in caplog.text


async def test_old_rows_of_every_kind_go_a_bite_at_a_time(
    store: SqliteStore, clock: FakeClock
) -> None:
    """All of them in the end, without anybody asking for anything; what waits stays."""
    events = [make_event(now=clock.time(), channel_id=number) for number in range(1200)]
    await asyncio.gather(*(store.add(one, change(one)) for one in events))
    await asyncio.gather(*(store.refuse(number, "bot") for number in range(1200)))
    turns = await asyncio.gather(*(start(store, one) for one in events))
    for one in events:
        one.context = NO_CONTEXT
    await asyncio.gather(*(end(store, one) for one in turns[1:]))
    await store.record_send(events[1], make_send(message_ids=(5, 6)))
    await clock.advance(8 * DAY)
    assert await counted(store, "events") > 1
    for _ in range(500):
        if not await counted(store, "changes"):
            break
        await asyncio.sleep(0.01)
    tables = ("events", "turns", "changes", "refusals", "starts", "sends", "sent_messages")
    assert [await counted(store, table) for table in tables] == [1, 1, 0, 0, 0, 0, 0]
    assert await store.counts(EVERYWHERE) == {State.RUNNING: 1}
