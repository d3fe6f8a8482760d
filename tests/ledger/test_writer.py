"""The writer's thread: batches, failures, cancellation and its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from aurora.ledger import EVERYWHERE, LedgerError
from aurora.ledger.sqlite import SqliteStore
from aurora.model import Event, State
from tests.support.clocks import FakeClock
from tests.support.disks import FailingDisk
from tests.support.events import make_event, make_turn
from tests.support.stores import (
    FILE,
    Commits,
    change,
    end,
    make_send,
    sqlite_store,
    start,
)

BEYOND_SQLITE = 1 << 63


@pytest.fixture
def disk() -> FailingDisk:
    """A disk that can fail."""
    return FailingDisk()


@pytest.fixture
async def store(clock: FakeClock, tmp_path: Path, disk: FailingDisk) -> AsyncIterator[SqliteStore]:
    """An open ledger on the disk."""
    made = sqlite_store(clock, tmp_path, vfs=disk.name)
    await made.open()
    yield made
    disk.error = None
    await made.close()


def many(count: int, clock: FakeClock) -> list[Event]:
    """Return new events."""
    return [make_event(now=clock.time()) for _ in range(count)]


# -- batches


async def test_operations_that_come_together_share_a_commit(
    store: SqliteStore, clock: FakeClock, disk: FailingDisk
) -> None:
    """A sync takes longer than a hundred operations."""
    before = disk.syncs
    added = await asyncio.gather(*(store.add(one, change(one)) for one in many(100, clock)))
    assert all(added)
    assert disk.syncs - before == 1


async def test_nothing_is_confirmed_before_it_is_synced(
    store: SqliteStore, event: Event, disk: FailingDisk
) -> None:
    """Promise 1: accepted means that its row is committed."""
    synced = threading.Event()
    reached = threading.Event()

    def wait() -> None:
        reached.set()
        assert synced.wait(10)

    disk.blocked = wait
    adding = asyncio.create_task(store.add(event, change(event)))
    assert await asyncio.to_thread(reached.wait, 10)
    assert not adding.done()
    disk.blocked = None
    synced.set()
    assert await adding


async def test_more_than_fits_a_batch_is_kept_all_the_same(
    store: SqliteStore, clock: FakeClock
) -> None:
    """In several."""
    await asyncio.gather(*(store.add(one, change(one)) for one in many(600, clock)))
    assert await store.counts(EVERYWHERE) == {State.WAITING: 600}
    told = await store.changes(limit=1000)
    assert [one["metadata"]["sequence"] for one in told] == list(range(1, 601))


async def test_an_operation_that_fails_fails_alone(store: SqliteStore, clock: FakeClock) -> None:
    """The others of its batch are kept, and of it nothing."""
    good, bad, after = many(3, clock)
    bad.channel_id = BEYOND_SQLITE
    results = await asyncio.gather(
        store.add(good, change(good)),
        store.add(bad, change(bad)),
        store.record_send(good, make_send()),
        store.add(after, change(after)),
        return_exceptions=True,
    )
    assert [results[0], *results[2:]] == [True, True, True]
    assert isinstance(results[1], LedgerError)
    assert await store.get(bad.id) is None
    assert await store.get(after.id) == after
    assert list(await store.sends(good.id)) == [make_send()]


async def test_half_of_a_failed_operation_is_not_kept(
    store: SqliteStore, clock: FakeClock
) -> None:
    """State and change are kept together or not at all (promise 7)."""
    for one in (events := many(2, clock)):
        await store.add(one, change(one))
    turn = await start(store, make_turn(*events))
    turn.attempts = BEYOND_SQLITE
    with pytest.raises(LedgerError):
        await end(store, turn)
    assert await store.counts(EVERYWHERE) == {State.RUNNING: 2}
    assert len(await store.changes()) == 4


async def test_a_read_sees_what_was_asked_for_before_it(store: SqliteStore, event: Event) -> None:
    """Even when nobody has waited for the writes."""
    _, _, found = await asyncio.gather(
        store.add(event, change(event)), store.note("key", "value"), store.get(event.id)
    )
    assert found == event


# -- what is put off


async def test_what_is_asked_for_lazily_shares_the_next_commit(
    clock: FakeClock, tmp_path: Path
) -> None:
    """And stands before what is asked for after it, as it was then."""
    commits = Commits()
    store = SqliteStore(tmp_path / FILE, clock, retention=lambda: 1e6, opener=commits.open)
    await store.open()
    event, other = many(2, clock)
    await store.add(event, change(event))
    turn = await start(store, event)
    before = commits.count
    turn.answer = "kept"
    # No time passes in between, or it would have a commit of its own.
    await store.save_turn(turn, lazily=True)
    turn.answer = "not asked for"
    await store.record_send(event, make_send(), lazily=True)
    await store.add(other, change(other))
    assert commits.count - before == 1
    found = await store.turn(turn.id)
    assert found is not None
    assert found.answer == "kept"
    assert list(await store.sends(event.id)) == [make_send()]
    await store.close()


async def test_what_is_asked_for_lazily_is_kept_without_anything_to_share_a_commit_with(
    store: SqliteStore, event: Event, disk: FailingDisk
) -> None:
    """After a moment: what follows may take long to come."""
    await store.add(event, change(event))
    synced = threading.Event()
    disk.blocked = synced.set
    await store.record_send(event, make_send(), lazily=True)
    assert await asyncio.to_thread(synced.wait, 20)


async def test_a_read_sees_what_was_asked_for_lazily(store: SqliteStore, event: Event) -> None:
    """As if it had been kept at once."""
    await store.add(event, change(event))
    turn = await start(store, event)
    turn.run_id = "run-1"
    await store.save_turn(turn, lazily=True)
    found = await store.turn(turn.id)
    assert found is not None
    assert found.run_id == "run-1"


async def test_a_close_keeps_what_was_asked_for_lazily(store: SqliteStore, event: Event) -> None:
    """It is no crash."""
    await store.add(event, change(event))
    await store.record_send(event, make_send(), lazily=True)
    await store.close()
    await store.open()
    assert list(await store.sends(event.id)) == [make_send()]


async def test_what_was_asked_for_lazily_and_fails_fails_alone_and_is_told_of(
    store: SqliteStore, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody waits for it; the log says what is wrong."""
    event, other = many(2, clock)
    await store.add(event, change(event))
    turn = await start(store, event)
    turn.attempts = BEYOND_SQLITE
    await store.save_turn(turn, lazily=True)
    assert await store.add(other, change(other))
    assert "could not keep" in caplog.text
    assert await store.get(other.id) == other


# -- what is remembered


async def test_what_was_sent_for_a_turn_that_runs_is_remembered(
    store: SqliteStore, event: Event
) -> None:
    """From its start on, with what was sent before; nothing is read until it is over."""
    await store.add(event, change(event))
    await store.record_send(event, make_send("before"))
    turn = await start(store, event)
    await store._do(lambda tables: tables.run("DELETE FROM sends"))
    await store.record_send(event, make_send("begun"))
    await store.record_send(event, make_send("begun", message_ids=(5,)))
    sent = [make_send("before"), make_send("begun", message_ids=(5,))]
    assert list(await store.sends(event.id)) == sent
    await end(store, turn)
    assert list(await store.sends(event.id)) == sent[1:]


async def test_a_record_that_may_have_failed_is_looked_for_in_the_file(
    store: SqliteStore, event: Event
) -> None:
    """Its caller was cancelled; it was kept all the same."""
    await store.add(event, change(event))
    await start(store, event)
    recording = asyncio.create_task(store.record_send(event, make_send()))
    await asyncio.sleep(0)
    recording.cancel()
    with pytest.raises(asyncio.CancelledError):
        await recording
    assert list(await store.sends(event.id)) == [make_send()]


async def test_a_record_that_has_failed_is_not_remembered(
    store: SqliteStore, event: Event, disk: FailingDisk
) -> None:
    """The disk was full."""
    await store.add(event, change(event))
    await start(store, event)
    disk.error = apsw.FullError
    with pytest.raises(LedgerError):
        await store.record_send(event, make_send())
    disk.error = None
    assert list(await store.sends(event.id)) == []


# -- failing disks


@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError])
async def test_a_commit_that_fails_fails_its_whole_batch_and_nothing_after_it(
    store: SqliteStore, clock: FakeClock, disk: FailingDisk, error: type[apsw.Error]
) -> None:
    """None of it is kept; when the disk takes writes again, so does the store."""
    before, *lost = many(4, clock)
    await store.add(before, change(before))
    disk.error, disk.only = error, "-wal"
    results = await asyncio.gather(
        *(store.add(one, change(one)) for one in lost), return_exceptions=True
    )
    assert [type(result) for result in results] == [LedgerError] * 3
    assert len({id(result) for result in results}) == 3
    disk.error = None
    assert await store.counts(EVERYWHERE) == {State.WAITING: 1}
    again = await asyncio.gather(*(store.add(one, change(one)) for one in lost))
    assert again == [True] * 3


async def test_a_full_disk_is_named_as_such(
    store: SqliteStore, event: Event, disk: FailingDisk
) -> None:
    """With what to do about it."""
    disk.error = apsw.FullError
    with pytest.raises(LedgerError, match=r"ledger\.sqlite3 can't grow: the disk is full.*space"):
        await store.add(event, change(event))


async def test_a_transaction_too_big_for_memory_and_disk_fails_and_leaves_the_store_usable(
    store: SqliteStore, clock: FakeClock, disk: FailingDisk
) -> None:
    """SQLite then undoes it in the middle, not at the commit."""
    big = many(200, clock)
    for one in big:
        one.context["message"]["content"] = "x" * 100_000
    disk.error = apsw.FullError
    results = await asyncio.gather(
        *(store.add(one, change(one)) for one in big), return_exceptions=True
    )
    assert all(isinstance(result, LedgerError) for result in results)
    disk.error = None
    assert await store.add(big[0], change(big[0])) is True
    assert await store.counts(EVERYWHERE) == {State.WAITING: 1}


async def test_reads_go_on_while_the_disk_is_full(
    store: SqliteStore, event: Event, disk: FailingDisk
) -> None:
    """Status commands work when they are needed."""
    await store.add(event, change(event))
    disk.error = apsw.FullError
    assert await store.get(event.id) == event


# -- cancellation


async def test_what_a_cancelled_caller_asked_for_is_done(
    store: SqliteStore, clock: FakeClock
) -> None:
    """At once, or after the loop has turned; and the others of the batch get their answers."""
    events = many(6, clock)
    tasks = [asyncio.create_task(store.add(one, change(one))) for one in events]
    for turns, task in enumerate(tasks[:-1]):
        for _ in range(min(turns, 1)):
            await asyncio.sleep(0)
        task.cancel()
    assert await tasks[-1] is True
    await asyncio.gather(*tasks, return_exceptions=True)
    # The very first was cancelled before it could ask.
    assert await store.counts(EVERYWHERE) == {State.WAITING: 5}


async def test_a_start_cancelled_while_it_is_kept_can_be_found_again(
    store: SqliteStore, event: Event
) -> None:
    """It ran, as far as anybody can know."""
    await store.add(event, change(event))
    starting = asyncio.create_task(start(store, event))
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await store.close()
    (found,) = (await store.open()).turns
    assert (found.interrupted, found.crashes) == (True, 1)


async def test_an_opening_that_is_cancelled_leaves_nothing_open(
    clock: FakeClock, tmp_path: Path
) -> None:
    """No thread and no lock; it can be opened again."""
    store = sqlite_store(clock, tmp_path)
    opening = asyncio.create_task(store.open())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert not ledger_threads()
    await store.open()
    await store.close()


# -- the end


def ledger_threads() -> list[str]:
    """Return the threads that ledgers have."""
    return [one.name for one in threading.enumerate() if one.name.startswith("aurora-ledger")]


async def test_closing_finishes_what_was_asked_for(clock: FakeClock, tmp_path: Path) -> None:
    """And then ends the thread (promise 10)."""
    store = sqlite_store(clock, tmp_path)
    await store.open()
    assert len(ledger_threads()) == 1
    events = many(300, clock)
    adding = [asyncio.create_task(store.add(one, change(one))) for one in events]
    await asyncio.sleep(0)
    await store.close()
    assert not ledger_threads()
    assert all(await asyncio.gather(*adding))
    assert len((await store.open()).turns) == 300
    await store.close()


async def test_a_cancelled_close_still_closes(clock: FakeClock, tmp_path: Path) -> None:
    """Whoever closes again waits for the same end."""
    store = sqlite_store(clock, tmp_path)
    await store.open()
    closing = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await store.close()
    assert not ledger_threads()


async def test_after_the_close_every_call_says_that_it_is_closed(
    store: SqliteStore, event: Event
) -> None:
    """A second close does nothing."""
    await store.close()
    await store.close()
    with pytest.raises(LedgerError, match="closed"):
        await store.add(event, change(event))
    await store.open()


def test_a_loop_that_was_closed_does_not_kill_the_thread(
    clock: FakeClock, tmp_path: Path, disk: FailingDisk
) -> None:
    """Nobody is left to be told, but what was asked for is kept."""
    store, event = sqlite_store(clock, tmp_path, vfs=disk.name), make_event(now=clock.time())
    go, syncing = threading.Event(), threading.Event()

    def wait() -> None:
        syncing.set()
        assert go.wait(10)

    async def leave() -> None:
        await store.open()
        disk.blocked = wait
        adding = asyncio.create_task(store.add(event, change(event)))
        assert await asyncio.to_thread(syncing.wait, 10)
        adding.cancel()

    async def look() -> list[str]:
        again = sqlite_store(clock, tmp_path)
        found = [one.speaker.id for one in (await again.open()).turns]
        await again.close()
        return found

    asyncio.run(leave())
    disk.blocked = None
    go.set()
    (thread,) = [one for one in threading.enumerate() if one.name == "aurora-ledger"]
    assert thread.is_alive()
    assert store._writer is not None
    store._writer._queue.put(None)
    thread.join(10)
    assert not thread.is_alive()
    assert asyncio.run(look()) == [event.id]
