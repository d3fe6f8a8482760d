"""The ledger's file: how it is opened, who may, and what becomes of one that is damaged."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aurora.ledger import InUseError, LedgerError
from aurora.ledger.sqlite import SqliteStore
from aurora.model import Event, State
from tests.support.clocks import FakeClock
from tests.support.events import make_event, make_turn
from tests.support.house import ROOT
from tests.support.stores import (
    FILE,
    change,
    end,
    files,
    make_send,
    sqlite_store,
    start,
    tamper,
)

SECOND_BOT = """
import asyncio, sys
from pathlib import Path
from aurora.clock import SystemClock
from aurora.ledger import InUseError, LedgerError
from aurora.ledger.sqlite import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]), SystemClock(), retention=lambda: 0.0)
    try:
        await store.open()
    except LedgerError as error:
        print(error)
    else:
        await store.close()

asyncio.run(main())
"""


@pytest.fixture
async def store(clock: FakeClock, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An open ledger."""
    made = sqlite_store(clock, tmp_path)
    await made.open()
    yield made
    await made.close()


def opened_in(folder: Path) -> list[str]:
    """Return the open files of this process in a folder."""
    links = [os.path.realpath(f"/proc/self/fd/{one}") for one in os.listdir("/proc/self/fd")]
    return [link for link in links if link.startswith(str(folder))]


def second_bot(folder: Path) -> str:
    """Return what another process says that opens the ledger."""
    command = [sys.executable, "-c", SECOND_BOT, str(folder / FILE)]
    ran = subprocess.run(  # noqa: S603 - our own interpreter
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    )
    return ran.stdout


# -- how it is left


async def test_a_closed_ledger_is_one_file(
    store: SqliteStore, event: Event, tmp_path: Path
) -> None:
    """No log, no lock and no open file stay behind (promise 10)."""
    await store.add(event, change(event))
    await store.close()
    assert files(tmp_path) == [FILE]
    assert opened_in(tmp_path) == []


# -- damage


async def test_a_file_that_is_no_ledger_is_set_aside(clock: FakeClock, tmp_path: Path) -> None:
    """A fresh one is begun, and where the old one is, is said."""
    clock.jump(1_763_720_000 - clock.time())
    (tmp_path / FILE).write_bytes(b"not a database" * 1000)
    store = sqlite_store(clock, tmp_path)
    backlog = await store.open()
    await store.note("it", "works")
    await store.close()
    aside = tmp_path / f"{FILE}.corrupt-20251121T101320Z"
    assert backlog.set_aside == str(aside)
    assert aside.read_bytes() == b"not a database" * 1000


async def test_what_the_log_held_is_set_aside_too(
    store: SqliteStore, event: Event, clock: FakeClock, tmp_path: Path
) -> None:
    """Of a bot that died, with a damaged file: all that can be saved by hand is still there."""
    await store.close()
    await store.open()
    event.context["message"]["content"] = "only in the log"
    await store.add(event, change(event))
    died = tmp_path / "died"
    died.mkdir()
    for name in (FILE, f"{FILE}-wal"):
        (died / name).write_bytes((tmp_path / name).read_bytes())
    with (died / FILE).open("r+b") as file:
        assert b"only in the log" not in file.read()
        file.seek(0)
        file.write(b"?" * 4096 * 3)
    again = sqlite_store(clock, died)
    aside = (await again.open()).set_aside
    await again.close()
    assert aside is not None
    assert any(b"only in the log" in (died / name).read_bytes() for name in files(died))


async def test_what_was_set_aside_is_never_overwritten(clock: FakeClock, tmp_path: Path) -> None:
    """Even twice in one second."""
    for content in (b"first" * 1000, b"second" * 1000, b"third" * 1000):
        (tmp_path / FILE).write_bytes(content)
        store = sqlite_store(clock, tmp_path)
        await store.open()
        await store.close()
        (tmp_path / FILE).unlink()
    kept = {name: (tmp_path / name).read_bytes()[:5] for name in files(tmp_path)}
    assert sorted(kept.values()) == [b"first", b"secon", b"third"]


@pytest.mark.parametrize("page", [1, 3, 5])
async def test_a_damaged_page_is_found_at_the_start(
    store: SqliteStore, clock: FakeClock, tmp_path: Path, page: int
) -> None:
    """Before anything is built upon it."""
    for _ in range(50):
        one = make_event(now=clock.time())
        await store.add(one, change(one))
    await store.close()
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(page * 4096)
        file.write(os.urandom(4096))
    backlog = await store.open()
    assert backlog.set_aside is not None
    assert list(backlog.turns) == []


@pytest.mark.parametrize("left", [0, 1, 16, 99, 100, 512, 4095, 4096, 4097, 3 * 4096])
async def test_a_file_that_was_cut_off_is_set_aside(
    store: SqliteStore, event: Event, tmp_path: Path, left: int
) -> None:
    """Even one without a byte: what waited in it is gone, and its owner has to know."""
    await store.add(event, change(event))
    await store.close()
    os.truncate(tmp_path / FILE, left)
    backlog = await store.open()
    assert backlog.set_aside is not None
    (aside,) = [tmp_path / name for name in files(tmp_path) if ".corrupt-" in name]
    assert (str(aside), aside.stat().st_size) == (backlog.set_aside, left)
    await store.note("it", "works")


async def test_the_log_of_a_file_that_is_empty_or_gone_is_set_aside(
    store: SqliteStore, event: Event, clock: FakeClock, tmp_path: Path
) -> None:
    """SQLite would drop it in silence, with all that was written last."""
    await store.add(event, change(event))
    log = (tmp_path / f"{FILE}-wal").read_bytes()
    for name, empty in (("empty", True), ("gone", False)):
        died = tmp_path / name
        died.mkdir()
        (died / f"{FILE}-wal").write_bytes(log)
        if empty:
            (died / FILE).touch()
        again = sqlite_store(clock, died)
        aside = (await again.open()).set_aside
        await again.close()
        assert str(aside) in map(str, died.iterdir())
        assert any((died / one).read_bytes() == log for one in files(died))


async def test_a_first_start_is_silent(clock: FakeClock, tmp_path: Path) -> None:
    """Also the one after a first start that was cut short, which leaves a journal."""
    store = sqlite_store(clock, tmp_path)
    for name in ("", "-journal"):
        if name:
            for one in (FILE, f"{FILE}-journal"):
                (tmp_path / one).touch()
        assert (await store.open()).set_aside is None
        await store.close()
        (tmp_path / FILE).unlink()


@pytest.mark.parametrize("context", ["{not json", "[1, 2]", "null", ""])
async def test_a_context_that_can_not_be_read_stops_nobody_else(
    store: SqliteStore, clock: FakeClock, tmp_path: Path, context: str
) -> None:
    """Its event comes back and runs without one; the others of its turn have theirs."""
    events = [make_event(now=clock.time()) for _ in range(3)]
    for one in events:
        await store.add(one, change(one))
    await store.close()
    tamper(tmp_path, "UPDATE contexts SET context = ? WHERE event = 2", context)
    first, broken, last = (one.speaker for one in (await store.open()).turns)
    await start(store, make_turn(first, broken, last))
    assert [bool(one.context) for one in (first, broken, last)] == [True, False, True]
    kept = await store.get(broken.id)
    assert kept is not None
    assert not kept.context
    await end(store, broken, State.FAILED)


async def test_a_context_that_can_not_be_read_is_logged_without_it(
    store: SqliteStore, tmp_path: Path, event: Event, caplog: pytest.LogCaptureFixture
) -> None:
    """Promise 13 holds for what is broken too."""
    await store.add(event, change(event))
    await store.close()
    tamper(tmp_path, "UPDATE contexts SET context = 'something private'")
    await store.open()
    await store.get(event.id)
    assert event.id in caplog.text
    assert "private" not in caplog.text


async def test_an_answer_that_can_not_be_read_stops_no_start(
    store: SqliteStore, tmp_path: Path, event: Event, caplog: pytest.LogCaptureFixture
) -> None:
    """The turn comes back without it."""
    await store.add(event, change(event))
    turn = await start(store, make_turn(event, answer="something private"))
    await store.close()
    tamper(tmp_path, "UPDATE turns SET answer = 'something private'")
    (found,) = (await store.open()).turns
    assert (found.id, found.answer) == (turn.id, None)
    assert turn.id in caplog.text
    assert "private" not in caplog.text


# -- who may open it


async def test_a_second_bot_is_refused_and_told_what_to_do(
    store: SqliteStore, event: Event, tmp_path: Path
) -> None:
    """Two that answer the same messages would answer twice; the first goes on."""
    assert opened_in(tmp_path)
    told = await asyncio.to_thread(second_bot, tmp_path)
    assert "in use by another running bot. Stop that bot" in told
    assert str(tmp_path / FILE) in told
    assert await store.add(event, change(event)) is True


async def test_a_second_store_in_the_same_process_is_refused(
    store: SqliteStore, clock: FakeClock, tmp_path: Path
) -> None:
    """And leaves the first one's log where it is."""
    with pytest.raises(LedgerError, match="another running bot"):
        await sqlite_store(clock, tmp_path).open()
    await store.note("still", "works")


async def test_a_store_is_opened_once(store: SqliteStore) -> None:
    """A second thread on one file would be the end of it."""
    with pytest.raises(LedgerError, match="open already"):
        await store.open()


async def test_a_folder_that_can_not_be_written_is_named(clock: FakeClock, tmp_path: Path) -> None:
    """The owner has to know which."""
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "folder"
    with pytest.raises(LedgerError, match="the right to write in") as caught:
        await sqlite_store(clock, folder).open()
    assert str(folder) in str(caught.value)


async def test_a_missing_folder_is_made(clock: FakeClock, tmp_path: Path) -> None:
    """As on the first start."""
    store = sqlite_store(clock, tmp_path / "new" / "folder")
    await store.open()
    await store.close()


async def test_a_store_that_could_not_be_opened_can_be_tried_again(
    store: SqliteStore, clock: FakeClock, tmp_path: Path
) -> None:
    """When the other bot has gone."""
    second = sqlite_store(clock, tmp_path)
    with pytest.raises(LedgerError):
        await second.open()
    await store.close()
    await second.open()
    await second.record_send(make_event(), make_send())
    await second.close()


async def test_who_waits_for_a_ledger_does_not_begin_another_where_it_was_deleted(
    store: SqliteStore, event: Event, clock: FakeClock, tmp_path: Path
) -> None:
    """The lock went with the file, but the bot that has it is about to write it anew."""
    second = sqlite_store(clock, tmp_path)
    with pytest.raises(InUseError):
        await second.open()
    await store.add(event, change(event))
    for name in files(tmp_path):
        (tmp_path / name).unlink()
    with pytest.raises(InUseError):
        await second.open()
    assert files(tmp_path) == []
    await clock.advance(20)
    await store.noted("anything")
    await store.noted("anything")
    with pytest.raises(InUseError):
        await second.open()
    await store.close()
    assert [turn.speaker.id for turn in (await second.open()).turns] == [event.id]
    await second.close()


async def test_who_waits_for_a_ledger_that_is_gone_for_good_begins_another(
    clock: FakeClock, tmp_path: Path
) -> None:
    """The other has died with it, or it would be there again."""
    second = sqlite_store(clock, tmp_path / "data")
    first = sqlite_store(clock, tmp_path / "data")
    await first.open()
    with pytest.raises(InUseError):
        await second.open()
    await first.close()
    (tmp_path / "data" / FILE).unlink()
    await clock.advance(61)
    await second.open()
    await second.close()
