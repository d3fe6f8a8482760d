"""What stands in the ledger's way, in words that help its owner."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from aurora.ledger import InUseError, LedgerError
from aurora.ledger.sqlite import SqliteStore
from aurora.ledger.trouble import explained
from tests.support.clocks import FakeClock
from tests.support.disks import small_disk
from tests.support.house import ROOT
from tests.support.stores import FILE, sqlite_store

ADVICE = "give the bot the right to write in"
NOBODY = 65534


async def begun(clock: FakeClock, folder: Path) -> SqliteStore:
    """Return the closed store of a folder in which a ledger was begun."""
    store = sqlite_store(clock, folder)
    await store.open()
    await store.close()
    return store


async def refusal(store: SqliteStore) -> str:
    """Return what the owner reads of a start."""
    with pytest.raises(LedgerError) as caught:
        await store.open()
    text = str(caught.value)
    # What a library calls its exceptions helps nobody.
    assert "Error" not in text
    return text


@pytest.mark.parametrize("there", ["a ledger", "a folder", "nothing"])
async def test_a_read_only_disk_is_named_and_the_folder_with_it(
    clock: FakeClock, tmp_path: Path, there: str
) -> None:
    """A container's data are easily mounted so."""
    with small_disk(tmp_path / "disk") as disk:
        folder = disk.folder / "data"
        if there == "a ledger":
            await begun(clock, folder)
        elif there == "a folder":
            folder.mkdir()
        disk.make_read_only()
        text = await refusal(sqlite_store(clock, folder))
    assert f"{ADVICE} {folder}" in text
    assert "mounted read-only" in text


OPENER = """
import asyncio, os, sys
from pathlib import Path
from aurora.clock import SystemClock
from aurora.ledger import LedgerError
from aurora.ledger.sqlite import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]), SystemClock(), retention=lambda: 0.0)
    if os.getuid() == 0:
        os.setgid(int(sys.argv[2]))
        os.setuid(int(sys.argv[2]))
    try:
        await store.open()
    except LedgerError as error:
        print(error)

asyncio.run(main())
"""


def as_nobody(path: Path) -> str:
    """Return what somebody reads who has no rights of an administrator."""
    command = [sys.executable, "-c", OPENER, str(path), str(NOBODY)]
    ran = subprocess.run(  # noqa: S603 - our own interpreter
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    )
    return ran.stdout


@pytest.mark.parametrize(
    ("folder", "file"), [(0o500, 0o600), (0o500, 0o400), (0o700, 0o400), (0o000, 0o600)]
)
async def test_rights_that_are_missing_are_asked_for(
    clock: FakeClock, tmp_path: Path, folder: int, file: int
) -> None:
    """For the file, for its folder, or for both."""
    data = tmp_path / "data"
    await begun(clock, data)
    path = data / FILE
    if os.getuid() == 0:
        for one in (path, data, *tmp_path.parents[:2], tmp_path):
            one.chmod(0o711)
        os.chown(path, NOBODY, NOBODY)
        os.chown(data, NOBODY, NOBODY)
    path.chmod(file)
    data.chmod(folder)
    try:
        text = as_nobody(path)
    finally:
        data.chmod(0o700)
    assert f"{ADVICE} {data}" in text
    assert "Error" not in text


def a_file_for_the_folder(folder: Path) -> str:
    """Put a file where the folder is to be."""
    folder.touch()
    return f"{folder} is no folder"


def a_file_for_a_folder_above(folder: Path) -> str:
    """Put a file where a folder above it is to be."""
    folder.parent.rmdir()
    folder.parent.touch()
    return f"{folder.parent} is no folder"


def a_folder_for_the_file(folder: Path) -> str:
    """Put a folder where the file is to be."""
    (folder / FILE).mkdir(parents=True)
    return f"{folder / FILE} is a folder"


def a_link_to_nowhere(folder: Path) -> str:
    """Put a link where the folder is to be, to what is not there."""
    folder.symlink_to(folder.parent / "nowhere" / "at all")
    return f"{folder} is no folder"


@pytest.mark.parametrize(
    "blocked",
    [
        a_file_for_the_folder,
        a_file_for_a_folder_above,
        a_folder_for_the_file,
        a_link_to_nowhere,
    ],
)
async def test_what_is_in_the_way_is_named(
    clock: FakeClock, tmp_path: Path, blocked: Callable[[Path], str]
) -> None:
    """With the advice that other missing rights get."""
    folder = tmp_path / "above" / "data"
    folder.parent.mkdir()
    named = blocked(folder)
    text = await refusal(sqlite_store(clock, folder))
    assert f"{ADVICE} {folder}" in text
    assert named in text


async def test_a_parent_that_is_missing_is_made(clock: FakeClock, tmp_path: Path) -> None:
    """However many are."""
    await begun(clock, tmp_path / "none" / "of" / "these")


async def test_a_disk_that_is_full_at_the_start_is_named(clock: FakeClock, tmp_path: Path) -> None:
    """Of a real disk."""
    with small_disk(tmp_path / "disk") as disk:
        disk.fill()
        assert "the disk is full" in await refusal(sqlite_store(clock, disk.folder))
        disk.free()


@pytest.mark.parametrize(
    ("error", "code", "named"),
    [
        (apsw.IOError("IOError: disk I/O error"), errno.EDQUOT, "share of the disk is used up"),
        (apsw.IOError("IOError: disk I/O error"), errno.ENOSPC, "the disk is full"),
        (apsw.IOError("IOError: disk I/O error"), errno.EIO, f"({os.strerror(errno.EIO)})"),
        (apsw.IOError("IOError: disk I/O error"), 0, "its disk fails. (disk I/O error)"),
        (apsw.FullError("FullError: database or disk is full"), 0, "the disk is full"),
        (OSError(errno.EDQUOT, "x"), 0, "share of the disk is used up"),
        (OSError(errno.ENOSPC, "x"), 0, "the disk is full"),
        (OSError(errno.ENAMETOOLONG, "x"), 0, f"({os.strerror(errno.ENAMETOOLONG)})"),
    ],
)
def test_what_the_system_says_decides_the_words(
    tmp_path: Path, error: Exception, code: int, named: str
) -> None:
    """A quota is no failing disk."""
    text = str(explained(tmp_path / FILE, error, code))
    assert named in text
    assert "Error" not in text


def test_a_ledger_in_use_has_an_error_of_its_own(tmp_path: Path) -> None:
    """Who meets it can wait; and it stays one however often it is explained."""
    told = explained(tmp_path / FILE, apsw.BusyError("BusyError: database is locked"))
    assert isinstance(told, InUseError)
    assert isinstance(explained(tmp_path / FILE, told), InUseError)
