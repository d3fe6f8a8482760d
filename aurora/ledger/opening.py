"""Opening the ledger's file, whatever state it is in."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import apsw

from ..clock import Clock
from ..words import ledger as w
from . import PACE_SECONDS, Backlog, LedgerError
from .schema import MIGRATIONS, migrate, prepare
from .tables import Tables

log = logging.getLogger("red.aurora.ledger")

_BUSY_MS = 1000
"""A bot that is just exiting gets this long to let go of the file."""
# One thread uses the connection, so that SQLite need not guard it at every call.
_FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_NOMUTEX
_BESIDE = ("", "-wal", "-shm", "-journal")


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
    opened = partial(_opened, path, clock, vfs, synchronous, migrations)
    set_aside = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            tables, backlog = opened()
        except (apsw.NotADBError, apsw.CorruptError) as error:
            set_aside = _set_aside(path, clock)
            # Without SQLite's own words, which may quote what stands in the file.
            kind = type(error).__name__
            log.error("The ledger could not be read (%s); it is now %s", kind, set_aside)  # noqa: TRY400 - see above
            tables, backlog = opened()
    except (OSError, apsw.Error, LedgerError) as error:
        raise explained(path, error) from error
    return tables, backlog._replace(set_aside=set_aside)


def explained(path: Path, error: Exception) -> LedgerError:
    """Return the error that tells the owner what is wrong and what to do."""
    match error:
        case LedgerError():
            text = error.phrase
        case apsw.BusyError() | apsw.LockedError():
            text = w.IN_USE
        case apsw.FullError():
            text = w.FULL
        case apsw.CantOpenError() | apsw.ReadOnlyError() | apsw.PermissionsError() | OSError():
            text = w.NOT_WRITTEN(folder=path.parent, error=error)
        case apsw.CorruptError() | apsw.NotADBError():
            text = w.DAMAGED
        case _:
            text = w.FAILED(error=f"{type(error).__name__}: {error}")
    told = LedgerError(text(path=path))
    told.__cause__ = error
    return told


def _opened(
    path: Path, clock: Clock, vfs: str | None, synchronous: str, migrations: Sequence[str]
) -> tuple[Tables, Backlog]:
    db = apsw.Connection(str(path), flags=_FLAGS, vfs=vfs)
    try:
        db.set_busy_timeout(_BUSY_MS)
        prepare(db, synchronous)
        _check(db)
        migrate(db, migrations)
        tables = Tables(path, db)
        with db:
            turns = tables.recover()
        return tables, Backlog(turns, tables.starts(clock.time() - PACE_SECONDS))
    except BaseException:
        db.close()
        raise


def _check(db: apsw.Connection) -> None:
    """Raise CorruptError if the file's structure is damaged."""
    found = db.cursor().execute("PRAGMA quick_check(1)").fetchall()
    if found != [("ok",)]:
        raise apsw.CorruptError(found[0][0])


def _set_aside(path: Path, clock: Clock) -> str:
    """Rename the file and what stands beside it to a name that is free; return the name."""
    stamp = datetime.fromtimestamp(clock.time(), UTC).strftime("%Y%m%dT%H%M%SZ")
    wanted = target = f"{path}.corrupt-{stamp}"
    number = 1
    while any(Path(f"{target}{suffix}").exists() for suffix in _BESIDE):
        number += 1
        target = f"{wanted}-{number}"
    for suffix in _BESIDE:
        source = Path(f"{path}{suffix}")
        if source.exists():
            source.rename(f"{target}{suffix}")
    return target
