"""Times of what begins to wait, by the clock that nobody sets."""

from __future__ import annotations

from ..clock import Clock
from ..ids import written_at
from ..model import Turn

# A longer one no server may ask for: it is not known then, since the clock was set.
_LONGEST_DELAY, _UNKNOWN_DELAY = 300.0, 2.0


def begin(turn: Turn, clock: Clock) -> None:
    """Translate a turn's times to the clock that nobody sets."""
    now, monotonic = clock.time(), clock.monotonic()
    for event in turn.events:
        # Nobody was heard before they wrote: then the clock was behind, by so much at least.
        behind = max(0.0, written_at(event.message_id) - event.accepted_at)
        # Whatever was done to the clock meanwhile, nobody waits longer than was meant.
        left = min(event.expires_at + behind - now, event.expires_at - event.accepted_at)
        event.deadline = monotonic + left
    delay = turn.not_before - now
    if turn.started_at is not None:
        # It was put back after it had started, by the same clock.
        delay = min(delay, turn.not_before - turn.started_at)
    delay = delay if delay <= _LONGEST_DELAY else _UNKNOWN_DELAY
    turn.ready_at = monotonic + max(0.0, delay)
