"""The lanes: whose turn it is, and not before when.

One lane per conversation, first in first out; its runs never overlap (promise 3). A channel's runs
start no closer than its rate limit (promise 4): an event that must wait is scheduled for the
moment it may run and keeps its place. Where a limit is reached a lane is parked until a run ends.
Of those that may run each guild has its turn, DMs being one of them, and in it who has waited
longest; who holds half of an agent's runs lets others go first that wait for the agent. Where
that is set, a lane waits until who speaks first in it has been quiet for a moment.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping

from ..clock import Clock
from ..ledger import EVERYWHERE, Where
from ..model import Event, Turn
from .limits import Rules
from .lines import FIRST, FairLine, Groups, Lane, Shares
from .pace import Pace
from .together import Together
from .waiting import Waiting

_VOID_KEPT = 1000
BITE = 100
"""Lanes that are looked at in one go; each takes some ten microseconds."""


class Lanes:
    """All that waits and runs, in memory. Pure bookkeeping: nothing here is awaited."""

    def __init__(self, rules: Rules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock
        self._lanes: dict[str, Lane] = {}
        # (due, ticket, lane name); an entry whose ticket is no longer its lane's is void.
        self._schedule: list[tuple[float, int, str]] = []
        self._tickets = itertools.count()
        self._groups = Groups()
        # Lanes to be scheduled anew, and whether all are to be when these have been.
        self._anew: deque[str] = deque()
        self._all_anew = False
        self._places = itertools.count()
        self._shares = Shares(rules)
        self._ready = FairLine(self._shares)
        self._parked: dict[str, FairLine] = {}
        self._held: Counter[str] = Counter()
        self._keys: dict[str, tuple[str, ...]] = {}
        self._together = Together(rules)
        self._pace = Pace()
        self.waiting = Waiting()
        """How many events wait."""
        self.running = 0
        """How many events were taken and not released."""

    def add(self, turn: Turn) -> None:
        """Line a turn up behind the others of its lane."""
        speaker = turn.speaker
        name, guild_id = speaker.lane, speaker.guild_id
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = Lane(guild_id, turn.speaker.parent_id)
            self._groups.add(name, lane)
        lane.waiting.append(turn)
        self.waiting.add(speaker, len(turn.events))
        if len(lane.waiting) == 1 and not lane.busy:
            self._plan(name, lane)
        elif lane.ticket is not None and self._rules.debounce(speaker):
            # Whoever waits for a quiet moment may not have to any more.
            self._plan(name, lane)

    def take(self) -> tuple[Turn | None, float | None]:
        """Take a turn that may run now, or tell the seconds to wait for one (None: for news).

        Zero seconds: look again as soon as others have run. Nobody starts before all are ready
        that may be, or a guild could be passed over.
        """
        now = self._clock.monotonic()
        if self._anew or self._all_anew:
            self._plan_anew()
        if not self._ripen(now):
            return None, 0.0
        for _ in range(BITE):
            if not self._ready:
                return None, 0.0 if self._anew or self._all_anew else self._next_due(now)
            name = self._ready.pop()
            lane = self._lanes[name]
            lane.ready = False
            head = lane.waiting[0]
            speaker = head.speaker
            if self._due(lane, now) > now:
                self._plan(name, lane)
                self._pass_on(lane)
            elif speaker.deadline <= now:
                # What only ends holds no place, so that nobody would be woken when it is over.
                self._pass_on(lane)
                return self._start(lane, ()), None
            elif (full := self._full(limits := self._rules.limits(speaker))) is not None:
                self._park(name, lane, full)
            elif self._parked and (before := self._before(name, lane, limits)) is not None:
                for one in (before, name):
                    self._make_ready(one, self._lanes[one])
            else:
                self._together.join(lane, now)
                self._pace.started(speaker.channel_id, now)
                return self._start(lane, tuple(limits)), None
        return None, 0.0

    def started(self, turn: Turn) -> None:
        """Count the channel's pace from now: on a busy loop the take was a moment ago."""
        now, speaker = self._clock.monotonic(), turn.speaker
        if speaker.deadline > now:
            self._pace.started(speaker.channel_id, now)

    def put_back(self, turn: Turn) -> None:
        """Return a taken turn to the head of its lane."""
        self._lanes[turn.lane].waiting.insert(0, turn)
        self.waiting.add(turn.speaker, len(turn.events))
        self.release(turn)

    def release(self, turn: Turn) -> None:
        """Give back what a taken turn held, and let its lane and those behind it go on."""
        name = turn.lane
        lane = self._lanes[name]
        lane.busy = False
        self.running -= len(turn.events)
        if lane.waiting:
            # Behind all others: when all are scheduled anew, who was served last comes last.
            self._lanes[name] = self._lanes.pop(name)
        self._plan(name, lane)
        if keys := self._keys.pop(name):
            self._shares.give_back(lane)
        for key in keys:
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]
            self._unpark(key)

    def leave_turn(self, turn: Turn, event: Event) -> None:
        """Take one of the earlier events out of a turn that was taken."""
        turn.events = tuple(one for one in turn.events if one is not event)
        self.running -= 1

    def drop(self, turn: Turn, event: Event) -> bool:
        """Take a waiting event out of its turn; tell whether the turn goes on without it.

        If the last one goes, who came before speaks. A turn that does not go on is in no lane.
        """
        self.waiting.remove(event)
        if len(turn.events) > 1:
            turn.events = tuple(one for one in turn.events if one is not event)
            return True
        name = turn.lane
        lane = self._lanes[name]
        at = next(at for at, one in enumerate(lane.waiting) if one is turn)
        del lane.waiting[at]
        if at == 0 and not lane.busy:
            # The next in line may have to wait for something else, or for nothing.
            self._leave_lines(name, lane)
            self._plan(name, lane)
        return False

    def reconsider(self, guild_ids: Iterable[int | None] | None = None) -> None:
        """Schedule what waits anew, of some guilds or of all: what holds it may have changed.

        It is done a bite with each look for a turn, and nothing goes wrong until then: whoever
        is ready is asked again before it starts.
        """
        if guild_ids is None:
            self._all_anew = True
        else:
            for guild_id in guild_ids:
                self._anew.extend(self._groups.of_guild(guild_id))

    def joins(self, event: Event) -> bool:
        """Tell whether an event that comes now will run together with some that wait."""
        lane = self._lanes.get(event.lane)
        return lane is not None and self._together.joins(lane, event)

    def ahead(self, turn: Turn) -> int:
        """Count the turns of its lane that come before one that waits, with the one that runs."""
        lane = self._lanes[turn.lane]
        return lane.busy + next(at for at, one in enumerate(lane.waiting) if one is turn)

    def waiting_in_guild(self, guild_id: int | None) -> Iterator[Turn]:
        """Yield the turns that wait in a guild, or (None) in direct messages."""
        return self._turns(self._groups.of_guild(guild_id))

    def waiting_in_channel(self, channel_id: int) -> Iterator[Turn]:
        """Yield the turns that wait in a channel and its threads."""
        return self._turns([f"channel:{channel_id}", *self._groups.of_parent(channel_id)])

    def names(self, where: Where) -> Collection[str]:
        """Return the names of the lanes of a guild, of DMs (None) or of EVERYWHERE."""
        if where == EVERYWHERE:
            return self._lanes.keys()
        return self._groups.of_guild(where if isinstance(where, int) else None)

    def heads(self, names: Iterable[str]) -> Iterator[Turn]:
        """Yield the turns that are next in line, of lanes that may be gone."""
        lanes = map(self._lanes.get, names)
        return (lane.waiting[0] for lane in lanes if lane is not None and lane.waiting)

    def held(self, key: str) -> int:
        """Return how many runs hold a place of a key, as `Rules.limits` names it."""
        return self._held[key]

    def restore_start(self, channel_id: int, seconds_ago: float) -> None:
        """Take over from an earlier process when a run last started in a channel (promise 4)."""
        # A clock that was set back must not stop a channel for longer than its pace.
        self._pace.started(channel_id, self._clock.monotonic() - max(0.0, seconds_ago))

    def _turns(self, names: Iterable[str]) -> Iterator[Turn]:
        for name in names:
            lane = self._lanes.get(name)
            yield from lane.waiting if lane is not None else ()

    def _plan_anew(self) -> None:
        """Schedule a bite of those anew that are to be."""
        if self._all_anew and not self._anew:
            self._all_anew = False
            # Nothing in there is of any use: whoever waits gets another ticket.
            self._schedule = []
            self._anew.extend(self._lanes)
        for _ in range(min(BITE, len(self._anew))):
            name = self._anew.popleft()
            lane = self._lanes.get(name)
            if lane is not None and not lane.busy and not lane.ready:
                self._leave_lines(name, lane)
                self._plan(name, lane)

    def _ripen(self, now: float) -> bool:
        """Make a bite of those ready that are due; tell whether these were all."""
        for _ in range(BITE):
            if not self._schedule or self._schedule[0][0] > now:
                return True
            _, ticket, name = heapq.heappop(self._schedule)
            if self._valid(name, ticket):
                lane = self._lanes[name]
                lane.ticket, lane.since = None, next(self._places)
                lane.first = "first" in lane.waiting[0].speaker.wish.split()
                if lane.first:
                    lane.since -= FIRST
                lane.agent = self._rules.agent(lane.guild_id)
                self._make_ready(name, lane)
        return False

    def _next_due(self, now: float) -> float | None:
        """Return the seconds until a lane may be due, None if none will."""
        due = self._schedule[0][0] if self._schedule else math.inf
        return None if math.isinf(due) else max(0.0, due - now)

    def _plan(self, name: str, lane: Lane) -> None:
        """Schedule a lane for the moment its head may run, or forget it when it is empty."""
        if lane.waiting:
            lane.ticket = next(self._tickets)
            due = self._due(lane, self._clock.monotonic())
            heapq.heappush(self._schedule, (due, lane.ticket, name))
            if len(self._schedule) > _VOID_KEPT + 4 * len(self._lanes):
                self.reconsider()
        else:
            lane.ticket = None
            del self._lanes[name]
            self._groups.remove(name, lane)

    def _valid(self, name: str, ticket: int) -> bool:
        lane = self._lanes.get(name)
        return lane is not None and lane.ticket == ticket

    def _due(self, lane: Lane, now: float) -> float:
        # `now` is the caller's: read again it would be later, and nothing ever due.
        turn = lane.waiting[0]
        speaker = turn.speaker
        hold = self._rules.hold(speaker)
        if math.isinf(hold):
            return math.inf
        paced = self._pace.last(speaker.channel_id) + self._rules.pace(speaker)
        # Whoever waits for something that takes too long is told so in time.
        earliest = max(turn.ready_at, now + hold, paced, self._together.quiet_at(lane, now))
        return min(earliest, speaker.deadline)

    def _full(self, limits: Mapping[str, int]) -> str | None:
        return next((key for key, most in limits.items() if self._held[key] >= most), None)

    def _park(self, name: str, lane: Lane, key: str) -> None:
        """Let a lane wait for a run of the key to end."""
        line = self._parked.get(key)
        if line is None:
            line = self._parked[key] = FairLine(self._shares)
        line.add(name, lane)
        lane.parked_at = key
        self._pass_on(lane)

    def _unpark(self, key: str) -> None:
        """Wake the lane whose turn it is of those that wait for a run of the key to end."""
        if (line := self._parked.get(key)) is None:
            return
        name = line.pop()
        if not line:
            del self._parked[key]
        lane = self._lanes[name]
        lane.parked_at, lane.woken_for = None, key
        self._make_ready(name, lane)

    def _before(self, name: str, lane: Lane, keys: Iterable[str]) -> str | None:
        """Take out who is parked and goes before a lane that could have a place, if anybody does.

        The place is another guild's, whose turn comes later or who could not use it.
        """
        for key in keys:
            line = self._parked.get(key)
            before = line.before(name, lane) if line is not None else None
            if before is not None:
                self._leave_lines(before, self._lanes[before])
                return before
        return None

    def _make_ready(self, name: str, lane: Lane) -> None:
        lane.ready = True
        self._ready.add(name, lane)

    def _leave_lines(self, name: str, lane: Lane) -> None:
        """Take a lane from where it is ready or parked, if it is."""
        if lane.ready:
            self._ready.remove(name, lane)
            lane.ready = False
            self._pass_on(lane)
        elif lane.parked_at is not None:
            line = self._parked[lane.parked_at]
            line.remove(name, lane)
            if not line:
                del self._parked[lane.parked_at]
            lane.parked_at = None

    def _pass_on(self, lane: Lane) -> None:
        """Let the next in line have the place that a lane was woken for and can't use."""
        key, lane.woken_for = lane.woken_for, None
        if key is not None and key != lane.parked_at:
            self._unpark(key)

    def _start(self, lane: Lane, keys: tuple[str, ...]) -> Turn:
        turn = lane.waiting.pop(0)
        speaker, count = turn.speaker, len(turn.events)
        lane.busy, lane.woken_for = True, None
        self.waiting.remove(speaker, count)
        self.running += count
        self._keys[turn.lane] = keys
        if keys:
            self._shares.take(lane)
            self._held.update(keys)
        return turn
