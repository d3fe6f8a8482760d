"""Opening the ledger's file, whatever state it is in."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import apsw

from ..clock import Clock
from . import ASKED_SECONDS, PACE_SECONDS, Backlog, LedgerError
from .checking import CHECK, DAMAGED, DUE, check
from .datafile import DataFile
from .files import BESIDE, copy_of, finish_copy, keep_private, put_aside
from .schema import make_shrinkable, migrate
from .tables import Tables
from .trouble import explained
from .versions import MIGRATIONS

log = logging.getLogger("red.aurora.ledger")

AT_ONCE = 16 << 20
"""Bytes of a file that is looked through at every start; a larger one takes too long for that."""


def open_ledger(
    path: Path,
    clock: Clock,
    *,
    vfs: str | None = None,
    synchronous: str = "FULL",
    migrations: Sequence[str] = MIGRATIONS,
    at_once: int = AT_ONCE,
) -> tuple[Tables, Backlog]:
    """Open the ledger, or a fresh one if the file there can't be read.

    What follows the clock is for tests: of disks that fail, of what is not synced, of other
    versions, of files that are large.
    Raises LedgerError if it is in use, can't be written, or is not for this version of Aurora.
    """
    opened = partial(_opened, DataFile(path, vfs, synchronous), clock, migrations, at_once)
    set_aside = None
    try:
        keep_private(path)
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
    return tables, backlog._replace(set_aside=set_aside)


def _opened(
    file: DataFile, clock: Clock, migrations: Sequence[str], at_once: int
) -> tuple[Tables, Backlog]:
    _ensure_begun(file.path)
    # Who closes a ledger leaves no log.
    died = Path(f"{file.path}-wal").exists()
    db = file.connect()
    try:
        small = file.path.stat().st_size <= at_once
        if small:
            check(db)
        migrate(db, migrations)
        make_shrinkable(db, small)
        tables = Tables(file, db)
        if not small:
            _plan_check(tables, died)
        with db:
            turns = tables.recover()
        now = clock.time()
        starts, asked = tables.starts(now - PACE_SECONDS), tables.asked(now - ASKED_SECONDS, now)
        return tables, Backlog(turns, starts, asked=asked)
    except BaseException:
        db.close()
        raise


def _plan_check(tables: Tables, died: bool) -> None:
    """Have a large file looked through after an unclean end; at once, if it is known as damaged.

    That is noted, so that a check that was broken off is not forgotten.
    """
    noted = tables.noted(CHECK)
    if noted == DAMAGED:
        check(tables.db)
        tables.forget_note(CHECK)
    elif died or noted == DUE:
        tables.unchecked = True
        tables.note(CHECK, DUE)


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
