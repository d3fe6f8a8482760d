"""Gaps are measured, and excused only by what lasted in them."""

from __future__ import annotations

import pytest

from .spans import Spans, gaps


@pytest.mark.parametrize(
    ("begin", "end", "seconds"),
    [(0, 1, 0), (0, 3, 1), (2, 6, 4), (3, 20, 9), (11, 30, 3), (0, 30, 10)],
)
def test_what_two_spans_share_counts_once(begin: float, end: float, seconds: float) -> None:
    """Two troubles at once do not excuse twice as much."""
    spans = Spans([(2.0, 6.0), (4.0, 8.0), (10.0, 14.0), (5.0, 6.0)])
    assert spans.within(begin, end) == seconds


def test_a_moment_shortly_before_a_span_may_count_too() -> None:
    """What came a moment before a kill may not have been heard."""
    spans = Spans([(2.0, 6.0)])
    assert (spans.hold(1.8), spans.hold(1.8, 0.5), spans.hold(6.0)) == (False, True, True)


def test_each_gap_has_its_excuse() -> None:
    """As long as it is, and as long as the trouble in it was."""
    assert gaps([0.0, 1.0, 9.0], Spans([(2.0, 6.0)])) == [(1.0, 0.0), (8.0, 4.0)]


def test_a_moment_in_spans_is_over_with_the_last_of_them() -> None:
    """Who could not hear it then may hear it afterwards."""
    spans = Spans([(2.0, 6.0), (4.0, 8.0)])
    assert (spans.over(3.0), spans.over(5.0), spans.over(9.0)) == (6.0, 8.0, 9.0)
