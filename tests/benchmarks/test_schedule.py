"""Mentions come as people do, the same ones each time, and never faster than a channel may."""

from __future__ import annotations

from itertools import pairwise

import pytest

from benchmarks.schedule import (
    CHANNELS,
    GUILDS,
    MENTIONS,
    PER_SECOND,
    RATE_LIMIT_SECONDS,
    Arrivals,
    moments,
)


@pytest.mark.parametrize("arrivals", Arrivals)
def test_all_arrivals_have_the_same_rate_and_are_the_same_each_time(arrivals: Arrivals) -> None:
    """Else neither two kinds nor two commits could be compared."""
    seen = moments(arrivals, MENTIONS, PER_SECOND)
    assert seen == moments(arrivals, MENTIONS, PER_SECOND)
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert len(seen) / seen[-1] == pytest.approx(PER_SECOND, rel=0.1)


@pytest.mark.parametrize("arrivals", Arrivals)
def test_no_channel_is_asked_faster_than_its_limit(arrivals: Arrivals) -> None:
    """Or a wait that was asked for would be measured as slowness."""
    seen, places = moments(arrivals, MENTIONS, PER_SECOND), GUILDS * CHANNELS
    gaps = [later - earlier for earlier, later in zip(seen, seen[places:], strict=False)]
    assert min(gaps) > RATE_LIMIT_SECONDS


def test_random_arrivals_are_as_uneven_as_chance_is() -> None:
    """Two in three gaps are shorter than the mean, and one in seven is twice as long."""
    seen = moments(Arrivals.POISSON, MENTIONS, PER_SECOND)
    gaps = [(later - earlier) * PER_SECOND for earlier, later in pairwise(seen)]
    assert sum(gap < 1 for gap in gaps) / len(gaps) == pytest.approx(0.632, abs=0.05)
    assert sum(gap > 2 for gap in gaps) / len(gaps) == pytest.approx(0.135, abs=0.04)


def test_bursts_are_of_ten() -> None:
    """All of a burst at the same moment."""
    seen = moments(Arrivals.BURSTS, 30, PER_SECOND)
    assert [seen.count(at) for at in sorted(set(seen))] == [10, 10, 10]
