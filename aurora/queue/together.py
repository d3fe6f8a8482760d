"""Which of a lane's events run together: one person's, in a row, up to as many as are one turn."""

from __future__ import annotations

import itertools
import math

from ..model import Event
from .limits import Rules
from .lines import Lane

_LONGEST_QUIET = 3
"""How many quiet moments a lane waits for at most, counted from the first event."""


class Together:
    """Tells what belongs to the head of a lane, and how long it waits for more of it."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def joins(self, lane: Lane, event: Event) -> bool:
        """Tell whether an event that comes now will run together with some that wait."""
        mine = itertools.takewhile(
            lambda turn: _is_alike(turn.speaker, event) and turn.started_at is None,
            reversed(lane.waiting),
        )
        # Of one author's in a row those are cut off from the front that are one turn.
        return sum(1 for _ in mine) % self._rules.coalesce(event) > 0

    def quiet_at(self, lane: Lane, now: float) -> float:
        """Return when who speaks first will have been quiet for long enough, if no more comes."""
        first = lane.waiting[0].speaker
        seconds = self._rules.debounce(first)
        if not seconds or lane.waiting[0].started_at is not None:
            return -math.inf
        count = self._count(lane, now)
        if count < len(lane.waiting) or count >= self._rules.coalesce(first):
            # Nobody could join them any more.
            return -math.inf
        last = lane.waiting[count - 1].speaker
        return min(last.came_at + seconds, first.came_at + _LONGEST_QUIET * seconds)

    def _count(self, lane: Lane, now: float) -> int:
        """Count the head and its author's next events, which run with it if it is new."""
        head = lane.waiting[0]
        speaker = head.speaker
        most = self._rules.coalesce(speaker) if head.started_at is None else 1
        count = 1
        for turn in lane.waiting[1:most]:
            event = turn.speaker
            if (
                not _is_alike(event, speaker)
                or turn.started_at is not None
                or event.deadline <= now
            ):
                break
            count += 1
        return count

    def join(self, lane: Lane, now: float) -> None:
        """Let those run with the head that may."""
        head, count = lane.waiting[0], self._count(lane, now)
        if count > 1:
            head.events = tuple(turn.speaker for turn in lane.waiting[:count])
            del lane.waiting[1:count]


def _is_alike(one: Event, other: Event) -> bool:
    """Tell whether two events may run together: messages of one author, for the same agent."""
    same = one.author_id == other.author_id and one.wish == other.wish
    return same and one.by_message and other.by_message
