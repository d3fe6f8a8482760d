"""What is told of events: made as it happens, published when it is kept."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from ..clock import Clock, sleep
from ..ids import new_event_id
from ..model import Change, Event, State, Turn

log = logging.getLogger("red.aurora.queue")

_PATIENCE = (1.0, 30.0)
_FINAL = frozenset(state for state in State if state.final)


class Changes:
    """Makes changes, and tells of them; `totals` counts what has ended since the start."""

    def __init__(self, clock: Clock, notify: Callable[[Change], object]) -> None:
        self._clock = clock
        self._notify = notify
        self.totals: Counter[str] = Counter()

    def of(self, event: Event, step: str, detail: str = "", turn: Turn | None = None) -> Change:
        """Return the next change in an event's life."""
        now, cause = self._clock.time(), event.cause
        event.cause = new_event_id(now)
        agent_id, attempt = (turn.agent_id, turn.attempts) if turn is not None else (None, 0)
        return Change(
            event.id,
            event.message_id,
            event.channel_id,
            event.guild_id,
            event.author_id,
            event.lane,
            step,
            now,
            detail,
            event.cause,
            cause,
            agent_id,
            event.turn_id,
            attempt,
        )

    def of_all(self, turn: Turn, step: str, detail: str = "") -> list[Change]:
        """Return the next change of each event of a turn."""
        return [self.of(event, step, detail, turn) for event in turn.events]

    def publish(self, changes: Sequence[Change]) -> None:
        """Tell of changes that are kept."""
        for change in changes:
            if change.step in _FINAL:
                self.totals[change.step] += 1
            self._notify(change)

    def tell(self, turn: Turn, step: str, detail: str) -> None:
        """Tell of a step that changes no state."""
        event = turn.speaker
        cause = event.cause
        self._notify(self.of(event, step, detail, turn))
        event.cause = cause


async def persist(clock: Clock, keep: Callable[[], Awaitable[None]]) -> None:
    """Keep an outcome, however long the store refuses; only a cancellation ends the wait.

    It has happened and can't be taken back: a full disk must not make Aurora forget it.
    """
    delay, longest = _PATIENCE
    while True:
        try:
            return await keep()
        except Exception as error:
            log.exception("The ledger can't be written; trying again", exc_info=error)
        await sleep(clock, delay)
        delay = min(2 * delay, longest)
