"""Disks that fail, as SQLite VFSs over the real one, and real ones that are small or read-only."""

from __future__ import annotations

import itertools
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

_names = itertools.count(1)


class FailingDisk(apsw.VFS):
    """A disk that does all it is asked, until `error` is set: then no write succeeds.

    `only` narrows it to files whose name ends so ("-wal"). `blocked`, if set, is called before
    every sync. `is_full` is asked before every write.
    """

    def __init__(self) -> None:
        self.name = f"failing-{next(_names)}"
        self.error: type[apsw.Error] | None = None
        self.only = ""
        self.blocked: Any = None
        self.is_full: Callable[[], bool] = lambda: False
        self.syncs = 0
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        """Open a file of this disk."""
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: FailingDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        disk = self._disk
        if disk.error is not None and self._name.endswith(disk.only):
            raise disk.error("no room")
        if disk.is_full():
            raise apsw.FullError("no room")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.syncs += 1
        if self._disk.blocked is not None:
            self._disk.blocked()
        super().xSync(flags)


class SmallDisk:
    """A disk of a megabyte, mounted at a folder; only an administrator can mount one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave no room at all."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        """Make room again."""
        self._filler.unlink()

    def make_read_only(self) -> None:
        """Let nothing be written any more."""
        _mount("-o", "remount,ro", str(self.folder))


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """Let the system refuse what makes a file longer than so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Mount a small disk, or skip the test where that is not allowed."""
    folder.mkdir()
    try:
        _mount("-t", "tmpfs", "-o", "size=1m", "none", str(folder))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607 - as above


def _mount(*arguments: str) -> None:
    command = ["mount", *arguments]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own arguments
