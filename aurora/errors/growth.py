"""How long to wait for what is out: the longer it has been out, the longer."""

from __future__ import annotations

from typing import NamedTuple

_MOST_ASKED = 300.0
"""Who asks for more patience than this is tried all the same: it may be better sooner."""


class Growth(NamedTuple):
    """Pauses between two tries, in seconds: a `share` of an outage's age, within bounds."""

    first: float
    longest: float
    share: float

    def pause(self, age: float, asked: float | None = None) -> float:
        """Return the pause after a failed try of an outage that is `age` seconds old.

        What the other side `asked` for stands instead of the first pause, five minutes at most.
        """
        shortest = self.first if asked is None else min(max(0.0, asked), _MOST_ASKED)
        return max(shortest, min(age * self.share, self.longest))


PINGS = Growth(5.0, 60.0, 0.25)
"""A ping costs nobody anything; a server is found again after a quarter of its absence."""
LIMITED = Growth(5.0, 60.0, 1.0)
"""Each doubles the outage's age, for asking is what a limit counts."""
