"""Bounds: what may still be accepted (promise 8), asked before anything is done for a message."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from ..clock import Clock
from ..ledger import Asked
from ..model import Event
from ..reasons import Reason
from ..settings import NO_LIMIT
from .lanes import Lanes
from .limits import Rules
from .turn_rate import TurnRate
from .waiting import Waiting


class Enqueued(StrEnum):
    """What became of an event that was offered."""

    ACCEPTED = "accepted"
    DUPLICATE = Reason.DUPLICATE
    FULL = Reason.FULL
    PERSON_FULL = Reason.PERSON_FULL
    TOO_OFTEN = Reason.TOO_OFTEN
    SHUT = Reason.SHUT


class Bounds:
    """How much may wait, of a guild and of a person there, and how often a person has a turn.

    What is on its way into the queue counts, so that events arriving at once can't overfill it.
    """

    def __init__(self, rules: Rules, lanes: Lanes, clock: Clock) -> None:
        self._rules = rules
        self._lanes = lanes
        self._clock = clock
        self._arriving = Waiting()
        self._rate = TurnRate()
        self.shut = False

    def restore(self, asked: Iterable[Asked]) -> None:
        """Take over from an earlier process who had turns of late, oldest first."""
        now, monotonic = self._clock.time(), self._clock.monotonic()
        for guild_id, author_id, at in asked:
            self._rate.count((guild_id, author_id), monotonic - max(0.0, now - at))

    def enter(self, event: Event) -> Enqueued | None:
        """Let an event come in, which then counts until it leaves; or say why not."""
        if self.shut:
            return Enqueued.SHUT
        guild_id, person = event.guild_id, (event.guild_id, event.author_id)
        coming = self._arriving.persons.get(person, 0)
        waiting = self._lanes.waiting.persons.get(person, 0)
        # What somebody can do about it themselves comes first.
        if waiting + coming >= self._rules.user_capacity(guild_id):
            return Enqueued.PERSON_FULL
        if self._is_full(guild_id):
            return Enqueued.FULL
        limit = self._rules.turn_limit(guild_id)
        if (
            limit != NO_LIMIT
            and self._rate.spent(person, limit, coming, self._clock.monotonic())
            and not self._lanes.joins(event)
        ):
            return Enqueued.TOO_OFTEN
        self._arriving.add(event)
        return None

    def leave(self, event: Event) -> None:
        """Let an event go that came in, whatever became of it."""
        self._arriving.remove(event)

    def accepted(self, event: Event) -> None:
        """Count the turn of an event that is about to stand in its lane, unless it joins one."""
        if self._rules.turn_limit(event.guild_id) != NO_LIMIT and not self._lanes.joins(event):
            self._rate.count((event.guild_id, event.author_id), self._clock.monotonic())

    def enter_anew(self, event: Event, *, own: bool) -> Enqueued | None:
        """Let an event come in that is to wait once more, as `enter` does.

        Where its author does not want that on their `own`, but an admin, nothing counts as theirs.
        """
        if own or self.shut:
            return self.enter(event)
        if self._is_full(event.guild_id):
            return Enqueued.FULL
        self._arriving.add(event)
        return None

    def _is_full(self, guild_id: int | None) -> bool:
        waiting, arriving = self._lanes.waiting.guilds, self._arriving.guilds
        count = waiting.get(guild_id, 0) + arriving.get(guild_id, 0)
        return count >= self._rules.capacity(guild_id)
