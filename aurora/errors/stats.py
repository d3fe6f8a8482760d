"""Counts of what went well and what did not, for people to look at."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..clock import Clock

RECENT_SECONDS = 300.0

NOT_ERRORS = frozenset({"CancelledError", "ContentRefused", "ConversationBusy"})
"""What says nothing about health: nothing was tried, or somebody just had to wait."""

_GREEN_BELOW, _YELLOW_UP_TO, _ALERT_ABOVE = 0.05, 0.20, 0.50


def mark(rate: float) -> str:
    """Return the sign for an error rate (0 to 1): 🟢 below 5 %, 🟡 up to 20 %, 🔴 above."""
    if rate < _GREEN_BELOW:
        return "🟢"
    return "🟡" if rate <= _YELLOW_UP_TO else "🔴"


class Operation(NamedTuple):
    """One thing that was tried; `at` is seconds since the epoch, `duration` seconds."""

    at: float
    error: str | None
    guild_id: int | None
    duration: float
    monotonic: float


class Summary(NamedTuple):
    """The numbers as of now; rates are 0 to 1, `recent` is oldest first.

    The 5-minute rate looks at `recent` alone: the last operations, as many as the window holds.
    """

    operations: int
    errors: int
    rate: float
    recent_operations: int
    recent_errors: int
    recent_rate: float
    by_type: Mapping[str, int]
    recent: tuple[Operation, ...]

    @property
    def mark(self) -> str:
        """Return the sign for the 5-minute rate."""
        return mark(self.recent_rate)


@dataclass(slots=True)
class _Tally:
    recent: deque[Operation]
    operations: int = 0
    by_type: Counter[str] = field(default_factory=Counter)

    def add(self, operation: Operation) -> None:
        self.operations += 1
        self.recent.append(operation)
        if operation.error is not None:
            self.by_type[operation.error] += 1

    def lately(self, since: float) -> tuple[int, int]:
        """Count the operations since then, and the errors among them."""
        late = [one.error is not None for one in self.recent if one.monotonic > since]
        return len(late), sum(late)

    def summary(self, since: float) -> Summary:
        late, late_errors = self.lately(since)
        errors = self.by_type.total()
        return Summary(
            operations=self.operations,
            errors=errors,
            rate=errors / self.operations if self.operations else 0.0,
            recent_operations=late,
            recent_errors=late_errors,
            recent_rate=late_errors / late if late else 0.0,
            by_type=dict(self.by_type.most_common()),
            recent=tuple(self.recent),
        )


class ErrorStats:
    """What happened since the start, in all and per guild.

    `window` bounds the operations kept of each, `guilds` the guilds: the one longest without an
    operation is forgotten first. An alert is due at most every `alert_cooldown` seconds and not
    before `alert_minimum` operations. Who has subscribed hears that one was
    counted, and must neither block nor raise. For one event loop.
    """

    def __init__(
        self,
        clock: Clock,
        window: int = 100,
        *,
        guilds: int = 200,
        alert_minimum: int = 5,
        alert_cooldown: float = 1800.0,
    ) -> None:
        self._clock = clock
        self._window = window
        self._max_guilds = guilds
        self._alert_minimum = alert_minimum
        self._alert_cooldown = alert_cooldown
        self._listeners: list[Callable[[], None]] = []
        self._alerted_at: float | None = None
        self._all = self._tally()
        self._guilds: OrderedDict[int, _Tally] = OrderedDict()

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Tell a listener of every operation that is counted from now on."""
        self._listeners.append(listener)

    def record(
        self, error: str | None, *, guild_id: int | None = None, duration: float = 0.0
    ) -> None:
        """Count an operation: a success (None) or an error by its type's name.

        What is in NOT_ERRORS is neither and is not counted.
        """
        if error in NOT_ERRORS:
            return
        now = self._clock.monotonic()
        operation = Operation(self._clock.time(), error, guild_id, duration, now)
        self._all.add(operation)
        if guild_id is not None:
            self._guilds.setdefault(guild_id, self._tally()).add(operation)
            self._guilds.move_to_end(guild_id)
            if len(self._guilds) > self._max_guilds:
                self._guilds.popitem(last=False)
        for listener in self._listeners:
            listener()

    def summary(self, guild_id: int | None = None) -> Summary:
        """Return the numbers of a guild, or of everything (None)."""
        tally = self._all if guild_id is None else self._guilds.get(guild_id) or self._tally()
        return tally.summary(self._clock.monotonic() - RECENT_SECONDS)

    def alert_due(self) -> bool:
        """Tell whether to alert somebody now; a yes starts the cooldown, so act on it."""
        now = self._clock.monotonic()
        if self._alerted_at is not None and now - self._alerted_at < self._alert_cooldown:
            return False
        if not self.too_many_errors():
            return False
        self.start_cooldown()
        return True

    def too_many_errors(self) -> bool:
        """Tell whether more than half of what was tried lately failed."""
        # Asked after every run: the whole summary would be made for nobody.
        operations, errors = self._all.lately(self._clock.monotonic() - RECENT_SECONDS)
        return operations >= self._alert_minimum and errors > _ALERT_ABOVE * operations

    def start_cooldown(self) -> None:
        """Let no alert be due for a while: somebody has just been told, in other words."""
        self._alerted_at = self._clock.monotonic()

    def _tally(self) -> _Tally:
        return _Tally(deque(maxlen=self._window))
