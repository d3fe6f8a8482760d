"""Where a ledger's file is, and how it is opened."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import apsw

from .files import keep_file_private
from .schema import prepare

_BUSY_MS = 1000
"""A bot that is just exiting gets this long to let go of the file."""
# One thread uses the connection, so that SQLite need not guard it at every call.
_FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_NOMUTEX
_FLAGS_TO_LOOK = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI


class DataFile(NamedTuple):
    """The path of a ledger, and what is special about how it is opened there.

    The latter is for tests: of disks that fail, of what is not synced.
    """

    path: Path
    vfs: str | None = None
    synchronous: str = "FULL"

    def connect(self) -> apsw.Connection:
        """Open the file that stands there now, to write it. Raises apsw errors."""
        db = apsw.Connection(str(self.path), flags=_FLAGS, vfs=self.vfs)
        try:
            keep_file_private(self.path)
            db.set_busy_timeout(_BUSY_MS)
            prepare(db, self.synchronous)
        except BaseException:
            db.close()
            raise
        return db

    def connect_to_look(self) -> apsw.Connection:
        """Open the file as one that never changes, for it is locked. Raises apsw errors."""
        address = f"file:{quote(str(self.path))}?immutable=1"
        return apsw.Connection(address, flags=_FLAGS_TO_LOOK, vfs=self.vfs)
