"""The queue against a simple model: whatever happens, order, limits and pace hold."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import defaultdict

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aurora.model import Turn
from aurora.reasons import Reason
from tests.support.events import make_event
from tests.support.queues import QueueBench

PACE = 1.0
PLACES = 3
TOGETHER = 3
QUARTER = 900.0


class Queue(RuleBasedStateMachine):
    """A list of events per channel is all that the model needs to know what must happen.

    Events are compared by id: after a restart they are other objects.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.bench = QueueBench()
        self.bench.rules.seconds[9] = self.bench.rules.seconds[8] = PACE
        self.bench.rules.together = TOGETHER
        self.bench.rules.most.update({"global": PLACES, "user:0": 1})
        self.run(self.bench.queue.open())
        self.lines: dict[int, list[str]] = defaultdict(list)
        self.turns: dict[str, list[str]] = {}
        self.running: list[Turn] = []
        self.ended: set[str] = set()
        self.starts: dict[int, float] = {}
        self.accepted: list[str] = []
        self.paused: float | None = None
        self.clock_was_set = False
        self.interrupted: set[str] = set()

    def run(self, work: object) -> object:
        """Do something asynchronous."""
        return self.loop.run_until_complete(work)  # type: ignore[arg-type]  # a coroutine

    def teardown(self) -> None:
        """Let everything run to its end; nothing may be left over."""
        with contextlib.closing(self.loop):
            self.drain()

    def drain(self) -> None:
        """Run all there is."""
        if self.paused is not None:
            self.resume()
        for _ in range(200):
            if not any(self.lines.values()):
                break
            self.claim()
            while self.running:
                self.finish(0)
            self.run(self.bench.clock.advance(5.0))
        assert not any(self.lines.values()), "somebody waits for ever"
        assert self.ended == set(self.accepted)
        stats = self.bench.queue.get_stats()
        assert (stats["waiting"], stats["running"]) == (0, 0)

    @rule(channel=st.integers(0, 4), author=st.integers(0, 1))
    def accept(self, channel: int, author: int) -> None:
        """Somebody writes."""
        guild = 9 if channel < 3 else 8
        event = make_event(
            channel_id=channel,
            author_id=author,
            guild_id=guild,
            now=self.bench.clock.time(),
        )
        self.run(self.bench.accept(event))
        self.lines[channel].append(event.id)
        self.accepted.append(event.id)

    @rule()
    def claim(self) -> None:
        """The worker takes whatever may run."""
        for speaker in self.run(self.bench.claim_all()):  # type: ignore[attr-defined]  # a list
            turn = self.bench.turn(speaker)
            assert self.paused is None, "something ran in a pause"
            ids = [one.id for one in turn.events]
            assert ids == self.lines[turn.speaker.channel_id][: len(ids)], "out of order"
            assert len(ids) <= TOGETHER
            assert len({one.author_id for one in turn.events}) == 1
            assert self.turns.setdefault(speaker.id, ids) == ids, "another membership"
            assert all(one.lane != turn.lane for one in self.running), "overlap"
            now = self.bench.clock.monotonic()
            if now < speaker.deadline:
                last = self.starts.get(speaker.channel_id, -math.inf)
                assert now >= last + PACE - 1e-6, "too soon"
                self.starts[speaker.channel_id] = now
            self.running.append(turn)

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 10))
    def finish(self, which: int) -> None:
        """A run ends."""
        turn = self.running.pop(which % len(self.running))
        ids = [one.id for one in turn.events]
        self.run(self.bench.queue.finish(turn, Reason.SENT))
        del self.lines[turn.speaker.channel_id][: len(ids)]
        self.ended.update(ids)

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 10), delay=st.floats(0, 5))
    def retry(self, which: int, delay: float) -> None:
        """A run fails and is to be tried again."""
        turn = self.running.pop(which % len(self.running))
        self.run(self.bench.queue.retry(turn, delay))

    @rule(which=st.integers(0, 30))
    def cancel(self, which: int) -> None:
        """A message that waits is deleted."""
        busy = {one.id for turn in self.running for one in turn.events}
        waiting = [one for line in self.lines.values() for one in line if one not in busy]
        if not waiting:
            return
        target = waiting[which % len(waiting)]
        ended = self.run(
            self.bench.queue.cancel(lambda one: one.id == target, Reason.MESSAGE_DELETED)
        )
        ids = [one.id for one in ended]  # type: ignore[attr-defined]  # a list
        if ids != [target]:
            # The one that spoke for a turn that was broken off takes the others with it.
            assert ids == self.turns[target]
            assert target in self.interrupted
        for event_id in ids:
            self._leave(event_id)

    @precondition(lambda self: any(turn.earlier for turn in self.running))
    @rule()
    def withdraw(self) -> None:
        """A message whose turn runs is deleted; another speaks for it."""
        turn = next(turn for turn in self.running if turn.earlier)
        gone = turn.earlier[0]
        self.run(self.bench.queue.withdraw(turn, gone, Reason.MESSAGE_DELETED))
        self._leave(gone.id)

    @rule(seconds=st.sampled_from([0.2, 1.0, 4.0, 600.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.run(self.bench.clock.advance(seconds))

    @rule(seconds=st.sampled_from([-86400.0, -60.0, 60.0, 86400.0]))
    def set_clock(self, seconds: float) -> None:
        """Somebody sets the clock; what goes by time must not notice."""
        self.bench.clock.jump(seconds)
        self.clock_was_set = True

    @precondition(lambda self: self.paused is None)
    @rule()
    def pause(self) -> None:
        """An admin pauses."""
        self.paused = self.bench.clock.monotonic()
        self.bench.rules.held.update(dict.fromkeys(range(5), math.inf))
        self.bench.queue.reconsider()

    @precondition(lambda self: self.paused is not None)
    @rule()
    def resume(self) -> None:
        """And goes on."""
        assert self.paused is not None
        self.bench.rules.held.clear()
        seconds = self.bench.clock.monotonic() - self.paused
        self.run(self.bench.queue.lengthen(lambda _event: True, seconds))
        self.paused = None

    @rule()
    def restart(self) -> None:
        """The process dies and another takes over its store."""
        self.interrupted.update(turn.speaker.id for turn in self.running)
        self.running.clear()
        self.run(self.bench.reopen())
        if self.clock_was_set:
            # How long ago a run started can then only be told from the clock.
            self.starts.clear()

    @invariant()
    def counts(self) -> None:
        """What waits and runs is what was accepted and has not ended."""
        stats = self.bench.queue.get_stats()
        assert stats["running"] == sum(len(turn.events) for turn in self.running)
        unfinished = sum(map(len, self.lines.values()))
        assert stats["waiting"] + stats["running"] == unfinished

    def _leave(self, event_id: str) -> None:
        for line in self.lines.values():
            if event_id in line:
                line.remove(event_id)
        self.ended.add(event_id)
        for lead, ids in [(lead, ids) for lead, ids in self.turns.items() if event_id in ids]:
            del self.turns[lead]
            if left := [one for one in ids if one != event_id]:
                self.turns[left[-1]] = left


TestQueue = Queue.TestCase
TestQueue.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.filter_too_much],
)
