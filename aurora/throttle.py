"""Once in a while: keeps notices from becoming noise."""

from __future__ import annotations

from collections.abc import Hashable

from .clock import Clock


class Throttle:
    """Let something happen for a key at most once in so many seconds."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._last: dict[Hashable, float] = {}

    def allow(self, key: Hashable) -> bool:
        """Tell whether it may happen now, and count it."""
        now = self._clock.monotonic()
        self._last = {k: at for k, at in self._last.items() if now - at < self._seconds}
        if key in self._last:
            return False
        self._last[key] = now
        return True
