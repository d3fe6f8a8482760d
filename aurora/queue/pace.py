"""When a run last started in each channel (promise 4)."""

from __future__ import annotations

import math

from ..settings import RULES

_KEPT = 1024
_LONGEST = RULES["rate_limit_seconds"].maximum or 0.0


class Pace:
    """The latest starts by channel, in monotonic seconds; those that hold nobody are forgotten."""

    def __init__(self) -> None:
        self._starts: dict[int, float] = {}
        self._kept = _KEPT

    def started(self, channel_id: int, at: float) -> None:
        """Remember a start."""
        if len(self._starts) >= self._kept:
            self._starts = {
                channel: before
                for channel, before in self._starts.items()
                if before > at - _LONGEST
            }
            self._kept = max(_KEPT, 2 * len(self._starts))
        self._starts[channel_id] = at

    def last(self, channel_id: int) -> float:
        """Return when a run last started in a channel; infinitely long ago if none is known."""
        return self._starts.get(channel_id, -math.inf)
