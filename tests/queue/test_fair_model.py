"""Who may run next, against a brute-force model: fair to guilds and persons, and nothing idle."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from aurora.model import Event
from aurora.queue import Enqueued
from aurora.reasons import Reason
from tests.support.events import make_event
from tests.support.queues import QueueBench

GLOBAL, AGENT, SHARE, USER, WAITING = 6, 4, 2, 2, 3
GUILDS = (1, 2, None)


class Waits(NamedTuple):
    """A question that waits, and how many turns of each other person it may see go first."""

    event: Event
    before: dict[int, int]


class Fair(RuleBasedStateMachine):
    """Channels are told by number, three in each guild; DMs are the third guild.

    All guilds but the second share an agent. Each event is a turn.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.bench = QueueBench()
        rules = self.bench.rules
        rules.agents.update({1: "shared", 2: "own", None: "shared"})
        rules.most.update({"global": GLOBAL, "agent:shared": AGENT, "agent:own": AGENT})
        rules.most.update({f"user:{author}": USER for author in range(4)})
        rules.share, rules.user_size = SHARE, WAITING
        self.loop.run_until_complete(self.bench.queue.open())
        self.lines: dict[int, list[Event]] = {}
        self.running: list[Event] = []
        self.came: dict[int, int] = {}
        self.count = 0
        self.alone: list[Waits] = []

    def teardown(self) -> None:
        """Let everything run to its end."""
        with contextlib.closing(self.loop):
            self.claim()
            while self.running:
                self.finish(0)
                self.claim()
            assert not self.lines

    @rule(channel=st.integers(0, 8), author=st.integers(0, 3))
    def accept(self, channel: int, author: int) -> None:
        """Somebody writes; of what waits already no more than so much is theirs."""
        event = make_event(
            channel_id=channel,
            author_id=author,
            guild_id=GUILDS[channel % 3],
            now=self.bench.clock.time(),
        )
        mine = [one for one in self.waiting() if one[:2] == (event.guild_id, author)]
        outcome = self.loop.run_until_complete(self.bench.queue.enqueue(event))
        full = len(mine) >= WAITING
        assert outcome is (Enqueued.PERSON_FULL if full else Enqueued.ACCEPTED)
        if full:
            return
        line = self.lines.setdefault(channel, [])
        idle = not line and self.runs_in(channel) is None
        if idle:
            self.plan(channel)
            if not mine and not any(one.author_id == author for one in self.running):
                self.alone.append(Waits(event, {}))
        line.append(event)

    @rule()
    def claim(self) -> None:
        """The worker takes whatever may run."""
        self.claim_some(math.inf)
        assert [one for one in self.heads() if not self.full(one)] == [], "a place is idle"

    @rule(most=st.integers(1, 3))
    def claim_some(self, most: float) -> None:
        """It takes some, while runs go on to end; each is looked at as it was taken."""
        for event in self.loop.run_until_complete(self.bench.claim_all(most)):
            assert self.lines[event.channel_id][0] is event, "out of order in a lane"
            assert not self.full(event), "over a limit"
            self.check_guild(event)
            self.check_share(event)
            self.check_wait(event)
            self.running.append(event)
            self.lines[event.channel_id].pop(0)
            if not self.lines[event.channel_id]:
                del self.lines[event.channel_id]

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 10))
    def finish(self, which: int) -> None:
        """A run ends."""
        event = self.running.pop(which % len(self.running))
        self.loop.run_until_complete(self.bench.finish(event, Reason.SENT))
        if event.channel_id in self.lines:
            self.plan(event.channel_id)

    @rule(which=st.integers(0, 30))
    def cancel(self, which: int) -> None:
        """A message that waits is deleted."""
        waiting = [one for line in self.lines.values() for one in line]
        if not waiting:
            return
        gone = waiting[which % len(waiting)]
        ended = self.loop.run_until_complete(
            self.bench.queue.cancel(lambda one: one is gone, Reason.MESSAGE_DELETED)
        )
        assert ended == [gone]
        line = self.lines[gone.channel_id]
        head = line[0] is gone
        line.remove(gone)
        self.alone = [one for one in self.alone if one.event is not gone]
        if not line:
            del self.lines[gone.channel_id]
        elif head and self.runs_in(gone.channel_id) is None:
            self.plan(gone.channel_id)

    # -- what must hold

    def check_guild(self, event: Event) -> None:
        """In a guild nobody overtakes whoever could run as well."""
        for one in self.able():
            if one.guild_id == event.guild_id:
                assert self.came[event.channel_id] <= self.came[one.channel_id], "overtaken"

    def check_share(self, event: Event) -> None:
        """A guild that has its share takes no more of an agent while others could."""
        held = Counter(one.guild_id for one in self.running)
        if held[event.guild_id] < SHARE:
            return
        agents = self.bench.rules.agents
        for one in self.able():
            rival = agents[one.guild_id] == agents[event.guild_id] and held[one.guild_id] < SHARE
            assert not rival, "more than half, and others wait"

    def check_wait(self, event: Event) -> None:
        """Whoever asks one thing waits for no more of anybody's turns than may wait."""
        self.alone = [one for one in self.alone if one.event is not event]
        for event_, before in self.alone:
            if event_.guild_id == event.guild_id:
                before[event.author_id] = before.get(event.author_id, 0) + 1
                assert before[event.author_id] <= WAITING, "one person keeps another waiting"

    # -- the model

    def plan(self, channel: int) -> None:
        """Another head stands in a lane, behind all others."""
        self.count += 1
        self.came[channel] = self.count

    def waiting(self) -> Iterator[tuple[int | None, int]]:
        """Yield guild and author of what waits."""
        return ((one.guild_id, one.author_id) for line in self.lines.values() for one in line)

    def heads(self) -> list[Event]:
        """Return what is next in the lanes in which nothing runs."""
        return [line[0] for channel, line in self.lines.items() if self.runs_in(channel) is None]

    def able(self) -> list[Event]:
        """Return the heads that could run now.

        A free place of somebody's who asks in several guilds is that one's whose turn it is.
        """
        heads = self.heads()
        guilds = Counter(author for author, _ in {(one.author_id, one.guild_id) for one in heads})
        return [one for one in heads if guilds[one.author_id] == 1 and not self.full(one)]

    def runs_in(self, channel: int) -> Event | None:
        """Return what runs in a lane."""
        return next((one for one in self.running if one.channel_id == channel), None)

    def full(self, event: Event) -> bool:
        """Tell whether any limit of an event is reached."""
        limits = self.bench.rules.limits
        held = Counter(key for one in self.running for key in limits(one))
        return any(held[key] >= most for key, most in limits(event).items())


TestFair = Fair.TestCase
TestFair.settings = settings(max_examples=60, stateful_step_count=50)
