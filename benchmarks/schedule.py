"""The loads under which latency is measured, and other designs are simulated."""

from __future__ import annotations

import random
from enum import StrEnum
from itertools import accumulate

MENTIONS = 1000
PER_SECOND = 50.0
GUILDS, CHANNELS = 5, 10
"""How many guilds, and how many channels each has; in each of these one person speaks."""
RATE_LIMIT_SECONDS = 0.5
_BURST = 10
_SEED = 1
"""Of the random arrivals: whoever measures again, or another commit, measures the same ones."""


class Arrivals(StrEnum):
    """How mentions come, all at the same rate: one after the other, at random, or ten at once."""

    EVEN = "even"
    POISSON = "poisson"
    BURSTS = "bursts"


def moments(arrivals: Arrivals, count: int, per_second: float) -> list[float]:
    """Return when so many mentions come, in seconds from the first on."""
    match arrivals:
        case Arrivals.EVEN:
            return [number / per_second for number in range(count)]
        case Arrivals.BURSTS:
            return [number // _BURST * _BURST / per_second for number in range(count)]
        case Arrivals.POISSON:
            rng = random.Random(_SEED)  # noqa: S311 - a load keeps no secret
            gaps = (rng.expovariate(per_second) for _ in range(count - 1))
            return list(accumulate(gaps, initial=0.0))
