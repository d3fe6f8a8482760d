"""The open file of a ledger, and what is done to it as a whole; in the writer's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import apsw

from . import LedgerError
from .checking import Check
from .datafile import DataFile
from .files import keep_file_private
from .schema import INCREMENTAL, LOG_PAGES
from .trouble import explained

log = logging.getLogger("red.aurora.ledger")

_SPARE_PAGES = 256


class Database:
    """A connection to the file of a ledger."""

    def __init__(self, file: DataFile, db: apsw.Connection) -> None:
        self.file = file
        self._use(db)
        self.erased = False
        """Whether content was erased that the WAL may still hold."""
        self.unchecked = False
        """Whether the file is still to be looked through for damage."""
        self.check: Check | None = None
        """The look through the file that goes on; the file itself must not change under it."""

    @property
    def path(self) -> Path:
        """Return where the file is."""
        return self.file.path

    def _use(self, db: apsw.Connection) -> None:
        self.db = db
        # Rows are whatever the query says, which its stubs can't know.
        self.run: Callable[..., Any] = db.cursor().execute

    def reconnect(self) -> None:
        """Go on with the file that stands at the path now; all that is kept must be in it."""
        db, before = self.file.connect(), self.db
        try:
            # It is locked, and has its log, from the first look into it on.
            db.execute("BEGIN IMMEDIATE; ROLLBACK")
        except BaseException:
            db.close()
            raise
        self.end_check()
        self._use(db)
        before.close()
        self.erased = False

    def begin_check(self, done: Callable[[], None]) -> None:
        """Have the file looked through beside all else; `done` is called in its thread."""
        self.truncate()
        check = Check(self.file, done)
        check.start()
        self.check = check
        self.db.wal_autocheckpoint(0)

    def end_check(self) -> None:
        """Break the look through the file off, if it is not over; the file may change again."""
        if self.check is not None:
            self.check.stop()
            self.check = None
            self.db.wal_autocheckpoint(LOG_PAGES)

    def truncate(self) -> None:
        """Move all there is in the WAL into the file, and leave the WAL empty; ends a check."""
        self.end_check()
        self.run("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.erased = False

    def checkpoint(self) -> None:
        """Move what there is in the WAL into the file; a disk that fails is met again soon."""
        if self.check is None:
            with suppress(apsw.Error):
                self.run("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    @contextmanager
    def unsynced(self) -> Iterator[None]:
        """Let a transaction be on disk with the next one, and not before."""
        level = self._pragma("synchronous")
        self.run("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            self.run(f"PRAGMA synchronous={level}")

    def shrink(self) -> bool:
        """Give a free page back to the disk; True if more are free than will soon be needed."""
        free, pages = self._pragma("freelist_count"), self._pragma("page_count")
        if free <= max(_SPARE_PAGES, pages // 8) or self._pragma("auto_vacuum") != INCREMENTAL:
            return False
        self.run("PRAGMA incremental_vacuum(1)").fetchall()
        return True

    def copy(self, path: Path) -> None:
        """Write all that is kept into another file."""
        path.unlink(missing_ok=True)
        try:
            self.run("VACUUM INTO ?", (str(path),))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        keep_file_private(path)

    def touch(self) -> None:
        """Write what is there anew, to see whether the disk takes it."""
        self.run(f"PRAGMA user_version={self._pragma('user_version')}")

    def explained(self, error: Exception) -> LedgerError:
        """Return the error that tells the owner what is wrong and what to do."""
        return explained(self.path, error, self.db.system_errno)

    def close(self) -> None:
        """Close the file, leaving nothing beside it."""
        try:
            self.truncate()
        except apsw.Error:
            log.exception("The ledger could not be tidied up; the next start does it")
        self.db.close()

    # -- facts about Aurora, and about the file itself

    def note(self, key: str, value: str) -> None:
        """Keep a fact."""
        self.run("INSERT OR REPLACE INTO notes VALUES (?, ?)", (key, value))

    def forget_note(self, key: str) -> None:
        """Drop a fact."""
        self.run("DELETE FROM notes WHERE key = ?", (key,))

    def noted(self, key: str) -> str | None:
        """Return a fact."""
        return self._text("SELECT value FROM notes WHERE key = ?", (key,))

    # -- helpers

    def _pragma(self, name: str) -> int:
        value = self.db.pragma(name)
        return value if isinstance(value, int) else 0

    def _one(self, query: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        rows = self.run(query, values).fetchall()
        return rows[0] if rows else None

    def _text(self, query: str, values: tuple[Any, ...]) -> str | None:
        row = self._one(query, values)
        return str(row[0]) if row else None
