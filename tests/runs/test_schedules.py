"""Schedules: who is woken when, over nights, kills, silent weeks and clocks that are set."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from aurora.ledger import Store
from aurora.ledger.memory import MemoryStore
from aurora.model import Schedule, State
from aurora.runs.schedules import MOST_POSTS, Schedules
from aurora.runs.times import DAY, HOUR, read_when
from aurora.words import Phrase
from tests.support.clocks import FakeClock

HERE, THERE, GUILD, ADA = 11, 12, 1, 7
MORNING = datetime(2026, 10, 20, 6, 0, tzinfo=UTC).timestamp()
"""Eight o'clock in Berlin, five days before summer time ends."""


@dataclass
class Town:
    """The world outside: what is asked for in it, and how that ended."""

    clock: FakeClock
    on: bool = True
    away: bool = False
    berlin: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Berlin"))
    quiet: tuple[int, int] = (0, 0)
    why_not: Phrase | None = None
    somebody_writes: bool = True
    ending: State = State.ANSWERED
    woken: list[tuple[int, float]] = field(default_factory=list)
    ends: dict[tuple[int, float], State] = field(default_factory=dict)
    looked: int = 0
    told: list[str] = field(default_factory=list)

    async def ready(self) -> None:
        """Be there at once."""

    def is_away(self, _guild_id: int) -> bool:
        """Answer for the connection."""
        return self.away

    def is_on(self, _guild_id: int) -> bool:
        """Answer for the guild's setting."""
        return self.on

    def zone(self, _guild_id: int) -> ZoneInfo:
        """Answer for the guild's setting."""
        return self.berlin

    def quiet_hours(self, _guild_id: int) -> tuple[int, int]:
        """Answer for the guild's setting."""
        return self.quiet

    async def hindrance(self, _schedule: Schedule) -> Phrase | None:
        """Answer for the creator's rights."""
        return self.why_not

    async def is_quiet(self, _schedule: Schedule) -> bool:
        """Answer for the people of the channel."""
        self.looked += 1
        return not self.somebody_writes

    async def wake(self, schedule: Schedule, due: float) -> None:
        """Take the task in, once for each source."""
        key = (schedule.id, due)
        if key not in self.ends:
            self.ends[key] = self.ending
            self.woken.append((schedule.id, self.clock.time()))

    async def came_of(self, schedule: Schedule) -> State | None:
        """Return how the last time ended."""
        return self.ends.get((schedule.id, schedule.woken_at or 0.0))

    def tell(self, _schedule: Schedule, what: Phrase) -> None:
        """Hear what admins hear."""
        self.told.append(str(what))

    def hours(self) -> list[str]:
        """Return when somebody was woken, by the clocks of the place."""
        return [f"{datetime.fromtimestamp(at, self.berlin):%d %H:%M}" for _, at in self.woken]


@pytest.fixture
def clock() -> FakeClock:
    """The time that schedules go by."""
    return FakeClock(epoch=MORNING)


@pytest.fixture
def town(clock: FakeClock) -> Town:
    """A town in which everything is allowed and somebody always writes."""
    return Town(clock)


@pytest.fixture
async def store(clock: FakeClock) -> Store:
    """A ledger whose answers take no time, as a clock that is moved wants them."""
    return MemoryStore(clock)


@pytest.fixture
async def schedules(store: Store, town: Town, clock: FakeClock) -> AsyncIterator[Schedules]:
    """Schedules at work."""
    made = Schedules(store, town, clock)
    await made.start()
    yield made
    await made.stop()


async def add(
    schedules: Schedules, town: Town, typed: str, *, channel: int = HERE, always: bool = False
) -> Schedule:
    """Add a schedule as it is typed."""
    when, prompt = read_when(typed, town.clock.time(), town.berlin)
    new = Schedule(GUILD, channel, ADA, "", prompt, None, always)
    return await schedules.add(new, when)


async def restarted(schedules: Schedules, store: Store, town: Town) -> Schedules:
    """Begin anew from what is kept, as after a kill."""
    await schedules.stop()
    again = Schedules(store, town, town.clock)
    await again.start()
    return again


async def test_a_single_task_is_given_once_and_is_gone(schedules: Schedules, town: Town) -> None:
    """At its time, not before."""
    await add(schedules, town, "in 2h x")
    await town.clock.advance(2 * HOUR - 1)
    assert town.woken == []
    await town.clock.advance(3 * HOUR)
    assert town.hours() == ["20 10:00"]
    assert schedules.of(GUILD) == []


async def test_nine_o_clock_stays_nine_o_clock_when_summer_ends(
    schedules: Schedules, town: Town
) -> None:
    """Every day once, by the clocks on the wall."""
    await add(schedules, town, "daily 09:00 x", always=True)
    await town.clock.advance(7 * DAY)
    assert town.hours() == [f"{day} 09:00" for day in range(20, 27)]


async def test_what_was_missed_in_a_silent_week_comes_once(
    schedules: Schedules, store: Store, town: Town
) -> None:
    """A process that was away for a week asks for one task and not for 28."""
    await add(schedules, town, "every 6h x", always=True)
    await schedules.stop()
    town.clock.jump(7 * DAY)
    again = await restarted(schedules, store, town)
    await town.clock.advance(10.0)
    assert len(town.woken) == 1
    await town.clock.advance(6 * HOUR)
    assert len(town.woken) == 2
    await again.stop()


async def test_a_kill_after_the_task_was_taken_in_gives_it_once(
    schedules: Schedules, store: Store, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next process asks for the same time again, which is known by then."""

    async def die(_schedule: Schedule) -> Schedule:
        raise OSError

    await add(schedules, town, "in 2h x")
    monkeypatch.setattr(store, "keep_schedule", die)
    monkeypatch.setattr(store, "drop_schedule", die)
    await town.clock.advance(2 * HOUR)
    monkeypatch.undo()
    again = await restarted(schedules, store, town)
    await town.clock.advance(HOUR)
    assert len(town.woken) == 1
    assert again.of(GUILD) == []
    await again.stop()


async def test_where_nobody_writes_nothing_comes_a_second_time(
    schedules: Schedules, town: Town
) -> None:
    """A week of silence costs one call of a model and not seven; `always` is somebody's wish."""
    town.somebody_writes = False
    polite = await add(schedules, town, "daily 09:00 x")
    eager = await add(schedules, town, "daily 10:00 x", channel=THERE, always=True)
    await town.clock.advance(7 * DAY)
    assert Counter(number for number, _ in town.woken) == {polite.id: 1, eager.id: 7}


async def test_in_quiet_hours_nobody_is_woken(schedules: Schedules, town: Town) -> None:
    """The next time comes as ever."""
    town.quiet = (22, 7)
    await add(schedules, town, "every 6h x", always=True)
    await town.clock.advance(DAY)
    assert town.hours() == ["20 14:00", "20 20:00", "21 08:00"]


async def test_a_channel_gets_four_posts_a_day(schedules: Schedules, town: Town) -> None:
    """Of all schedules together; silence is none, and another channel has its own."""
    await add(schedules, town, "every 2h x", always=True)
    await add(schedules, town, "every 3h x", always=True)
    await town.clock.advance(15.5 * HOUR)
    assert len(town.woken) == MOST_POSTS
    await add(schedules, town, "in 1m x", channel=THERE)
    await town.clock.advance(120.0)
    assert len(town.woken) == MOST_POSTS + 1
    await town.clock.advance(8 * HOUR)
    assert len(town.woken) > MOST_POSTS + 1


async def test_silence_is_a_normal_end(schedules: Schedules, town: Town) -> None:
    """An agent that had nothing to say is woken again, and used up no post."""
    town.ending = State.DECLINED
    await add(schedules, town, "every 2h x", always=True)
    await town.clock.advance(13 * HOUR)
    assert len(town.woken) == 6
    assert town.told == []


async def test_three_failures_pause_a_schedule_and_admins_are_told(
    schedules: Schedules, town: Town
) -> None:
    """Somebody lets it go on, and it begins afresh."""
    town.ending = State.FAILED
    made = await add(schedules, town, "every 1h x", always=True)
    await town.clock.advance(8 * HOUR)
    assert len(town.woken) == 3
    assert ["its last 3 times failed" in one for one in town.told] == [True]
    (paused,) = schedules.of(GUILD)
    assert paused.paused == "fails"
    town.ending = State.ANSWERED
    going_on = await schedules.pause(paused.id)
    assert going_on is not None
    assert going_on.failures == 0
    await town.clock.advance(1.5 * HOUR)
    assert [number for number, _ in town.woken] == [made.id] * 4


async def test_whose_creator_may_not_any_more_is_paused(schedules: Schedules, town: Town) -> None:
    """The rights are asked each time; and admins read why."""
    await add(schedules, town, "every 1h x", always=True)
    town.why_not = Phrase("Ada has left")
    await town.clock.advance(5 * HOUR)
    assert town.woken == []
    assert ["Ada has left" in one for one in town.told] == [True]


async def test_what_an_admin_does_is_not_undone_by_a_time_that_has_come(
    schedules: Schedules, town: Town
) -> None:
    """Discord is asked meanwhile, which takes its time."""
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slowly(_schedule: Schedule) -> bool:
        asked.set()
        await answer.wait()
        return False

    town.is_quiet = slowly  # type: ignore[method-assign]  # the town of this test alone
    made = await add(schedules, town, "every 1h x")
    await town.clock.advance(2 * HOUR)
    await asked.wait()
    pausing = asyncio.create_task(schedules.pause(made.id))
    await town.clock.settle()
    answer.set()
    await pausing
    assert [one.paused for one in schedules.of(GUILD)] == ["by hand"]


async def test_where_schedules_are_off_none_comes(schedules: Schedules, town: Town) -> None:
    """They stay, and nobody looks at the channel."""
    town.on = False
    await add(schedules, town, "every 1h x")
    await town.clock.advance(5 * HOUR)
    assert (town.woken, town.looked, len(schedules.of(GUILD))) == ([], 0, 1)


async def test_where_a_server_is_away_its_schedules_wait_for_it(
    schedules: Schedules, town: Town
) -> None:
    """Whether anything may be done there nobody could tell."""
    town.away = True
    await add(schedules, town, "in 1h x")
    await town.clock.advance(3 * HOUR)
    assert town.woken == []
    town.away = False
    await town.clock.advance(60.0)
    assert len(town.woken) == 1


async def test_a_task_that_still_runs_is_not_given_again(schedules: Schedules, town: Town) -> None:
    """It goes on when that has ended."""
    town.ending = State.RUNNING
    await add(schedules, town, "every 1h x", always=True)
    await town.clock.advance(3.5 * HOUR)
    assert len(town.woken) == 1
    town.ends = dict.fromkeys(town.ends, State.ANSWERED)
    await town.clock.advance(HOUR)
    assert len(town.woken) == 2


async def test_a_clock_that_was_set_back_brings_nothing_twice(
    schedules: Schedules, town: Town
) -> None:
    """And one that was three days ahead for a moment silences no day but the one it brought."""
    await add(schedules, town, "daily 09:00 x", always=True)
    await town.clock.advance(2 * HOUR)
    town.clock.jump(-2 * HOUR)
    await town.clock.advance(3 * HOUR)
    assert len(town.woken) == 1
    town.clock.jump(3 * DAY)
    await town.clock.advance(60.0)
    town.clock.jump(-3 * DAY)
    assert len(town.woken) == 2
    await town.clock.advance(2 * DAY)
    assert len(town.woken) == 3


async def test_what_a_person_scheduled_goes_with_them(
    schedules: Schedules, store: Store, town: Town
) -> None:
    """From the ledger and from memory; and so it does where the bot has left."""
    await add(schedules, town, "every 1h x", always=True)
    await store.forget_user(ADA)
    await schedules.forget(ADA)
    assert list(await store.schedules()) == schedules.of(GUILD) == []
    await add(schedules, town, "every 1h x", always=True)
    await schedules.left(GUILD)
    assert list(await store.schedules()) == []
