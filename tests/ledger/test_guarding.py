"""What is done to an open ledger from outside: a file taken away, a disk that takes no writes."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw
import pytest

from aurora.ledger import LedgerError, guarding
from aurora.ledger.sqlite import SqliteStore
from aurora.model import Event, State
from aurora.words import Phrase
from tests.support.clocks import FakeClock
from tests.support.disks import FailingDisk, no_file_longer_than, small_disk
from tests.support.events import make_event
from tests.support.rivals import rival_at
from tests.support.stores import FILE, change, files, sqlite_store, start

MINUTE = 60.0


class Watched:
    """A ledger in a folder of its own, and what its owner hears."""

    def __init__(self, folder: Path, clock: FakeClock, disk: FailingDisk) -> None:
        self.folder = folder
        self.clock = clock
        self.store = sqlite_store(clock, folder, vfs=disk.name)
        self.heard: list[str] = []
        self.events: list[Event] = []
        self.store.subscribe(self.hear)

    @property
    def path(self) -> Path:
        """Return where the file is."""
        return self.folder / FILE

    def hear(self, what: Phrase) -> None:
        """Note what the owner is told."""
        self.heard.append(str(what))

    async def accept(self, count: int = 3) -> None:
        """Accept something."""
        for _ in range(count):
            event = make_event(now=self.clock.time())
            assert await self.store.add(event, change(event))
            self.events.append(event)

    async def pass_time(self, seconds: float = MINUTE) -> None:
        """Let time go by, and the ledger do what is due."""
        await self.clock.advance(seconds)
        # What is due is done after what was asked for.
        for _ in range(2):
            await self.store.noted("anything")
        await asyncio.sleep(0)

    async def left(self) -> list[str]:
        """Return what the next start finds."""
        await self.store.close()
        found = await self.store.open()
        assert found.set_aside is None
        return [turn.speaker.id for turn in found.turns]

    async def left_by_a_kill(self, elsewhere: Path) -> list[str]:
        """Return what a start finds when the process dies now."""
        shutil.copytree(self.folder, elsewhere)
        store = sqlite_store(self.clock, elsewhere)
        found = await store.open()
        await store.close()
        assert found.set_aside is None
        return [turn.speaker.id for turn in found.turns]

    @property
    def ids(self) -> list[str]:
        """Return all that was accepted."""
        return [event.id for event in self.events]


@pytest.fixture
def disk() -> FailingDisk:
    """A disk that can fail."""
    return FailingDisk()


@pytest.fixture
async def watched(clock: FakeClock, tmp_path: Path, disk: FailingDisk) -> AsyncIterator[Watched]:
    """A ledger with something in it."""
    made = Watched(tmp_path / "data", clock, disk)
    await made.store.open()
    await made.accept()
    await made.pass_time()
    yield made
    disk.error = None
    await made.store.close()


# -- a file that is taken away


def delete(path: Path) -> None:
    """Delete the file alone."""
    path.unlink()


def delete_log(path: Path) -> None:
    """Delete the log beside it, in which all is that was written last."""
    Path(f"{path}-wal").unlink()


def delete_both(path: Path) -> None:
    """Delete the file and its log."""
    delete(path)
    delete_log(path)


def delete_folder(path: Path) -> None:
    """Delete the whole folder."""
    shutil.rmtree(path.parent)


def move(path: Path) -> None:
    """Rename the file."""
    path.rename(f"{path}.away")


def move_folder(path: Path) -> None:
    """Rename the folder."""
    path.parent.rename(path.parent.with_name("away"))


def replace_folder(path: Path) -> None:
    """Put another folder in the place of the one."""
    move_folder(path)
    path.parent.mkdir()


def replace_by_another(path: Path) -> None:
    """Put another database there."""
    other = Path(f"{path}.other")
    db = apsw.Connection(str(other))
    db.execute("CREATE TABLE other (x)")
    db.close()
    other.replace(path)


def replace_by_rubbish(path: Path) -> None:
    """Put something else there, with a log of its own."""
    delete_both(path)
    path.write_bytes(b"rubbish" * 1000)
    Path(f"{path}-wal").write_bytes(b"rubbish" * 1000)


def replace_by_nothing(path: Path) -> None:
    """Delete it, and leave an empty file."""
    path.unlink()
    path.touch()


def replace_log(path: Path) -> None:
    """Put something else in the place of the log."""
    delete_log(path)
    Path(f"{path}-wal").write_bytes(b"rubbish" * 1000)


def empty(path: Path) -> None:
    """Take the content and leave the file."""
    os.truncate(path, 0)


def replace_by_a_copy(path: Path) -> None:
    """Put an older state there, as one does who restores a backup."""
    old = Path(f"{path}.backup")
    shutil.copy(path, old)
    old.replace(path)


HARM = [
    delete,
    delete_log,
    delete_both,
    delete_folder,
    move,
    move_folder,
    replace_folder,
    replace_by_another,
    replace_by_rubbish,
    replace_by_nothing,
    replace_by_a_copy,
    replace_log,
    empty,
]


@pytest.mark.parametrize("harm", HARM)
async def test_a_file_that_is_taken_away_is_written_anew_with_all_there_is(
    watched: Watched, harm: Callable[[Path], None]
) -> None:
    """Within a minute; what came before, meanwhile and after survives the restart."""
    harm(watched.path)
    await watched.accept()
    await watched.pass_time()
    await watched.accept()
    assert await watched.left() == watched.ids


@pytest.mark.parametrize("harm", HARM)
async def test_a_kill_after_the_file_was_written_anew_loses_nothing(
    watched: Watched, harm: Callable[[Path], None], tmp_path: Path
) -> None:
    """Nor is anything of the old file's log taken for the new one's."""
    harm(watched.path)
    await watched.accept()
    await watched.pass_time()
    await watched.accept()
    assert await watched.left_by_a_kill(tmp_path / "after") == watched.ids


@pytest.mark.parametrize("harm", HARM)
async def test_the_owner_is_told_once_that_the_file_was_taken_away(
    watched: Watched, harm: Callable[[Path], None]
) -> None:
    """However long it is ago."""
    harm(watched.path)
    for _ in range(10):
        await watched.pass_time()
    (told,) = watched.heard
    assert f"{watched.path} was deleted, moved or replaced" in told
    assert "nothing is lost" in told


@pytest.mark.parametrize("harm", HARM)
async def test_what_was_deleted_just_before_the_end_is_written_anew_too(
    watched: Watched, harm: Callable[[Path], None]
) -> None:
    """Who deletes a file and reloads waits for no look at it."""
    harm(watched.path)
    await watched.accept()
    assert await watched.left() == watched.ids


@pytest.mark.parametrize("harm", HARM)
async def test_a_file_whose_log_is_empty_is_written_anew_as_well(
    watched: Watched, harm: Callable[[Path], None]
) -> None:
    """What was moved from the log into the file is there too."""
    await watched.store.edit(watched.events[0].id, watched.events[1].context)
    await watched.pass_time()
    harm(watched.path)
    await watched.pass_time()
    await watched.accept()
    assert await watched.left() == watched.ids


@pytest.mark.parametrize("step", ["put_in_place", "Tables.reconnect"])
@pytest.mark.parametrize(
    "harm", [delete, delete_both, delete_folder, move, replace_by_another, replace_by_rubbish]
)
async def test_a_kill_in_the_middle_of_writing_it_anew_loses_nothing(
    watched: Watched,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    harm: Callable[[Path], None],
    step: str,
) -> None:
    """From the moment on at which the copy is complete."""
    whole: Any = guarding
    *home, name = step.split(".")
    place = getattr(whole, home[0]) if home else whole
    go_on = getattr(place, name)

    def killed(*arguments: Any) -> None:
        shutil.copytree(watched.folder, tmp_path / "killed")
        go_on(*arguments)

    monkeypatch.setattr(place, name, killed)
    harm(watched.path)
    await watched.pass_time()
    store = sqlite_store(watched.clock, tmp_path / "killed")
    found = await store.open()
    await store.close()
    assert [turn.speaker.id for turn in found.turns] == watched.ids
    assert f"{FILE}.new" not in files(tmp_path / "killed")


async def test_a_file_that_is_taken_away_under_load_costs_nobody_anything(
    watched: Watched,
) -> None:
    """Whoever writes meanwhile is told that it is kept, and so it is."""
    for _ in range(5):
        delete_both(watched.path)
        await asyncio.gather(*(watched.accept(20) for _ in range(20)), watched.pass_time())
        await watched.pass_time()
        await watched.pass_time()
    assert len(watched.heard) == 5
    assert sorted(await watched.left()) == sorted(watched.ids)


async def test_a_file_that_is_taken_away_again_is_written_anew_again(watched: Watched) -> None:
    """And told again: it is another event."""
    for times in (1, 2, 3):
        delete_both(watched.path)
        await watched.accept()
        for _ in range(3):
            await watched.pass_time()
        assert len(watched.heard) == times
    assert await watched.left() == watched.ids


async def test_a_file_that_stays_where_it_is_is_left_alone(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is written to it."""
    before = watched.path.stat().st_ino
    for _ in range(30):
        await watched.accept(1)
        await watched.pass_time(10)
    assert watched.path.stat().st_ino == before
    assert (watched.heard, caplog.messages) == ([], [])
    assert files(watched.folder) == [FILE, f"{FILE}-wal"]


@pytest.mark.parametrize("harm", [replace_by_another, replace_by_rubbish, replace_by_a_copy])
async def test_what_stands_in_the_place_of_the_file_is_kept_and_named(
    watched: Watched, harm: Callable[[Path], None]
) -> None:
    """It may be somebody's backup."""
    harm(watched.path)
    there = watched.path.read_bytes()
    await watched.pass_time()
    (told,) = watched.heard
    (aside,) = [one for one in watched.folder.glob(f"{FILE}.found-*") if "-wal" not in one.name]
    assert str(aside) in told
    assert aside.read_bytes() == there


async def test_the_new_file_is_opened_like_the_first(watched: Watched) -> None:
    """With its syncs, its log, its erasure, and for one process alone."""
    names = ["locking_mode", "journal_mode", "synchronous", "secure_delete", "user_version"]
    names += ["wal_autocheckpoint", "journal_size_limit", "temp_store", "cache_size"]

    async def settings() -> list[object]:
        return [
            await watched.store._do(lambda tables, name=name: tables.db.pragma(name))
            for name in names
        ]

    before = await settings()
    delete_both(watched.path)
    await watched.pass_time()
    assert await settings() == before
    assert before[:4] == ["exclusive", "wal", 2, 1]
    with pytest.raises(LedgerError, match="in use"):
        await sqlite_store(watched.clock, watched.folder).open()


async def test_what_runs_goes_on_while_the_file_is_written_anew(watched: Watched) -> None:
    """It is no start: nothing comes back as interrupted, and changes keep their numbers."""
    event = watched.events[0]
    await start(watched.store, event)
    told = await watched.store.changes()
    delete(watched.path)
    await watched.pass_time()
    kept = await watched.store.get(event.id)
    assert kept is not None
    assert kept.state is State.RUNNING
    assert kept.context
    await watched.accept(1)
    assert list(await watched.store.changes())[:-1] == list(told)


async def test_a_file_that_can_not_be_written_anew_is_told_once_and_tried_again(
    watched: Watched,
) -> None:
    """With the reason; the owner must not stop the bot now, and hears when it may be stopped."""
    move_folder(watched.path)
    watched.folder.touch()
    for _ in range(5):
        await watched.accept(1)
        await watched.pass_time()
    (told,) = watched.heard
    assert f"{watched.folder} is no folder" in told
    assert "Do not stop the bot" in told
    watched.folder.unlink()
    for _ in range(2):
        await watched.pass_time()
    assert "nothing is lost" in watched.heard[1]
    assert len(watched.heard) == 2
    assert await watched.left() == watched.ids


async def test_a_disk_too_full_for_the_new_file_leaves_the_old_one_in_use(
    watched: Watched, disk: FailingDisk
) -> None:
    """And nothing half written behind."""
    delete(watched.path)
    disk.error, disk.only = apsw.FullError, ".new"
    await watched.pass_time()
    assert "the disk is full" in watched.heard[0]
    assert not list(watched.folder.glob("*.new"))
    await watched.accept()
    disk.error = None
    for _ in range(2):
        await watched.pass_time()
    assert await watched.left() == watched.ids


async def test_a_ledger_that_another_process_has_begun_there_is_not_taken_from_it(
    watched: Watched,
) -> None:
    """It would do the same in turn; its owner learns that there are two."""
    delete_both(watched.path)
    with rival_at(watched.path) as rival:
        there = watched.path.stat().st_ino
        for _ in range(3):
            await watched.pass_time()
        assert watched.path.stat().st_ino == there
        (told,) = watched.heard
        assert "in use by another running bot" in told
        await watched.accept()
        rival.end()
    for _ in range(2):
        await watched.pass_time()
    assert await watched.left() == watched.ids


async def test_a_large_file_that_was_emptied_is_told_once_as_damaged(
    watched: Watched,
) -> None:
    """What is in no cache any more can't be written anew; a reload begins a fresh one."""
    await watched.accept(300)
    for event in watched.events:
        event.context["message"]["content"] = "x" * 40_000
        await watched.store.edit(event.id, event.context)
    await watched.pass_time()
    assert size_of(str(watched.path)) > 10_000_000
    empty(watched.path)
    for _ in range(5):
        # What is still in the cache can be read, and nothing else.
        with suppress(LedgerError):
            await watched.pass_time()
    (told,) = watched.heard
    assert "is damaged. Reload Aurora" in told
    await watched.store.close()
    assert (await watched.store.open()).set_aside is not None


@pytest.mark.parametrize("there", [True, False])
async def test_a_copy_that_a_crash_left_half_way_is_put_in_place_or_cleared_away(
    watched: Watched, there: bool
) -> None:
    """Between taking the stranger's file away and putting ours there the power may fail."""
    await watched.store.close()
    copy = watched.folder / f"{FILE}.new"
    shutil.copy(watched.path, copy)
    if there:
        copy.write_bytes(b"half")
    else:
        watched.path.unlink()
    found = await watched.store.open()
    assert [turn.speaker.id for turn in found.turns] == watched.ids
    assert not copy.exists()


# -- a disk that takes no writes


async def fail(watched: Watched, count: int = 1) -> None:
    """Offer events that can't be kept."""
    for _ in range(count):
        event = make_event(now=watched.clock.time())
        with pytest.raises(LedgerError):
            await watched.store.add(event, change(event))
    await watched.store.noted("anything")
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (apsw.FullError, "the disk is full"),
        (apsw.IOError, "its disk fails"),
        (apsw.ReadOnlyError, "can't be written"),
        (apsw.CantOpenError, "can't be written"),
    ],
)
async def test_a_disk_that_takes_no_writes_is_told_once_and_once_that_it_does_again(
    watched: Watched, disk: FailingDisk, error: type[apsw.Error], named: str
) -> None:
    """Not for each message; and without one the end is found out too."""
    disk.error = error
    await fail(watched, 20)
    for _ in range(10):
        await watched.pass_time()
        await fail(watched)
    (told,) = watched.heard
    assert named in told
    assert "⚠️" in told
    disk.error = None
    await watched.pass_time()
    assert "can be written again" in watched.heard[1]
    await watched.accept()
    for _ in range(10):
        await watched.pass_time()
    assert len(watched.heard) == 2


async def test_a_second_failure_is_told_again(watched: Watched, disk: FailingDisk) -> None:
    """It is another one."""
    for times in (2, 4, 6):
        disk.error = apsw.FullError
        await fail(watched)
        disk.error = None
        await watched.pass_time(3600)
        assert len(watched.heard) == times


async def test_a_disk_that_comes_and_goes_is_told_less_and_less_often(
    watched: Watched, disk: FailingDisk
) -> None:
    """A nearly full one takes a small row, and the next one not."""
    for _ in range(200):
        disk.error = apsw.FullError
        await fail(watched)
        disk.error = None
        await watched.pass_time(5)
    assert len(watched.heard) <= 20


async def test_an_operation_that_is_at_fault_itself_is_no_fault_of_the_disk(
    watched: Watched,
) -> None:
    """Only who asked for it hears of it."""
    event = make_event(now=watched.clock.time(), channel_id=1 << 63)
    with pytest.raises(LedgerError):
        await watched.store.add(event, change(event))
    await watched.pass_time()
    assert watched.heard == []


async def test_content_that_can_not_be_erased_is_told_as_well(
    watched: Watched, disk: FailingDisk
) -> None:
    """The log takes all that is new, and the file nothing of what is in it."""
    disk.error, disk.only = apsw.FullError, "sqlite3"
    await watched.store.edit(watched.events[0].id, watched.events[1].context)
    for _ in range(5):
        await watched.pass_time()
    assert len(watched.heard) == 1
    disk.error = None
    await watched.pass_time()
    assert len(watched.heard) == 2


def size_of(name: str) -> int:
    """Return the length of a file."""
    return Path(name).stat().st_size


async def test_what_the_system_itself_refuses_is_told_in_its_words(
    clock: FakeClock, tmp_path: Path, disk: FailingDisk
) -> None:
    """A real limit, and no double of a disk."""
    watched = Watched(tmp_path / "data", clock, disk)
    watched.store = store = SqliteStore(watched.path, clock, retention=lambda: 0.0)
    store.subscribe(watched.hear)
    await store.open()
    await watched.accept()
    with no_file_longer_than(size_of(f"{watched.path}-wal")):
        await fail(watched, 3)
        for _ in range(3):
            await watched.pass_time()
        (told,) = watched.heard
    assert os.strerror(27) in told
    await watched.pass_time()
    await watched.accept()
    assert len(watched.heard) == 2
    assert await watched.left() == watched.ids
    await store.close()


async def test_a_real_disk_that_is_full_is_told_once_and_once_that_there_is_room(
    clock: FakeClock, tmp_path: Path, disk: FailingDisk
) -> None:
    """Also where what is small would still fit."""
    with small_disk(tmp_path / "disk") as small:
        watched = Watched(small.folder / "data", clock, disk)
        await watched.store.open()
        await watched.accept()
        small.fill()
        large = make_event(now=clock.time())
        large.context["message"]["content"] = "x" * 100_000
        for _ in range(5):
            with pytest.raises(LedgerError):
                await watched.store.add(large, change(large))
            await watched.pass_time(1)
        (told,) = watched.heard
        assert "the disk is full" in told
        small.free()
        await watched.pass_time()
        assert len(watched.heard) == 2
        assert await watched.store.add(large, change(large))
        await watched.store.close()
