"""How often messages are edited in a channel: one budget for all that Aurora edits there."""

from __future__ import annotations

from ..clock import Clock, SystemClock, sleep

SECONDS = 2.0
"""How long after an edit the next one in its channel may follow."""
_KEPT = 1000


class EditPace:
    """Gives edits their moments; who only tells how far something is waits, and says it once."""

    def __init__(self, clock: Clock | None = None, seconds: float = SECONDS) -> None:
        self._clock = clock or SystemClock()
        self._seconds = seconds
        self._next: dict[int, float] = {}

    async def turn(self, channel_id: int) -> None:
        """Wait for the next moment in a channel, and take it."""
        now = self._clock.monotonic()
        at = max(now, self._next.get(channel_id, now))
        self._take(channel_id, at)
        if at > now:
            await sleep(self._clock, at - now)

    def take(self, channel_id: int) -> None:
        """Take the next moment without waiting: for what nobody may miss. The others wait."""
        now = self._clock.monotonic()
        self._take(channel_id, max(now, self._next.get(channel_id, now)))

    def _take(self, channel_id: int, at: float) -> None:
        if len(self._next) >= _KEPT:
            now = self._clock.monotonic()
            self._next = {key: due for key, due in self._next.items() if due > now}
        self._next[channel_id] = at + self._seconds
