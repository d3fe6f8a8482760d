"""How often messages are edited in a channel: one budget for all that Aurora edits there."""

from __future__ import annotations

from collections import Counter

from ..clock import Clock, SystemClock, sleep

SECONDS = 2.0
"""How long after an edit the next one in its channel may follow."""
_KEPT = 1000


class EditPace:
    """Gives edits their moments; who only tells how far something is lets all others go first."""

    def __init__(self, clock: Clock | None = None, seconds: float = SECONDS) -> None:
        self._clock = clock or SystemClock()
        self._seconds = seconds
        self._next: dict[int, float] = {}
        self._first: Counter[int] = Counter()

    async def turn(self, channel_id: int, *, first: bool = False) -> None:
        """Wait for a moment in a channel, and take it; `first` lets nobody else go before."""
        self._first[channel_id] += first
        try:
            while (wait := self._wait(channel_id)) > 0 or (self._first[channel_id] and not first):
                await sleep(self._clock, max(0.0, wait))
            self.take(channel_id)
        finally:
            self._first[channel_id] -= first
            if not self._first[channel_id]:
                del self._first[channel_id]

    def take(self, channel_id: int) -> None:
        """Take the next moment without waiting: for what nobody may miss. The others wait."""
        now = self._clock.monotonic()
        if len(self._next) >= _KEPT:
            self._next = {key: due for key, due in self._next.items() if due > now}
        self._next[channel_id] = max(now, self._next.get(channel_id, now)) + self._seconds

    def _wait(self, channel_id: int) -> float:
        now = self._clock.monotonic()
        return self._next.get(channel_id, now) - now
