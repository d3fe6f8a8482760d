"""How a file becomes a ledger, and an older ledger one of today."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import apsw

from ..words import ledger as w
from . import LedgerError
from .versions import MIGRATIONS

log = logging.getLogger("red.aurora.ledger")

INCREMENTAL = 2
"""What the pragma `auto_vacuum` says of a file that can shrink."""

LOG_PAGES = 2000
"""Pages of the log after which it is moved into the file."""

# EXCLUSIVE comes first: with it the index of the WAL lives in memory, and no second process can
# open the file. FULL syncs at every commit (promise 1), and fullfsync makes macOS mean it.
# secure_delete overwrites what is erased, and temporary files would be copies outside its reach.
# A new file can shrink; that is settled before it has a page.
PRAGMAS = (
    "locking_mode=EXCLUSIVE",
    "auto_vacuum=INCREMENTAL",
    "journal_mode=WAL",
    "fullfsync=ON",
    "checkpoint_fullfsync=ON",
    "secure_delete=ON",
    "temp_store=MEMORY",
    "mmap_size=0",
    f"wal_autocheckpoint={LOG_PAGES}",
    "journal_size_limit=16777216",
    "cache_size=-4000",
)


def prepare(db: apsw.Connection, synchronous: str) -> None:
    """Set a fresh connection up. Raises apsw errors, as all that touches the file does."""
    cursor = db.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}").fetchall()
    cursor.execute(f"PRAGMA synchronous={synchronous}")


def migrate(db: apsw.Connection, scripts: Sequence[str] = MIGRATIONS) -> None:
    """Bring the tables to the version that the scripts lead to.

    Raises LedgerError if they are of a newer version, or not Aurora's at all.
    """
    cursor = db.cursor()
    version = db.pragma("user_version")
    assert isinstance(version, int)  # noqa: S101 - for the type checker; SQLite knows no other
    if version > len(scripts):
        raise LedgerError(w.TOO_NEW(version=version, known=len(scripts)))
    if version == 0 and cursor.execute("SELECT 1 FROM sqlite_schema").fetchall():
        raise LedgerError(w.NOT_OURS)
    for number, script in enumerate(scripts[version:], version + 1):
        cursor.execute(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version={number}; COMMIT")


def make_shrinkable(db: apsw.Connection, small: bool) -> None:
    """Let a small file of an earlier version shrink from now on; that writes it anew."""
    if db.pragma("auto_vacuum") == INCREMENTAL:
        return
    if small:
        db.pragma("auto_vacuum", INCREMENTAL)
        try:
            db.cursor().execute("VACUUM")
        except (apsw.FullError, apsw.IOError) as error:
            log.warning("The ledger's file stays one that can't shrink: %s", type(error).__name__)
        return
    pages, free = db.pragma("page_count"), db.pragma("freelist_count")
    assert isinstance(pages, int) and isinstance(free, int)  # noqa: S101, PT018 - for the type checker
    if free > pages // 2:
        log.warning(
            "More than half of the ledger's file is free. It will be used again, but the file "
            "does not shrink by itself: it was begun by an earlier version of Aurora"
        )
