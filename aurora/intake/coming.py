"""Coming: messages that discord.py has parsed, until something has come of them."""

from __future__ import annotations

from ..clock import Clock

_APART_SECONDS = 10.0
_LOOKS = 6


class Coming:
    """Holds messages from the moment they are parsed; what Red does with them takes its time.

    Of what Red keeps for itself nobody tells, so it is held no longer than for some looks that
    lie apart. They are counted: where a process stands still, time passes and no more than that.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._looks: dict[int, int] = {}
        self._looked_at = clock.monotonic()

    def came(self, message_id: int) -> None:
        """Hold a message."""
        self._looks.setdefault(message_id, 0)

    def ended(self, message_id: int) -> None:
        """Let go of a message that was accepted or refused, is a command, or waits in a line."""
        self._looks.pop(message_id, None)

    def look(self) -> set[int]:
        """Return what is held, and count that."""
        if (now := self._clock.monotonic()) - self._looked_at >= _APART_SECONDS:
            self._looked_at = now
            looks = {one: count + 1 for one, count in self._looks.items()}
            self._looks = {one: count for one, count in looks.items() if count < _LOOKS}
        return set(self._looks)
