"""The lanes: whose turn it is, and not before when.

One lane per conversation, first in first out; its runs never overlap (promise 3). A channel's runs
start no closer than its rate limit (promise 4): an event that must wait is scheduled for the
moment it may run and keeps its place. Where a limit is reached a lane is parked until a run ends.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .clock import Clock
from .model import Event
from .settings import RULES

_STARTS_KEPT = 1024
_LONGEST_PACE = RULES["rate_limit_seconds"].maximum or 0.0


class Rules(Protocol):
    """What the queue must know of the world to decide who may run; asked anew each time."""

    def capacity(self, guild_id: int | None) -> int:
        """Return how many events of a guild (None: of all DMs) may wait."""
        ...

    def pace(self, event: Event) -> float:
        """Return the seconds between two starts in the event's channel."""
        ...

    def limits(self, event: Event) -> Mapping[str, int]:
        """Return how many runs each of the event's keys (global, guild, agent, user) may hold."""
        ...

    def hold(self, event: Event) -> float:
        """Return the seconds an event must wait for reasons outside the queue; 0 if it may run."""
        ...


@dataclass(slots=True, eq=False)
class _Lane:
    """A lane is in one place at a time: busy, scheduled (`ticket`), parked, or about to be."""

    waiting: deque[Event] = field(default_factory=deque)
    busy: bool = False
    ticket: int | None = None
    parked_at: str | None = None
    woken_for: str | None = None


class Lanes:
    """All that waits and runs, in memory. Pure bookkeeping: nothing here is awaited."""

    def __init__(self, rules: Rules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock
        self._lanes: dict[str, _Lane] = {}
        # (due, ticket, lane name); an entry whose ticket is no longer its lane's is void.
        self._schedule: list[tuple[float, int, str]] = []
        self._tickets = itertools.count()
        self._parked: dict[str, deque[str]] = {}
        self._held: Counter[str] = Counter()
        self._keys: dict[str, tuple[str, ...]] = {}
        self._last_start: dict[int, float] = {}
        self.waiting: Counter[int | None] = Counter()
        """How many events wait, by guild."""

    @property
    def running(self) -> int:
        """Count the events that were taken and not released."""
        return len(self._keys)

    def add(self, event: Event) -> None:
        """Line an event up behind the others of its lane."""
        lane = self._lanes.setdefault(event.lane, _Lane())
        lane.waiting.append(event)
        self.waiting[event.guild_id] += 1
        if not lane.busy and lane.ticket is None and lane.parked_at is None:
            self._plan(event.lane)

    def take(self) -> tuple[Event | None, float | None]:
        """Take an event that may run now, or tell the seconds to wait for one (None: for news)."""
        while self._schedule:
            due, ticket, name = self._schedule[0]
            now = self._clock.monotonic()
            if not self._valid(name, ticket):
                heapq.heappop(self._schedule)
                continue
            if due > now:
                return None, due - now
            heapq.heappop(self._schedule)
            lane = self._lanes[name]
            lane.ticket = None
            if self._due(lane.waiting[0], now) > now:
                self._plan(name)
                self._pass_on(lane)
            elif (full := self._full(lane.waiting[0])) is not None:
                self._parked.setdefault(full, deque()).append(name)
                lane.parked_at = full
                self._pass_on(lane)
            else:
                return self._start(lane), None
        return None, None

    def put_back(self, event: Event) -> None:
        """Return a taken event to the head of its lane."""
        self._lanes[event.lane].waiting.appendleft(event)
        self.waiting[event.guild_id] += 1
        self.release(event)

    def release(self, event: Event) -> None:
        """Give back what a taken event held, and let its lane and those behind it go on."""
        self._lanes[event.lane].busy = False
        self._plan(event.lane)
        for key in self._keys.pop(event.id):
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]
            self._unpark(key)

    def drop(self, event: Event) -> None:
        """Take a waiting event out of its lane."""
        lane = self._lanes[event.lane]
        was_head = lane.waiting[0] is event
        lane.waiting.remove(event)
        self.waiting[event.guild_id] -= 1
        if was_head and not lane.busy:
            # The next in line may have to wait for something else, or for nothing.
            self._leave_park(event.lane, lane)
            self._plan(event.lane)

    def reconsider(self) -> None:
        """Schedule anew what is scheduled: a setting, a pause or a breaker has changed."""
        scheduled = [name for _, ticket, name in self._schedule if self._valid(name, ticket)]
        self._schedule.clear()
        for name in scheduled:
            self._plan(name)

    def _plan(self, name: str) -> None:
        """Schedule a lane for the moment its head may run, or forget it when it is empty."""
        lane = self._lanes[name]
        if lane.waiting:
            lane.ticket = next(self._tickets)
            due = self._due(lane.waiting[0], self._clock.monotonic())
            heapq.heappush(self._schedule, (due, lane.ticket, name))
        else:
            del self._lanes[name]
            self._pass_on(lane)

    def _valid(self, name: str, ticket: int) -> bool:
        lane = self._lanes.get(name)
        return lane is not None and lane.ticket == ticket

    def _due(self, event: Event, now: float) -> float:
        # `now` is the caller's: read again it would be later, and nothing ever due.
        return max(
            now + max(0.0, event.not_before - self._clock.time()),
            now + self._rules.hold(event),
            self._last_start.get(event.channel_id, float("-inf")) + self._rules.pace(event),
        )

    def _full(self, event: Event) -> str | None:
        limits = self._rules.limits(event)
        return next((key for key, most in limits.items() if self._held[key] >= most), None)

    def _unpark(self, key: str) -> None:
        """Wake the first lane that waits for a run of the key to end."""
        if line := self._parked.get(key):
            lane = self._lanes[line[0]]
            lane.woken_for = key
            self._plan(self._leave_park(line[0], lane))

    def _leave_park(self, name: str, lane: _Lane) -> str:
        """Take a lane from where it is parked, if it is, and return its name."""
        if lane.parked_at is not None:
            line = self._parked[lane.parked_at]
            line.remove(name)
            if not line:
                del self._parked[lane.parked_at]
            lane.parked_at = None
        return name

    def _pass_on(self, lane: _Lane) -> None:
        """Let the next in line have the place that a lane was woken for and can't use."""
        key, lane.woken_for = lane.woken_for, None
        if key is not None and key != lane.parked_at:
            self._unpark(key)

    def _start(self, lane: _Lane) -> Event:
        event = lane.waiting.popleft()
        lane.busy, lane.woken_for = True, None
        self.waiting[event.guild_id] -= 1
        self._remember_start(event.channel_id)
        self._keys[event.id] = tuple(self._rules.limits(event))
        self._held.update(self._keys[event.id])
        return event

    def _remember_start(self, channel_id: int) -> None:
        now = self._clock.monotonic()
        if len(self._last_start) >= _STARTS_KEPT:
            self._last_start = {
                channel: at for channel, at in self._last_start.items() if at > now - _LONGEST_PACE
            }
        self._last_start[channel_id] = now
