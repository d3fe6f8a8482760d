"""What time it is at Discord, whose ids tell when a message was written."""

from __future__ import annotations

import math

from ..clock import Clock
from ..ids import written_at


class DiscordTime:
    """Discord's time, by the messages that are seen and a clock that nobody sets.

    It is never earlier than the last message. Until one was heard live it may be later, as this
    machine's clock says: the clock as it was at the start, or as it is now if it was set back.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # What the time was, by each, when the clock that nobody sets was zero.
        self._told = clock.time() - clock.monotonic()
        self._seen = -math.inf
        self._heard = False

    def see(self, message_id: int, *, live: bool = False) -> None:
        """Learn of a message, and whether it was written just now."""
        self._seen = max(self._seen, written_at(message_id) - self._clock.monotonic())
        self._heard |= live

    def now(self) -> float:
        """Return seconds since 1970."""
        monotonic = self._clock.monotonic()
        if self._heard:
            return self._seen + monotonic
        told = min(self._told, self._clock.time() - monotonic)
        return max(told, self._seen) + monotonic
