"""What the lives of Aurora told, as it is known outside of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from aurora.model import State

from .life import Told

_FINAL = {state.value for state in State if state.final}
# A message that came so shortly before a kill may not have been committed yet.
_MARGIN_SECONDS = 0.5


@dataclass(slots=True)
class Diary:
    """What the lives told, and when each of them listened (monotonic seconds)."""

    accepted: set[int] = field(default_factory=set)
    open: set[int] = field(default_factory=set)
    heard_at: float = 0.0
    listened: list[tuple[float, float]] = field(default_factory=list)
    _ready_at: float | None = None

    def hear(self, told: Told) -> None:
        """Write down a word of a life."""
        self.heard_at = time.monotonic()
        if told["step"] == "ready":
            self._ready_at = self.heard_at
        elif told["step"] == "queued":
            self.accepted.add(told["message_id"])
            self.open.add(told["message_id"])
        elif told["step"] in _FINAL:
            self.open.discard(told["message_id"])

    def close(self) -> None:
        """Note that a life is over."""
        if self._ready_at is not None:
            self.listened.append((self._ready_at, time.monotonic()))
        self._ready_at = None

    def owes(self, at: float) -> bool:
        """Tell whether Aurora must have accepted a message that was sent then."""
        return any(begin < at < end - _MARGIN_SECONDS for begin, end in self.listened)
