"""What is older than it is kept, also where the clock was set."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile
from typing import TypeVar

T = TypeVar("T")


def aged(times: Iterable[tuple[T, float]], limit: float, now: float) -> list[T]:
    """Return what is from before the limit, and what before that claims to be from after now."""
    # All are in the order in which they were kept: what is too young ends the search.
    seen = list(takewhile(lambda one: not limit < one[1] <= now, times))
    while seen and seen[-1][1] > limit:
        seen.pop()
    return [one for one, _ in seen]
