"""Disks that fail, as SQLite VFSs over the real one."""

from __future__ import annotations

import itertools
from typing import Any

import apsw

_names = itertools.count(1)


class FailingDisk(apsw.VFS):
    """A disk that does all it is asked, until `error` is set: then no write succeeds.

    `only` narrows it to files whose name ends so ("-wal"). `blocked`, if set, is called before
    every sync.
    """

    def __init__(self) -> None:
        self.name = f"failing-{next(_names)}"
        self.error: type[apsw.Error] | None = None
        self.only = ""
        self.blocked: Any = None
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
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.syncs += 1
        if self._disk.blocked is not None:
            self._disk.blocked()
        super().xSync(flags)
