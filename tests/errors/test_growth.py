"""How long is waited for what is out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from aurora.errors import PINGS, Growth


def tries(growth: Growth) -> Iterator[float]:
    """Yield the ages of an outage at which it is tried, each in vain."""
    age = 0.0
    while True:
        yield age
        age += growth.pause(age)


def test_pauses_grow_with_the_outage_within_bounds() -> None:
    """Five seconds at first, a minute at most."""
    growth = Growth(5.0, 60.0, 1.0)
    assert list(itertools.islice(tries(growth), 8)) == [0, 5, 10, 20, 40, 80, 140, 200]


@pytest.mark.parametrize(("outage", "late"), [(4, 6), (35, 10), (100, 25), (240, 60), (3600, 60)])
def test_a_server_is_found_after_a_quarter_of_its_absence(outage: int, late: int) -> None:
    """Whenever in a pause it comes back; pings are never a minute apart before that long."""
    for moment in range(outage, outage + 60):
        found = next(age for age in tries(PINGS) if age >= moment)
        assert found - moment <= max(late, moment / 4)


@pytest.mark.parametrize(
    ("age", "asked", "pause"),
    [(0, 1, 1), (0, 30, 30), (8, 1, 8), (100, 1, 60), (100, 90, 90), (0, 0, 0), (0, -5, 0)],
)
def test_who_asks_for_a_pause_gets_it(age: float, asked: float, pause: float) -> None:
    """Shorter than the first if so asked, but what is asked each time in vain grows too."""
    assert Growth(5.0, 60.0, 1.0).pause(age, asked) == pause


def test_nobody_is_left_alone_for_a_day() -> None:
    """Five minutes are the most that is granted: it may be better sooner than was said."""
    assert Growth(5.0, 60.0, 1.0).pause(0, 86400) == 300
