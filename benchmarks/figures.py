"""Figures: how they are computed, the bars they are held to, and the table of them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median, quantiles
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured number."""

    name: str
    value: float
    unit: str


class Bar(NamedTuple):
    """What a figure must not be above, or below where more is better."""

    limit: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Tell whether a value keeps to it."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:,g}"


BARS: Mapping[str, Bar] = {
    "ignored_message_us": Bar(5),
    "added_latency_p50_ms": Bar(5),
    "added_latency_p95_ms": Bar(15),
    "loop_lag_p99_ms": Bar(5),
    "rest_calls_per_mention": Bar(0),
    "events_per_s": Bar(10_000, at_least=True),
    "memory_10k_mb": Bar(20),
    "boot_100k_s": Bar(1),
    "load_ms": Bar(300),
    "load_mb": Bar(15),
}


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile (1 to 99) of at least two values."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def middle(rounds: Sequence[Sequence[Figure]]) -> list[Figure]:
    """Return the median of each figure over several rounds of the same measurement."""
    return [
        Figure(same[0].name, round(median(one.value for one in same), 3), same[0].unit)
        for same in zip(*rounds, strict=True)
    ]


def table(figures: Iterable[Figure]) -> str:
    """Lay figures out for people, each beside its bar."""
    rows = [("figure", "value", "unit", "bar", "")]
    for figure in figures:
        bar = BARS.get(figure.name)
        verdict = "" if bar is None else "met" if bar.met(figure.value) else "MISSED"
        value = f"{figure.value:,.10g}"
        rows.append((figure.name, value, figure.unit, str(bar or ""), verdict))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"{name:<{widths[0]}}  {value:>{widths[1]}}  {unit:<{widths[2]}}  "
        f"{bar:>{widths[3]}}  {verdict}".rstrip()
        for name, value, unit, bar, verdict in rows
    )
