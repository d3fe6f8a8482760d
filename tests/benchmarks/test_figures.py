"""Percentiles, medians, bars and the table."""

from __future__ import annotations

import pytest

from benchmarks.figures import (
    BARS,
    Bar,
    Figure,
    middle,
    percentile,
    spread,
    table,
)


def test_the_median_of_rounds_is_taken_for_each_figure() -> None:
    """One noisy round does not move a figure."""
    rounds = [[Figure("a", a, "ms"), Figure("b", b, "s")] for a, b in ((1, 9), (50, 7), (2, 8))]
    assert middle(rounds) == [Figure("a", 2, "ms"), Figure("b", 8, "s")]


def test_rounds_with_different_figures_are_no_rounds() -> None:
    """A figure that is missing from a round is not passed over."""
    with pytest.raises(ValueError, match="zip"):
        middle([[Figure("a", 1, "ms")], []])


def test_a_percentile_lies_among_the_values() -> None:
    """The 50th of an odd number of values is the middle one."""
    assert percentile([5.0, 1.0, 3.0], 50) == 3.0


@pytest.mark.parametrize(
    ("bar", "value", "met"),
    [
        (Bar(5), 5, True),
        (Bar(5), 5.1, False),
        (Bar(0), 0, True),
        (Bar(10, at_least=True), 10, True),
        (Bar(10, at_least=True), 9, False),
    ],
)
def test_a_bar_is_met_on_its_own_side(bar: Bar, value: float, met: bool) -> None:
    """More is better for some figures, less for the others."""
    assert bar.met(value) is met


def test_the_table_names_what_misses_its_bar() -> None:
    """Nobody has to compare numbers to see it."""
    lines = table(
        [
            Figure("boot_100k_s", 0.5, "s"),
            Figure("events_per_s", 9_000, "1/s"),
            Figure("x", 1, "s"),
        ]
    ).splitlines()
    assert lines[1].split() == ["boot_100k_s", "0.5", "s", "≤", "1", "met"]
    assert lines[2].split() == ["events_per_s", "9,000", "1/s", "≥", "10,000", "MISSED"]
    assert lines[3].split() == ["x", "1", "s"]


def test_the_table_shows_the_least_and_the_most_of_the_rounds() -> None:
    """A median without its spread hides how little it may mean."""
    rounds = [[Figure("x", value, "s"), Figure("same", 4, "s")] for value in (3, 1, 2)]
    lines = table(middle(rounds), spread(rounds)).splitlines()
    assert lines[1].split() == ["x", "2", "(1–3)", "s"]
    assert lines[2].split() == ["same", "4", "s"]


def test_every_figure_with_a_promise_has_a_bar() -> None:
    """The bars are those that the project states."""
    assert BARS["events_per_s"] == Bar(10_000, at_least=True)
    assert {name: bar.limit for name, bar in BARS.items() if not bar.at_least} == {
        "ignored_message_us": 5,
        "added_latency_p50_ms": 5,
        "added_latency_p95_ms": 15,
        "loop_lag_p99_ms": 5,
        "prompt_overhead_tokens": 350,
        "app_server_tokens_by_tool": 16_793,
        "app_server_tokens_by_text": 9_878,
        "rest_calls_per_mention": 0,
        "memory_10k_mb": 20,
        "boot_100k_s": 1,
        "load_ms": 300,
        "load_mb": 15,
        "audience_by_roles_us": 1000,
        "audience_one_by_one_us": 1000,
    }
