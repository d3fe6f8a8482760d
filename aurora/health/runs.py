"""Facts about runs: which there are, for how many there is room, and all about one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from ..clock import Clock
from ..ledger import Listed, Store, Where
from ..ledger.run_lists import OfAuthor
from ..model import Event, Send, State, Step, Turn, Used
from ..model.usage import day_of
from ..queue import MessageQueue
from .status import Limits, Status

METRICS_DAYS = 30
"""Over how many days runs are summed up, today included."""


class Overview(NamedTuple):
    """The runs of a person or a place: the latest, and all by state, as far as they are `more`.

    `capacity` is how many may run at a time for them, and `free` how many more could now.
    """

    latest: Sequence[Listed]
    counts: Mapping[State, int]
    capacity: int
    free: int
    more: bool = False


class Metrics(NamedTuple):
    """How runs went: what those cost that reached their agent lately, and all by state.

    `more` says that of a person not all were counted by state.
    """

    used: Used
    counts: Mapping[State, int]
    more: bool = False

    @property
    def average(self) -> float | None:
        """Return the seconds that the agent took for a run; None if there was none."""
        return self.used.seconds / self.used.runs if self.used.runs else None


class RunFacts(NamedTuple):
    """All that is kept about a run; without a turn it has not begun."""

    event: Event
    turn: Turn | None
    sends: Sequence[Send]
    steps: Sequence[Step]

    @property
    def answers(self) -> list[Send]:
        """Return what was sent that is no notice and no line of progress, as far as it is out."""
        return [
            one
            for one in self.sends
            if one.kind == "message" and not one.aside and one.message_ids
        ]

    @property
    def tools(self) -> Mapping[str, int]:
        """Count the calls of the tools that were on offer."""
        return Counter(one.tool for one in self.steps if one.kind == "call" and one.tool)


@dataclass(frozen=True, slots=True)
class Runs:
    """Gathers the facts about runs."""

    store: Store
    queue: MessageQueue
    status: Status
    clock: Clock

    async def of_person(
        self, author_id: int, place: Where, states: Collection[State], limit: int
    ) -> Overview:
        """Return what a person asked in a place."""
        found: OfAuthor = await self.store.of_author(author_id, place, states=states, limit=limit)
        limits = self.status.limits(place)
        free = min(limits.user - self.queue.held(f"user:{author_id}"), self._free(place, limits))
        return Overview(found.latest, found.counts, limits.user, max(0, free), found.more)

    async def of_place(self, place: Where, states: Collection[State], limit: int) -> Overview:
        """Return what was asked in a guild, or everywhere."""
        limits = self.status.limits(place)
        capacity = limits.guild if isinstance(place, int) else limits.everywhere
        return Overview(
            await self.store.recent(place, states=states, limit=limit),
            await self.store.counts(place),
            capacity,
            self._free(place, limits),
        )

    async def metrics(self, place: Where, person: int | None = None) -> Metrics:
        """Return how the runs of a place went, or those of a person there."""
        today = day_of(self.clock.time())
        spent = await self.store.spent(place, today - METRICS_DAYS + 1, person)
        used = reduce(Used.plus, spent, Used(today))
        if person is None:
            return Metrics(used, await self.store.counts(place))
        found = await self.store.of_author(person, place, limit=0)
        return Metrics(used, found.counts, found.more)

    def _free(self, place: Where, limits: Limits) -> int:
        free = limits.everywhere - self.queue.held("global")
        if isinstance(place, int):
            free = min(free, limits.guild - self.queue.held(f"guild:{place}"))
        return max(0, free)

    async def facts(self, event: Event) -> RunFacts:
        """Return all about one."""
        turn = await self.store.turn(event.turn_id) if event.turn_id is not None else None
        # What was sent stands under the name of who speaks for the turn.
        speaker = turn.speaker.id if turn is not None else event.id
        steps = await self.store.steps(turn.id) if turn is not None else ()
        return RunFacts(event, turn, await self.store.sends(speaker), steps)
