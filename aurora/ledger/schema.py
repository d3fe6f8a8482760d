"""The tables of the SQLite ledger, and how an older file becomes one of today."""

from __future__ import annotations

import apsw

from . import LedgerError

# EXCLUSIVE comes first: with it the index of the WAL lives in memory, and no second process can
# open the file. FULL syncs at every commit (promise 1), and fullfsync makes macOS mean it.
# secure_delete overwrites what is erased, and temporary files would be copies outside its reach.
SYNCHRONOUS = "FULL"
PRAGMAS = (
    "locking_mode=EXCLUSIVE",
    "journal_mode=WAL",
    "fullfsync=ON",
    "checkpoint_fullfsync=ON",
    "secure_delete=ON",
    "temp_store=MEMORY",
    "mmap_size=0",
    "wal_autocheckpoint=2000",
    "journal_size_limit=16777216",
    "cache_size=-4000",
)

# What people wrote has a table of its own. So it goes in one piece when an event ends, whoever
# ends it, and neither start-up nor the moves of an event have to step over it. The sequence
# numbers of changes are never given twice: a consumer remembers how far it has read. Their ids
# have no index: each is made once, nobody looks one up here, and it took half of every commit.
_FIRST = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    message_id INTEGER NOT NULL UNIQUE,
    channel_id INTEGER NOT NULL,
    guild_id INTEGER,
    author_id INTEGER NOT NULL,
    accepted_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    parent_id INTEGER,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    misses INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    interrupted INTEGER NOT NULL,
    not_before REAL NOT NULL,
    agent_id TEXT,
    conversation_id TEXT,
    run_id TEXT,
    input_id TEXT,
    answer TEXT,
    turn_id TEXT,
    cause TEXT,
    started_at REAL,
    ended_at REAL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    lane TEXT AS ('channel:' || channel_id),
    priority INTEGER AS (guild_id IS NOT NULL)
) STRICT;
CREATE TABLE contexts (
    event INTEGER PRIMARY KEY,
    context TEXT NOT NULL
) STRICT;
CREATE TABLE sends (
    seq INTEGER PRIMARY KEY,
    event INTEGER NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    sent_by TEXT NOT NULL,
    channel_id INTEGER NOT NULL,
    text_hash TEXT NOT NULL,
    reply_to INTEGER,
    message_ids TEXT NOT NULL,
    UNIQUE (event, key)
) STRICT;
CREATE TRIGGER events_final AFTER UPDATE OF state ON events
WHEN new.state NOT IN ('waiting', 'running') BEGIN
    DELETE FROM contexts WHERE event = old.seq;
END;
CREATE TRIGGER events_dropped AFTER DELETE ON events BEGIN
    DELETE FROM contexts WHERE event = old.seq;
    DELETE FROM sends WHERE event = old.seq;
END;
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    guild_id INTEGER,
    step TEXT NOT NULL,
    at REAL NOT NULL,
    detail TEXT NOT NULL,
    cause TEXT,
    author_id INTEGER NOT NULL,
    agent_id TEXT,
    turn_id TEXT,
    attempts INTEGER NOT NULL
) STRICT;
CREATE TABLE starts (channel_id INTEGER PRIMARY KEY, at REAL NOT NULL) STRICT;
CREATE TABLE refusals (
    message_id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX refusals_by_age ON refusals (at);
CREATE TABLE conversations (
    agent_id TEXT NOT NULL,
    lane TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    PRIMARY KEY (agent_id, lane)
) STRICT, WITHOUT ROWID;
CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""

MIGRATIONS = (_FIRST,)
"""Scripts that take the file one version further each; a released one never changes."""


def prepare(db: apsw.Connection) -> None:
    """Set a fresh connection up. Raises apsw errors, as all that touches the file does."""
    cursor = db.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}").fetchall()
    cursor.execute(f"PRAGMA synchronous={SYNCHRONOUS}")


def migrate(db: apsw.Connection) -> None:
    """Bring the tables to today's version.

    Raises LedgerError if they are of a newer version, or not Aurora's at all.
    """
    cursor = db.cursor()
    version = db.pragma("user_version")
    assert isinstance(version, int)  # noqa: S101 - for the type checker; SQLite knows no other
    if version > len(MIGRATIONS):
        raise LedgerError(
            f"is of version {version}, and this Aurora knows versions up to {len(MIGRATIONS)}. "
            "Update Aurora, or move the file away to begin a new ledger."
        )
    if version == 0 and cursor.execute("SELECT 1 FROM sqlite_schema").fetchall():
        raise LedgerError("is the database of something else. Move it away.")
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        cursor.execute(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version={number}; COMMIT")
