"""Error statistics: what people are shown, and when somebody is woken."""

from __future__ import annotations

import pytest

from aurora.errors import ErrorStats, mark
from tests.support.clocks import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def stats(clock: FakeClock) -> ErrorStats:
    return ErrorStats(clock)


def record(stats: ErrorStats, *errors: str | None, guild_id: int | None = None) -> None:
    for error in errors:
        stats.record(error, guild_id=guild_id)


def test_nothing_recorded_is_no_error_rate(stats: ErrorStats) -> None:
    """A fresh start divides by nothing and is green."""
    summary = stats.summary()
    assert (summary.operations, summary.rate, summary.recent_rate) == (0, 0, 0)
    assert summary.mark == "🟢"


def test_errors_are_counted_by_type_the_commonest_first(stats: ErrorStats) -> None:
    """The names of the documentation, with how often each was met."""
    record(stats, "NotFound", "TimeoutError", None, "TimeoutError", "Forbidden", "HTTPException")
    summary = stats.summary()
    assert (summary.operations, summary.errors) == (6, 5)
    assert next(iter(summary.by_type.items())) == ("TimeoutError", 2)
    assert set(summary.by_type) == {"NotFound", "TimeoutError", "Forbidden", "HTTPException"}


@pytest.mark.parametrize("name", ["CancelledError", "ContentRefused", "ConversationBusy"])
def test_what_was_not_tried_is_not_counted(stats: ErrorStats, name: str) -> None:
    """Who called something off, or had to wait, neither raises the rate nor lowers it."""
    record(stats, None, "TimeoutError", *[name] * 20)
    summary = stats.summary()
    assert (summary.operations, summary.rate) == (2, 0.5)
    assert name not in summary.by_type


async def test_the_recent_rate_forgets_after_five_minutes(
    stats: ErrorStats, clock: FakeClock
) -> None:
    """The overall rate remembers what the recent one does not."""
    record(stats, "TimeoutError", "TimeoutError")
    await clock.advance(299)
    assert stats.summary().recent_rate == 1
    await clock.advance(1)
    record(stats, None, None)
    summary = stats.summary()
    assert (summary.recent_operations, summary.recent_rate, summary.rate) == (2, 0, 0.5)


def test_a_jump_of_the_wall_clock_keeps_the_window(stats: ErrorStats, clock: FakeClock) -> None:
    """Five minutes are measured, not read off the wall."""
    record(stats, "TimeoutError")
    clock.jump(86_400)
    assert stats.summary().recent_errors == 1


def test_the_history_is_bounded_and_the_totals_go_on(clock: FakeClock) -> None:
    """Only the last operations are kept, in order; the counts know them all."""
    stats = ErrorStats(clock, window=3)
    record(stats, "A", "B", None, "C", "D")
    summary = stats.summary()
    assert [one.error for one in summary.recent] == [None, "C", "D"]
    assert (summary.operations, summary.errors) == (5, 4)


def test_the_history_says_when_where_and_how_long(stats: ErrorStats, clock: FakeClock) -> None:
    """Enough to show a line of history."""
    stats.record("TimeoutError", guild_id=7, duration=60.5)
    (one,) = stats.summary().recent
    assert (one.at, one.error, one.guild_id, one.duration) == (
        clock.time(),
        "TimeoutError",
        7,
        60.5,
    )


def test_guilds_are_counted_apart(stats: ErrorStats) -> None:
    """An admin sees the own guild's numbers; a DM belongs to no guild."""
    record(stats, "TimeoutError", guild_id=1)
    record(stats, None, guild_id=2)
    record(stats, None)
    assert [stats.summary(guild).rate for guild in (1, 2)] == [1, 0]
    assert stats.summary().operations == 3


def test_an_unknown_guild_has_no_numbers(stats: ErrorStats) -> None:
    """Asking creates nothing and shows nobody else's."""
    record(stats, "TimeoutError", guild_id=1)
    assert stats.summary(2).operations == 0


def test_the_guild_longest_silent_is_forgotten_first(clock: FakeClock) -> None:
    """The number of guilds is bounded; the totals keep what they did."""
    stats = ErrorStats(clock, guilds=2)
    for guild_id in (1, 2, 1, 3):
        record(stats, None, guild_id=guild_id)
    assert [stats.summary(guild).operations for guild in (1, 2, 3)] == [2, 0, 1]
    assert stats.summary().operations == 4


def test_a_summary_does_not_change_afterwards(stats: ErrorStats) -> None:
    """What is being shown stays as it was asked for."""
    record(stats, "TimeoutError")
    summary = stats.summary()
    record(stats, "TimeoutError")
    assert (summary.by_type, len(summary.recent)) == ({"TimeoutError": 1}, 1)


@pytest.mark.parametrize(
    ("rate", "sign"),
    [(0, "🟢"), (0.049, "🟢"), (0.05, "🟡"), (0.2, "🟡"), (0.201, "🔴"), (1, "🔴")],
)
def test_marks_follow_the_documented_limits(rate: float, sign: str) -> None:
    """Below 5 % is normal, above 20 % is significant."""
    assert mark(rate) == sign


def test_one_error_of_one_wakes_nobody(stats: ErrorStats) -> None:
    """100 % of next to nothing is no outage."""
    record(stats, "TimeoutError")
    assert not stats.alert_due()


@pytest.mark.parametrize(
    ("errors", "good", "due"), [(5, 0, True), (6, 5, True), (5, 5, False), (4, 0, False)]
)
def test_an_alert_is_due_above_half(stats: ErrorStats, errors: int, good: int, due: bool) -> None:
    """More than 50 % of at least five operations."""
    record(stats, *["TimeoutError"] * errors, *[None] * good)
    assert stats.alert_due() is due


async def test_old_errors_wake_nobody(stats: ErrorStats, clock: FakeClock) -> None:
    """Five minutes later it is history."""
    record(stats, *["TimeoutError"] * 10)
    await clock.advance(300)
    assert not stats.alert_due()


async def test_an_outage_alerts_once_per_cooldown(stats: ErrorStats, clock: FakeClock) -> None:
    """Not on every error that follows; but again if it still lasts half an hour later."""
    due = []
    for _ in range(20):
        record(stats, *["TimeoutError"] * 5)
        due.append(stats.alert_due())
        await clock.advance(100)
    assert [index for index, yes in enumerate(due) if yes] == [0, 18]


async def test_what_was_told_otherwise_starts_the_cooldown(
    stats: ErrorStats, clock: FakeClock
) -> None:
    """Who has just read of an outage needs no error rate."""
    stats.start_cooldown()
    record(stats, *["TimeoutError"] * 10)
    assert stats.too_many_errors()
    assert not stats.alert_due()
    await clock.advance(1800)
    record(stats, *["TimeoutError"] * 10)
    assert stats.alert_due()


def test_whoever_listens_hears_of_all_that_is_counted(clock: FakeClock) -> None:
    """Once it is in the numbers; what is not counted is not news."""
    heard: list[int] = []
    counted = ErrorStats(clock)
    counted.subscribe(lambda: heard.append(counted.summary().operations))
    record(counted, None, "CancelledError", "TimeoutError")
    assert heard == [1, 2]
