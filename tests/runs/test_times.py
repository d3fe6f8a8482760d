"""Times as people type them: what is understood, and when it comes, also where clocks are set."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurora.runs.times import (
    DAY,
    HOUR,
    Every,
    Once,
    TimeError,
    Weekly,
    When,
    in_hours,
    kept_when,
    read_when,
    typed_when,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC).timestamp()


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    """Return a time of the calendar in seconds since the epoch."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("typed", "when", "rest"),
    [
        ("in 2h say hello", Once(NOW + 2 * HOUR), "say hello"),
        ("In 90 minutes\nlook", Once(NOW + 1.5 * HOUR), "look"),
        ("in 1 day x", Once(NOW + DAY), "x"),
        ("2026-12-01 09:00 the news", Once(at("2026-12-01 09:00")), "the news"),
        ("2026-12-01T9:00 x", Once(at("2026-12-01 09:00")), "x"),
        ("every 6h what is new?", Every(6 * HOUR, NOW), "what is new?"),
        ("every 2 days x", Every(2 * DAY, NOW), "x"),
        ("daily 09:00 greet", Weekly((0, 1, 2, 3, 4, 5, 6), 540), "greet"),
        ("mon,thu 18:30 remind", Weekly((0, 3), 1110), "remind"),
        ("Thursday, mon 18:30 remind", Weekly((0, 3), 1110), "remind"),
        ("sun 0:05 x", Weekly((6,), 5), "x"),
    ],
)
def test_what_is_typed_is_understood(typed: str, when: When, rest: str) -> None:
    """With what follows it; and it is the same when it is read from where it is kept."""
    assert read_when(typed, NOW, BERLIN) == (when, rest)
    assert kept_when(str(when)) == when
    again, _ = read_when(f"{typed_when(when, BERLIN)} x", NOW, BERLIN)
    assert again == when


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "does not begin with a time"),
        ("in 2 months x", "does not begin with a time"),
        ("monitor 09:00 x", "does not begin with a time"),
        ("daily 25:00 x", "does not begin with a time"),
        ("daily 09:60 x", "does not begin with a time"),
        ("every 59m x", "once an hour"),
        ("every 400d x", "once a year"),
        ("in 0h x", "over already"),
        ("2026-02-30 09:00 x", "2026-02-30"),
        ("2020-01-01 09:00 x", "over already"),
        ("2031-01-01 09:00 x", "more than a year"),
    ],
)
def test_what_is_no_time_is_refused_in_words(typed: str, words: str) -> None:
    """Which say what would be one."""
    with pytest.raises(TimeError, match=words):
        read_when(typed, NOW, BERLIN)


def test_a_time_of_day_follows_the_clocks_of_the_place() -> None:
    """Nine o'clock stays nine o'clock when summer begins and when it ends."""
    daily = Weekly(tuple(range(7)), 540)
    for begins in ("2027-03-27 09:00", "2026-10-24 09:00"):
        first, second = at(begins), at(begins) + 26 * HOUR
        due = daily.after(first, BERLIN)
        assert due is not None
        assert first < due < second
        assert datetime.fromtimestamp(due, BERLIN).hour == 9


def test_a_time_that_the_clocks_leave_out_comes_later_that_day() -> None:
    """And one that they show twice comes once."""
    half_past_two = Weekly(tuple(range(7)), 150)
    left_out = half_past_two.after(at("2027-03-28 00:00"), BERLIN)
    assert left_out == at("2027-03-28 03:30")
    assert half_past_two.after(left_out, BERLIN) == at("2027-03-29 02:30")
    first = half_past_two.after(at("2026-10-25 00:00"), BERLIN)
    assert first == at("2026-10-25 02:30")
    assert half_past_two.after(first, BERLIN) == at("2026-10-26 02:30")


def test_what_comes_every_six_hours_keeps_its_pace_over_any_silence() -> None:
    """A week of it missed is one wake-up, and the next comes when it would have."""
    every = Every(6 * HOUR, NOW)
    assert every.after(NOW, BERLIN) == NOW + 6 * HOUR
    assert every.after(NOW + 7 * DAY + 1, BERLIN) == NOW + 7 * DAY + 6 * HOUR


def test_a_single_time_comes_once() -> None:
    """And not again, whatever the clock does."""
    assert Once(NOW + 5).after(NOW, BERLIN) == NOW + 5
    assert Once(NOW + 5).after(NOW + 5, BERLIN) is None


@given(
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439),
    st.floats(NOW - 400 * DAY, NOW + 400 * DAY),
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
)
def test_days_of_the_week_always_come_again_within_a_week(
    days: set[int], minute: int, moment: float, zone: str
) -> None:
    """After the moment, never at it, and on one of the days."""
    here = ZoneInfo(zone)
    due = Weekly(tuple(sorted(days)), minute).after(moment, here)
    assert due is not None
    assert moment < due < moment + 8 * DAY + 2 * HOUR
    assert datetime.fromtimestamp(due, here).weekday() in days


@pytest.mark.parametrize(
    ("first", "last", "hours"),
    [(22, 7, {22, 23, 0, 1, 2, 3, 4, 5, 6}), (1, 3, {1, 2}), (5, 5, set())],
)
def test_hours_of_the_day_may_go_over_midnight(first: int, last: int, hours: set[int]) -> None:
    """Two that are equal are none at all."""
    day = at("2026-11-27 00:00")
    inside = {one for one in range(24) if in_hours(day + one * HOUR, first, last, BERLIN)}
    assert inside == hours
