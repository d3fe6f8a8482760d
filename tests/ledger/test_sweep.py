"""What is dropped with age, whatever a clock has said of it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aurora.ids import new_turn_id
from aurora.ledger.memory import MemoryStore
from aurora.ledger.sqlite import SqliteStore
from aurora.ledger.sweep import BITE
from aurora.model import Event, Turn
from tests.support.clocks import FakeClock
from tests.support.events import make_event
from tests.support.stores import DAY, FILE, change, end, make_send, start

YEAR = 365 * DAY
TABLES = ("events", "changes", "turns", "sends", "sent_messages", "contexts", "refusals", "starts")


@pytest.fixture
async def store(clock: FakeClock, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An open ledger."""
    made = SqliteStore(tmp_path / FILE, clock, retention=lambda: 7 * DAY)
    await made.open()
    yield made
    await made.close()


async def live(store: SqliteStore, clock: FakeClock, count: int, first: int = 0) -> list[Event]:
    """Take events through a whole life each, and refuse as many messages."""

    async def one(number: int) -> Event:
        event = make_event(now=clock.time(), channel_id=number)
        assert await store.add(event, change(event, at=clock.time()))
        turn = Turn((event,), new_turn_id(clock.time()))
        event.turn_id = turn.id
        await start(store, turn, at=clock.time())
        await store.record_send(event, make_send(message_ids=(event.message_id + 1_000_000,)))
        await end(store, turn)
        await store.refuse(event.message_id + 2_000_000, "not_enabled")
        return event

    return list(await asyncio.gather(*(one(first + number) for number in range(count))))


async def counts(store: SqliteStore) -> dict[str, int]:
    """Return how many rows each table has, once nothing more is swept."""
    writer = store._writer
    assert writer is not None
    await store.noted("anything")
    while True:
        await store.noted("anything")
        if not writer._sweep.unfinished:
            break
    return {
        table: (
            await store._do(
                lambda tables, table=table: tables.run(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608 - from the list above
            )
        )[0][0]
        for table in TABLES
    }


async def wrong_clock(
    store: SqliteStore, clock: FakeClock, count: int, ahead: float = YEAR, first: int = 0
) -> list[Event]:
    """Let the clock be wrong for an hour, in which something happens."""
    clock.jump(ahead)
    found = await live(store, clock, count, first)
    for _ in range(60):
        await clock.advance(60)
        await store.noted("anything")
    clock.jump(-ahead)
    return found


@pytest.mark.parametrize(
    "count", [1, 20, *(pytest.param(one, marks=pytest.mark.long) for one in (BITE, BITE + 100))]
)
@pytest.mark.parametrize("ahead", [3600.0, 8 * DAY, YEAR, 50 * YEAR])
async def test_what_a_clock_has_put_into_the_future_is_dropped_with_what_came_after_it(
    store: SqliteStore, clock: FakeClock, count: int, ahead: float
) -> None:
    """It stands before all others, and must neither stop them nor stay itself."""
    await wrong_clock(store, clock, count, ahead)
    await live(store, clock, 30, first=5000)
    await clock.advance(61)
    await counts(store)
    await clock.advance(7 * DAY)
    young = await live(store, clock, 3, first=9000)
    await clock.advance(61)
    left = await counts(store)
    assert {one: left[one] for one in ("events", "changes", "turns", "sends")} == {
        "events": 3,
        "changes": 9,
        "turns": 3,
        "sends": 3,
    }
    assert left["contexts"] == left["starts"] == 0
    assert (left["sent_messages"], left["refusals"]) == (3, 3)
    assert all([await store.get(one.id) for one in young])


@pytest.mark.parametrize("count", [1, pytest.param(BITE + 100, marks=pytest.mark.long)])
async def test_what_a_clock_has_put_into_the_future_ages_though_nothing_comes_after_it(
    store: SqliteStore, clock: FakeClock, count: int
) -> None:
    """From the moment on at which it was first seen to be wrong; a restart forgets none of it."""
    await wrong_clock(store, clock, count)
    await clock.advance(61)
    await counts(store)
    for days in (3, 3, 0.99):
        await clock.advance(days * DAY)
        assert (await counts(store))["events"] == count
        await store.close()
        await store.open()
    await clock.advance(DAY)
    await live(store, clock, 1, first=5000)
    left = await counts(store)
    assert (left["events"], left["changes"], left["turns"]) == (1, 3, 1)
    assert await store.noted("events from the future") is None


async def test_nothing_is_dropped_early_because_a_clock_was_wrong_for_an_hour(
    store: SqliteStore, clock: FakeClock
) -> None:
    """A message stays known for its seven days, as do those of the hour itself."""
    before = await live(store, clock, 30)
    meanwhile = await wrong_clock(store, clock, 30, first=100)
    after = await live(store, clock, 30, first=200)
    await clock.advance(7 * DAY - 2 * 3600)
    await store.noted("anything")
    await clock.advance(61)
    left = await counts(store)
    assert (left["events"], left["turns"], left["sends"]) == (90, 90, 90)
    for one in (*before, *meanwhile, *after):
        assert not await store.add(one, change(one))


async def test_a_clock_that_was_behind_for_an_hour_drops_nothing_else(
    store: SqliteStore, clock: FakeClock
) -> None:
    """What stood before its rows is not as old as they say."""
    before = await live(store, clock, 30)
    await wrong_clock(store, clock, 30, -YEAR, first=100)
    after = await live(store, clock, 30, first=200)
    await clock.advance(6 * DAY)
    await counts(store)
    for one in (*before, *after):
        assert await store.get(one.id)
    await clock.advance(DAY + 3600 + 61)
    assert (await counts(store))["events"] == 0


async def test_a_clock_that_is_set_right_is_believed_after_a_day(
    store: SqliteStore, clock: FakeClock
) -> None:
    """A machine without a clock of its own begins in the past; its rows must not stay for ever."""
    await live(store, clock, 10)
    clock.jump(20 * DAY)
    await clock.advance(61)
    assert (await counts(store))["events"] == 10
    for _ in range(25):
        await clock.advance(3600)
        await store.noted("anything")
    assert (await counts(store))["events"] == 0


async def test_what_waits_is_never_dropped_whatever_its_time(
    store: SqliteStore, clock: FakeClock
) -> None:
    """With its turn: it is still to be answered."""
    clock.jump(YEAR)
    event = make_event(now=clock.time())
    await store.add(event, change(event))
    turn = Turn((event,), new_turn_id(clock.time()))
    event.turn_id = turn.id
    await start(store, turn)
    clock.jump(-YEAR)
    await live(store, clock, 10, first=100)
    await clock.advance(8 * DAY)
    await live(store, clock, 1, first=200)
    left = await counts(store)
    assert (left["events"], left["turns"]) == (2, 2)
    assert await store.turn(turn.id)


@pytest.mark.parametrize("count", [1, BITE + 100])
async def test_a_sweep_that_was_cut_off_leaves_no_turn_from_the_future(
    store: SqliteStore, clock: FakeClock, count: int
) -> None:
    """Events and their turns go in different transactions, and a crash may fall between."""
    clock.jump(YEAR)
    await live(store, clock, count)
    clock.jump(-YEAR)
    await store._do(lambda tables: tables.run("DELETE FROM events"))
    await store.close()
    await store.open()
    await clock.advance(61)
    assert (await counts(store))["turns"] == 0


async def test_the_starts_of_runs_in_the_future_stay_for_a_minute(
    store: SqliteStore, clock: FakeClock
) -> None:
    """They would slow a channel at each start for as long as the clock was ahead."""
    clock.jump(YEAR)
    await live(store, clock, 5)
    clock.jump(-YEAR)
    for _ in range(3):
        await clock.advance(61)
        await store.noted("anything")
    assert (await counts(store))["starts"] == 0


async def test_the_reference_drops_the_same(clock: FakeClock) -> None:
    """What others are measured by has no other rule."""
    store = MemoryStore(clock)
    await store.open()
    clock.jump(YEAR)
    early = make_event(now=clock.time())
    await store.add(early, change(early))
    await end(store, early)
    clock.jump(-YEAR)
    old = make_event(now=clock.time())
    await store.add(old, change(old))
    await end(store, old)
    await clock.advance(8 * DAY)
    for _ in range(2):
        one = make_event(now=clock.time())
        await store.add(one, change(one))
    assert await store.get(early.id) is None
    assert await store.get(old.id) is None
    assert len(await store.changes()) == 2
