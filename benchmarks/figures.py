"""Figures: how they are computed, the bars they are held to, and the table of them all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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
    "audience_by_roles_us": Bar(1000),
    "audience_one_by_one_us": Bar(1000),
    "prompt_overhead_tokens": Bar(350),
    # 85 and 50 of a hundred of what an answer by tool had cost before its prompts were shortened.
    "app_server_tokens_by_tool": Bar(16_793),
    "app_server_tokens_by_text": Bar(9_878),
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


def spread(rounds: Sequence[Sequence[Figure]]) -> dict[str, tuple[float, float]]:
    """Return the least and the most of each figure over several rounds."""
    values: dict[str, list[float]] = {}
    for figure in (one for figures in rounds for one in figures):
        values.setdefault(figure.name, []).append(figure.value)
    return {name: (min(seen), max(seen)) for name, seen in values.items()}


def table(
    figures: Iterable[Figure], spreads: Mapping[str, tuple[float, float]] | None = None
) -> str:
    """Lay figures out for people, each with its spread over the rounds, and beside its bar."""
    rows = [("figure", "value", "least–most", "unit", "bar", "")]
    for figure in figures:
        bar = BARS.get(figure.name)
        verdict = "" if bar is None else "met" if bar.met(figure.value) else "MISSED"
        least, most = (spreads or {}).get(figure.name, (figure.value, figure.value))
        seen = f"({least:,.10g}–{most:,.10g})" if least < most else ""
        rows.append(
            (figure.name, f"{figure.value:,.10g}", seen, figure.unit, str(bar or ""), verdict)
        )
    return aligned(rows, right=(1, 4))


def aligned(rows: Sequence[Sequence[str]], *, right: Collection[int]) -> str:
    """Put rows of texts into columns; those that are named by number stand to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
