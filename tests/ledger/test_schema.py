"""The tables of the ledger's file: how they are set up, looked up, and brought up to date."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from aurora.ledger import LedgerError, rows, run_logs, sweep, versions
from aurora.ledger.sqlite import SqliteStore
from aurora.model import Event, State
from tests.support.clocks import FakeClock
from tests.support.events import make_event
from tests.support.stores import FILE, change, files, sqlite_store, tamper


@pytest.fixture
async def store(clock: FakeClock, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An open ledger."""
    made = sqlite_store(clock, tmp_path)
    await made.open()
    yield made
    await made.close()


def pragma(store: SqliteStore, name: str) -> Any:
    """Ask the store's own connection, in its thread; what a second one says means nothing."""
    return store._do(lambda tables: tables.db.pragma(name))


# -- how it is set up


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("locking_mode", "exclusive"),
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("fullfsync", 1),
        ("checkpoint_fullfsync", 1),
        ("secure_delete", 1),
        ("temp_store", 2),
        ("mmap_size", 0),
        ("wal_autocheckpoint", 2000),
        ("journal_size_limit", 16 << 20),
        ("user_version", len(versions.MIGRATIONS)),
    ],
)
async def test_a_pragma_is_in_force(store: SqliteStore, name: str, wanted: object) -> None:
    """On the connection that writes."""
    assert await pragma(store, name) == wanted


async def test_every_table_is_strict(store: SqliteStore) -> None:
    """SQLite would otherwise keep text in a column of numbers."""
    query = "SELECT name FROM pragma_table_list WHERE NOT strict AND name NOT LIKE 'sqlite_%'"
    assert await store._do(lambda tables: tables.run(query).fetchall()) == []


async def test_the_lane_can_be_queried(store: SqliteStore, clock: FakeClock) -> None:
    """It derives from another column, as it does in the model."""
    events = [make_event(now=clock.time(), channel_id=channel_id) for channel_id in (1, 2)]
    for one in events:
        await store.add(one, change(one))
    query = "SELECT lane FROM events ORDER BY seq"
    rows = await store._do(lambda tables: tables.run(query).fetchall())
    assert rows == [(one.lane,) for one in events]


@pytest.mark.parametrize(
    ("query", "values", "plan"),
    [
        (
            rows.SENT,
            (1,),
            ["SEARCH sent USING INTEGER PRIMARY KEY", "SEARCH events USING INTEGER PRIMARY KEY"],
        ),
        (
            rows.TURN,
            ("turn_1",),
            ["SEARCH turns USING PRIMARY KEY", "SEARCH events USING INDEX sqlite_autoindex"],
        ),
        (
            run_logs.LINES,
            (),
            [
                "SCAN sends USING INDEX sends_of_progress",
                "SEARCH events USING INTEGER PRIMARY KEY",
            ],
        ),
        (run_logs.STEPS, ("turn_1",), ["SEARCH steps USING PRIMARY KEY"]),
        (sweep.OLD_TURNS, ("", "turn_1", 1), ["SEARCH turns USING PRIMARY KEY"]),
        (
            sweep.DROP_TURNS,
            ("", "turn_1"),
            ["SEARCH turns USING PRIMARY KEY", "SEARCH events USING INDEX sqlite_autoindex"],
        ),
        (
            sweep.DROP_LONELY_TURNS,
            ("", "turn_1"),
            [
                "SEARCH turns USING PRIMARY KEY",
                "SEARCH events USING COVERING INDEX sqlite_autoindex",
            ],
        ),
    ],
)
async def test_what_is_looked_up_is_found_without_a_scan(
    store: SqliteStore, query: str, values: tuple[Any, ...], plan: list[str]
) -> None:
    """However many there are."""
    explained = await store._do(
        lambda tables: tables.run(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
    )
    found = [step for *_, step in explained if "SUBQUERY" not in step]
    assert len(found) == len(plan)
    assert all(step.startswith(wanted) for step, wanted in zip(found, plan, strict=True))


# -- versions


async def test_an_older_ledger_is_brought_up_to_date(
    clock: FakeClock, tmp_path: Path, event: Event
) -> None:
    """Step by step, with all that is in it."""
    old = sqlite_store(clock, tmp_path)
    await old.open()
    await old.add(event, change(event))
    await old.close()
    added = ("CREATE TABLE more (x INTEGER) STRICT", "ALTER TABLE notes ADD COLUMN more TEXT")
    new = sqlite_store(clock, tmp_path, migrations=(*versions.MIGRATIONS, *added))
    assert [one.speaker.id for one in (await new.open()).turns] == [event.id]
    assert await pragma(new, "user_version") == len(versions.MIGRATIONS) + 2
    assert await new.get(event.id) == event
    await new.close()


async def test_a_step_that_fails_leaves_the_ledger_as_it_was(
    clock: FakeClock, tmp_path: Path, event: Event
) -> None:
    """It is not set aside, and the older Aurora can still use it."""
    old = sqlite_store(clock, tmp_path)
    await old.open()
    await old.add(event, change(event))
    await old.close()
    broken = "DROP TABLE notes; CREATE TABLE events (x)"
    with pytest.raises(LedgerError, match="already exists"):
        await sqlite_store(clock, tmp_path, migrations=(*versions.MIGRATIONS, broken)).open()
    assert files(tmp_path) == [FILE]
    assert len((await old.open()).turns) == 1
    await old.note("still", "there")
    await old.close()


async def test_a_ledger_of_a_newer_version_is_refused_and_stays(
    store: SqliteStore, tmp_path: Path
) -> None:
    """After a downgrade nothing may be lost."""
    await store.close()
    tamper(tmp_path, "PRAGMA user_version = 99")
    with pytest.raises(LedgerError, match=rf"{FILE} is of version 99.*Update Aurora"):
        await store.open()
    assert files(tmp_path) == [FILE]


async def test_the_database_of_something_else_is_refused_and_stays(
    clock: FakeClock, tmp_path: Path
) -> None:
    """It is not damaged, and not ours."""
    tamper(tmp_path, "CREATE TABLE recipes (name TEXT)")
    with pytest.raises(LedgerError, match="something else"):
        await sqlite_store(clock, tmp_path).open()
    assert files(tmp_path) == [FILE]


def test_the_names_of_states_stand_as_the_indexes_take_it() -> None:
    """One comparison tells what is over, and another what has no answer."""
    assert [state for state in State if state < State.RUNNING] == [
        state for state in State if state.final
    ]
    assert min(State) is State.ANSWERED
