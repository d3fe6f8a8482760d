"""Spans of time in which something was so, and the gaps that they excuse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from time import monotonic


@dataclass(slots=True)
class Spans:
    """Spans between two moments each (monotonic seconds)."""

    known: list[tuple[float, float]] = field(default_factory=list)

    @contextmanager
    def lasting(self) -> Iterator[None]:
        """Add one that lasts while inside."""
        begin = monotonic()
        try:
            yield
        finally:
            self.known.append((begin, monotonic()))

    def hold(self, at: float, before: float = 0.0) -> bool:
        """Tell whether a moment lies in one of them, or so many seconds before it."""
        return any(begin - before <= at <= end for begin, end in self.known)

    def over(self, at: float) -> float:
        """Return when those that hold a moment are over; itself if none does."""
        return max((end for begin, end in self.known if begin <= at <= end), default=at)

    def within(self, begin: float, end: float) -> float:
        """Return how many seconds between two moments lie in any of them."""
        seconds, done = 0.0, begin
        for one, other in sorted(self.known):
            seconds += max(0.0, min(other, end) - max(one, done))
            done = max(done, min(other, end))
        return seconds


def gaps(moments: Sequence[float], excused: Spans) -> list[tuple[float, float]]:
    """Return the seconds between moments that follow each other, and how many are excused."""
    return [
        (later - earlier, excused.within(earlier, later)) for earlier, later in pairwise(moments)
    ]
