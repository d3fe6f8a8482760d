"""What every Store knows of what runs cost: exact, once, without content, and forgotten."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from aurora.ledger import EVERYWHERE, Store, Where
from aurora.ledger.tables import COUNTED_AT_ONCE
from aurora.ledger.usages import LOOKED_AT
from aurora.model import State, Turn, Used
from aurora.model.usage import date_of, day_of, month_of, next_month, starts_at
from tests.support.clocks import FakeClock
from tests.support.events import make_event, make_turn
from tests.support.stores import (
    DAY,
    change,
    end,
    reopened,
    retry,
    sqlite_store,
    start,
    tamper,
)

_ABOUT = ("author_id", "guild_id", "channel_id")
COST: dict[str, Any] = {"attempts": 1, "agent_id": "agent-1", "model": "m/1", "prompt_tokens": 100}


async def ran(
    store: Store, clock: FakeClock, *, state: State = State.ANSWERED, **fields: Any
) -> Turn:
    """Let a turn run to its end."""
    about = {key: fields.pop(key) for key in _ABOUT if key in fields}
    event = make_event(now=clock.time(), **about)
    await store.add(event, change(event))
    turn = make_turn(event, **(COST | fields))
    await start(store, turn, at=clock.time())
    await end(store, turn, state)
    return turn


async def used(
    store: Store, where: Where, person: int | None = None, since: int = 0
) -> list[Used]:
    """Return all sums."""
    return [one async for some in store.usage(where, since, person) for one in some]


async def test_a_run_enters_the_sums_of_its_person_its_guild_and_all(
    store: Store, clock: FakeClock
) -> None:
    """By day, channel, agent and model; two of them together."""
    about: dict[str, Any] = {"author_id": 7, "guild_id": 9, "channel_id": 3}
    cost: dict[str, Any] = {"completion_tokens": 10, "cached_tokens": 40, "seconds": 1.5}
    for _ in range(2):
        await ran(store, clock, **about, **cost)
    day = day_of(clock.time())
    row = Used(day, 9, 3, "agent-1", "m/1", 2, 2, 0, 0, 200, 80, 20, 3.0)
    assert row.tokens == 220
    assert await used(store, 9, 7) == await used(store, 9) == [row]
    assert await used(store, EVERYWHERE, 7) == [row]
    assert await used(store, EVERYWHERE) == [row._replace(guild_id=None, channel_id=0)]
    assert await used(store, None) == await used(store, 8) == await used(store, 9, 8) == []
    assert await used(store, 9, since=day + 1) == []


async def test_what_is_unknown_is_counted_as_that(store: Store, clock: FakeClock) -> None:
    """What the server has told of such a run is in the sums; the rest is not made up."""
    await ran(store, clock, guild_id=9, unmetered=1, prompt_tokens=0, state=State.FAILED)
    await ran(store, clock, guild_id=9, unmetered=2, prompt_tokens=5)
    [row] = await used(store, 9)
    assert (row.runs, row.unknown, row.prompt, row.answered, row.failed) == (2, 2, 5, 1, 1)


async def test_what_never_reached_its_agent_is_no_run(store: Store, clock: FakeClock) -> None:
    """Whatever waited and was cancelled, or was given back."""
    await ran(store, clock, guild_id=9, attempts=0, prompt_tokens=0, state=State.CANCELLED)
    event = make_event(now=clock.time(), guild_id=9)
    await store.add(event, change(event))
    await end(store, event, State.EXPIRED)
    assert await used(store, 9) == []


async def test_of_those_who_run_together_one_run_is_counted(
    store: Store, clock: FakeClock
) -> None:
    """The one who speaks for the turn stands for it."""
    events = [make_event(now=clock.time(), guild_id=9, author_id=7) for _ in range(3)]
    for one in events:
        await store.add(one, change(one))
    turn = await start(store, make_turn(*events, **COST), at=clock.time())
    await end(store, turn)
    [row] = await used(store, 9, 7)
    assert (row.runs, row.prompt) == (1, 100)


async def test_a_turn_is_counted_when_it_is_over(store: Store, clock: FakeClock) -> None:
    """Not while it runs, nor when it waits for another attempt; all attempts together."""
    event = make_event(now=clock.time(), guild_id=9)
    await store.add(event, change(event))
    turn = await start(store, make_turn(event, **COST), at=clock.time())
    assert await used(store, 9) == []
    await retry(store, turn)
    assert await used(store, 9) == []
    await start(store, turn, at=clock.time())
    turn.attempts, turn.prompt_tokens = 2, 300
    await end(store, turn)
    assert [(one.runs, one.prompt) for one in await used(store, 9)] == [(1, 300)]


async def test_who_is_told_twice_of_an_end_counts_once(store: Store, clock: FakeClock) -> None:
    """As after a commit of which nobody heard."""
    turn = await ran(store, clock, guild_id=9)
    moved = change(turn.speaker, "answered")
    for _ in range(2):
        await store.move(turn.events, [moved], [turn])
    assert [one.runs for one in await used(store, 9)] == [1]


async def test_a_second_chance_is_a_run_of_its_own(store: Store, clock: FakeClock) -> None:
    """What the first one cost stays."""
    turn = await ran(store, clock, guild_id=9, state=State.FAILED)
    event = turn.speaker
    event.state, event.turn_id = State.WAITING, None
    await store.revive(event, change(event))
    again = await start(store, make_turn(event, **(COST | {"prompt_tokens": 50})), at=clock.time())
    await end(store, again)
    [row] = await used(store, 9)
    assert (row.runs, row.answered, row.failed, row.prompt) == (2, 1, 1, 150)


async def test_what_a_crash_has_cut_off_is_unknown(store: Store, clock: FakeClock) -> None:
    """Nobody heard what the attempt that was begun has cost."""
    for input_id in ("input-1", None):
        event = make_event(now=clock.time(), guild_id=9)
        await store.add(event, change(event))
        await start(store, make_turn(event, **(COST | {"input_id": input_id})), at=clock.time())
    found = await reopened(store)
    assert [turn.unmetered for turn in found] == [1, 0]
    for turn in found:
        await end(store, turn)
    [row] = await used(store, 9)
    assert (row.runs, row.unknown, row.prompt) == (2, 1, 200)


async def test_a_person_is_forgotten_and_the_guild_keeps_its_total(
    store: Store, clock: FakeClock
) -> None:
    """As are runs that ended a moment ago; others stay."""
    for author in (7, 8, 7):
        await ran(store, clock, guild_id=9, author_id=author)
    await store.forget_user(7)
    assert await used(store, EVERYWHERE, 7) == await used(store, 9, 7) == []
    assert [one.runs for one in await used(store, 9, 8)] == [1]
    assert sum(one.runs for one in await used(store, 9)) == 3
    assert sum(one.runs for one in await used(store, EVERYWHERE)) == 3


async def test_sums_outlive_their_runs_and_go_with_age(store: Store, clock: FakeClock) -> None:
    """Runs go after a week here; a month's quota needs the sums for longer."""
    await ran(store, clock, guild_id=9)
    for days, left in ((40, 1), (63, 0)):
        await clock.advance(days * DAY)
        # The next event sweeps, at the latest.
        await reopened(store)
        event = make_event(now=clock.time(), guild_id=8)
        await store.add(event, change(event))
        assert len(await used(store, 9, since=-1)) == left


async def test_what_was_spent_is_told_by_day_and_model(store: Store, clock: FakeClock) -> None:
    """As quotas want it: whatever the channels and agents were."""
    for channel, model in ((1, "a"), (2, "a"), (1, "b")):
        await ran(store, clock, guild_id=9, author_id=7, channel_id=channel, model=model)
    await clock.advance(DAY)
    await ran(store, clock, guild_id=8, author_id=7, model="a")
    day = day_of(clock.time())
    told = [(one.day - day, one.model, one.runs) for one in await store.spent(9, 0, 7)]
    assert told == [(-1, "a", 2), (-1, "b", 1)]
    told = [(one.day - day, one.model, one.runs) for one in await store.spent(EVERYWHERE, 0, 7)]
    assert told == [(-1, "a", 2), (-1, "b", 1), (0, "a", 1)]
    assert [one.runs for one in await store.spent(EVERYWHERE, day)] == [1]
    assert [one.runs for one in await store.spent(None, 0)] == []


async def test_the_latest_costs_are_of_runs_that_are_known(store: Store, clock: FakeClock) -> None:
    """Newest first; what is unknown tells nothing."""
    for prompt, unmetered in ((10, 0), (20, 1), (30, 0)):
        await ran(store, clock, guild_id=9, prompt_tokens=prompt, unmetered=unmetered)
        await clock.advance(1)
    assert list(await store.costs(10)) == [("agent-1", 30), ("agent-1", 10)]
    assert list(await store.costs(1)) == [("agent-1", 30)]


async def test_many_are_told_some_at_a_time(clock: FakeClock, tmp_path: Path) -> None:
    """In order, none left out and none twice."""
    store = sqlite_store(clock, tmp_path)
    await store.open()
    await store.close()
    count = 2 * LOOKED_AT + 3
    for guild in (8, 9):
        tamper(
            tmp_path,
            "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            "INSERT INTO usage SELECT NULL, 0, ?, i / 700, i, 'a', '', 1, 1, 0, 0, 1, 0, 0, 0 "
            "FROM n",
            count - 1,
            guild,
        )
    await store.open()
    some = [len(part) async for part in store.usage(9, 0)]
    assert some == [LOOKED_AT, LOOKED_AT, 3]
    found = await used(store, 9)
    assert [one.channel_id for one in found] == list(range(count))
    assert len(await used(store, 9, since=1)) == count - 700
    await store.close()


async def test_counting_takes_the_ledger_a_moment(clock: FakeClock, tmp_path: Path) -> None:
    """It is done by the hundred, each of another person, and an accept may have to wait."""
    store = sqlite_store(clock, tmp_path)
    await store.open()
    for number in range(COUNTED_AT_ONCE - 1):
        await ran(store, clock, guild_id=9, author_id=number, channel_id=number % 7)
    # What this process computes: others have the machine meanwhile.
    begun = time.process_time()
    spent = await store.spent(9, 0)
    seconds = time.process_time() - begun
    await store.close()
    assert len(spent) == 1
    assert seconds < 0.05


@pytest.mark.parametrize(
    ("at", "day", "month", "following"),
    [
        (0, "1970-01-01", "1970-01-01", "1970-02-01"),
        (951_782_399, "2000-02-28", "2000-02-01", "2000-03-01"),
        (1_798_761_600, "2027-01-01", "2027-01-01", "2027-02-01"),
        (1_798_761_599.9, "2026-12-31", "2026-12-01", "2027-01-01"),
    ],
)
def test_days_and_months_are_those_of_utc(at: float, day: str, month: str, following: str) -> None:
    """Where the machine is does not matter."""
    number = day_of(at)
    found = [date_of(one).isoformat() for one in (number, month_of(number), next_month(number))]
    assert found == [day, month, following]
    assert starts_at(number) <= at < starts_at(number + 1)
