"""How often each person has a turn, in a rolling minute and hour."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence

from ..settings import RULES, TurnLimit
from .waiting import Person

MINUTE, HOUR = 60.0, 3600.0
_KEPT = int(RULES["user_limit"].maximum or 0)
# More than one, so that it empties faster than it fills.
_FORGOTTEN_AT_ONCE = 2


class TurnRate:
    """When each person's turns of the last hour were accepted, in monotonic seconds."""

    def __init__(self) -> None:
        # Who had a turn last stands last.
        self._times: OrderedDict[Person, deque[float]] = OrderedDict()

    def spent(self, person: Person, limit: TurnLimit, coming: int, now: float) -> bool:
        """Tell whether somebody has as many turns as a limit gives them; `coming` count too."""
        times = self._times.get(person, ())
        return _spent(times, limit.minute - coming, now - MINUTE) or _spent(
            times, limit.hour - coming, now - HOUR
        )

    def count(self, person: Person, at: float) -> None:
        """Count a turn, not before those that were counted earlier."""
        self._forget(at - HOUR)
        times = self._times.get(person)
        if times is None:
            times = self._times[person] = deque(maxlen=_KEPT)
        else:
            self._times.move_to_end(person)
        while times and times[0] <= at - HOUR:
            times.popleft()
        times.append(at)

    def _forget(self, since: float) -> None:
        """Forget persons who had no turn since then, a few at a time."""
        for _ in range(_FORGOTTEN_AT_ONCE):
            if not self._times:
                return
            person, times = next(iter(self._times.items()))
            if times[-1] > since:
                return
            del self._times[person]


def _spent(times: Sequence[float], most: int, since: float) -> bool:
    return most <= 0 or (len(times) >= most and times[-most] > since)
