"""Opening the ledger's file, whatever state it is in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import apsw

from ..clock import Clock
from . import PACE_SECONDS, Backlog, LedgerError
from .files import BESIDE, copy_of, finish_copy, put_aside
from .schema import MIGRATIONS, migrate, prepare
from .tables import Tables
from .trouble import explained

log = logging.getLogger("red.aurora.ledger")

_BUSY_MS = 1000
"""A bot that is just exiting gets this long to let go of the file."""
# One thread uses the connection, so that SQLite need not guard it at every call.
_FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_NOMUTEX


def open_ledger(
    path: Path,
    clock: Clock,
    *,
    vfs: str | None = None,
    synchronous: str = "FULL",
    migrations: Sequence[str] = MIGRATIONS,
) -> tuple[Tables, Backlog]:
    """Open the ledger, or a fresh one if the file there can't be read.

    The last three are for tests: of disks that fail, of what is not synced, of other versions.
    Raises LedgerError if it is in use, can't be written, or is not for this version of Aurora.
    """
    connect = partial(_connected, path, vfs, synchronous)
    opened = partial(_opened, path, clock, connect, migrations)
    set_aside = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            finish_copy(path)
        try:
            tables, backlog = opened()
        except (apsw.NotADBError, apsw.CorruptError) as error:
            set_aside = put_aside(path, clock, "corrupt")
            # Without SQLite's own words, which may quote what stands in the file.
            kind = type(error).__name__
            log.error("The ledger could not be read (%s); it is now %s", kind, set_aside)  # noqa: TRY400 - see above
            tables, backlog = opened()
        copy_of(path).unlink(missing_ok=True)
    except (OSError, apsw.Error, LedgerError) as error:
        raise explained(path, error) from error
    return tables, replace(backlog, set_aside=set_aside)


def _opened(
    path: Path,
    clock: Clock,
    connect: Callable[[], apsw.Connection],
    migrations: Sequence[str],
) -> tuple[Tables, Backlog]:
    _ensure_begun(path)
    db = connect()
    try:
        _check(db)
        migrate(db, migrations)
        tables = Tables(path, db, connect)
        with db:
            turns = tables.recover()
        return tables, Backlog(turns, tables.starts(clock.time() - PACE_SECONDS))
    except BaseException:
        db.close()
        raise


def _connected(path: Path, vfs: str | None, synchronous: str) -> apsw.Connection:
    db = apsw.Connection(str(path), flags=_FLAGS, vfs=vfs)
    try:
        db.set_busy_timeout(_BUSY_MS)
        prepare(db, synchronous)
    except BaseException:
        db.close()
        raise
    return db


def _ensure_begun(path: Path) -> None:
    """Raise CorruptError if a ledger was here, and there is nothing in its file any more.

    SQLite would begin a new one in silence, and drop what the log beside it holds.
    """
    beside = {suffix for suffix in BESIDE if Path(f"{path}{suffix}").exists()}
    # A first start that was cut short leaves an empty file as well, but with a journal.
    empty = path.is_file() and path.stat().st_size <= 1 and "-journal" not in beside
    gone = "" not in beside and bool(beside & {"-wal", "-shm"})
    if empty or gone:
        raise apsw.CorruptError("the file is empty")


def _check(db: apsw.Connection) -> None:
    """Raise CorruptError if the file's structure is damaged."""
    found = db.cursor().execute("PRAGMA quick_check(1)").fetchall()
    if found != [("ok",)]:
        raise apsw.CorruptError(found[0][0])
