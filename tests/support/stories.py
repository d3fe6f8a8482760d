"""What may befall a question, and whether it had one end: for the suite, and for the soak."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from aurora.agents.protocol import Accepted, Finished, RunStarted, Usage
from aurora.ledger import LedgerError, Store
from aurora.ledger.memory import MemoryStore
from aurora.ledger.opening import open_ledger
from aurora.ledger.sqlite import SqliteStore
from aurora.model import Event, State
from aurora.reasons import Outcome
from aurora.settings import Settings
from tests.support.clocks import FakeClock
from tests.support.disks import FailingDisk
from tests.support.events import make_event
from tests.support.keepers import Keeper
from tests.support.lives import Life
from tests.support.scripts import RememberingBackend, ScriptedBackend, by_tool, done
from tests.support.squares import ELSEWHERE
from tests.support.workers import Bench

BEGUN: list[Any] = [Accepted(), RunStarted("run-1"), Usage(10, 5)]
TALES: dict[str, list[Any]] = {
    "text": [*BEGUN, done("Hello.")],
    "sent": [*BEGUN, by_tool("Hello."), done("I have answered.")],
    "sent elsewhere": [*BEGUN, by_tool("psst", channel=ELSEWHERE), done("Hello.")],
    "nothing": [*BEGUN, done("")],
    "sent, then failed": [*BEGUN, by_tool("Hello."), Finished(Outcome.FAILED)],
    "elsewhere, then failed": [
        *BEGUN,
        by_tool("psst", channel=ELSEWHERE),
        Finished(Outcome.FAILED),
    ],
    "crash": [*BEGUN, RuntimeError("a bug")],
    "crash after an answer": [*BEGUN, by_tool("Hello."), RuntimeError("a bug")],
    **{
        f"ends {outcome}": [*BEGUN, Finished(outcome, retry_after=1.0)]
        for outcome in Outcome
        if outcome not in (Outcome.COMPLETED, Outcome.UNREACHABLE)
    },
    "ends unreachable": [Finished(Outcome.UNREACHABLE)],
}
SHARED = ["text", "sent", "ends failed", "crash"]
"""What messages that run together are told."""
FILLED = ["fill", "fill and die"]
WHATS = ["die", "cancel", "fail", *FILLED]
BACKENDS = [ScriptedBackend, RememberingBackend]
FULL = 10.0
"""For how many seconds a disk is full; several attempts to write fall into them."""
AWAY = 400.0
LONG = 1000.0
"""Longer than any event lives."""


class Story:
    """What was asked, from the question to its end, in two lives of Aurora if it takes them.

    `life` is the first of them; nothing happens in the other.
    """

    def __init__(
        self,
        tale: Sequence[Any],
        life: Life,
        kind: Callable[..., ScriptedBackend] = ScriptedBackend,
        path: Path | None = None,
        disk: FailingDisk | None = None,
    ) -> None:
        clock = FakeClock()
        store: Store = MemoryStore(clock)
        if path is not None:
            opener = partial(open_ledger, vfs=disk.name if disk else None)
            store = SqliteStore(path, clock, retention=lambda: 1e6, opener=opener)
        mine = {"agent_id": "a", "enabled": True}
        settings, backend = Settings(Keeper({}, {9: mine})), kind(*[tale] * 3)
        self.bench = Bench(backend, clock=clock, store=store, settings=settings, life=life)
        self.bench.store.puts_off = disk is None
        if disk is not None:
            disk.is_full = lambda: life.filled
        self.life = life

    async def tell(self, *events: Event) -> None:
        """Let everything that was asked come to its end."""
        # Accepting is the queue's, and has its own tests.
        at, self.life.at = self.life.at, 0
        await self.bench.prepare()
        await self.bench.accept(*events)
        self.life.passed, self.life.at = [], at
        self.bench.run()
        try:
            if self.life.what in FILLED:
                await self._pass(FULL, events)
                self.life.dead = self.life.filled and self.life.what == "fill and die"
                self.life.filled = False
            await self._pass(120.0, events)
            if self.life.dead or not await self._over(events):
                # So long that Discord recognises no nonce any more.
                await self.bench.clock.advance(AWAY)
                self.bench = await self.bench.again()
                await self._pass(LONG, events)
            await self.bench.clock.advance(LONG)
        finally:
            await self.bench.stop()

    async def close(self) -> None:
        """Let go of the ledger."""
        await self.bench.kept_by.close()

    async def _pass(self, seconds: float, events: Sequence[Event]) -> None:
        """Let time pass, no faster than the disk, which is real."""
        for _ in range(int(seconds)):
            await self.bench.clock.advance(1.0)
            await self.bench.store.idle.wait()
            if self.bench.life.dead or await self._over(events):
                return

    async def _over(self, events: Sequence[Event]) -> bool:
        try:
            states = [(await self.bench.kept(event)).state for event in events]
        except LedgerError:
            # It read in one transaction with what could not be written.
            return False
        return all(state.final for state in states)

    async def check(self, *events: Event) -> None:
        """Hold the outcome against the promises."""
        where = f"{self.life.what} at {self.life.at}: {self.life.reached}"
        assert self.life.reached or not self.life.at, where
        states = set()
        for event in events:
            kept = await self.bench.kept(event)
            assert kept.state.final, where
            assert kept.reason, where
            if kept.turn_id is not None:
                assert (await self.bench.tried(event)).answer is None, where
            states.add(kept.state)
        (state,) = states
        posts = self.bench.square.posts
        answers = [
            post
            for post in posts
            if post.by in ("tool", "delivery") and post.channel_id == events[0].channel_id
        ]
        ends = [
            post
            for post in self.bench.square.posts
            if post.by == "mark" or post.key == "notice:end"
        ]
        assert len(answers) <= 1, where
        shown = [(post.event_id, post.key, post.text) for post in posts]
        assert len(set(shown)) == len(shown), f"something is there twice, {where}"
        assert len([post for post in posts if post.channel_id == ELSEWHERE]) <= 1, where
        assert [post for post in posts if post.by == "progress"] == [], f"left behind, {where}"
        # Where Discord takes nothing there is nothing to be seen.
        refused = self.life.what == "fail" and self.life.reached.startswith("Discord")
        assert answers or ends or refused, f"silence, {where}"
        # An agent is told what Discord refuses. Of any other trouble it can't judge, and what it
        # says beside its answer is not given for that.
        assert refused or {post.text for post in answers} <= {"Hello."}, where
        if state is State.ANSWERED and "searched" not in self.life.reached:
            assert answers, where


async def untroubled(
    tale: Sequence[Any], kind: Callable[..., ScriptedBackend] = ScriptedBackend, events: int = 1
) -> Story:
    """Tell a tale in which nothing happens; its life has all points at which something may."""
    return await _told(tale, Life(), kind, events)


async def befall(
    tale: Sequence[Any],
    what: str,
    kind: Callable[..., ScriptedBackend] = ScriptedBackend,
    events: int = 1,
) -> int:
    """Let something happen at each point of a tale in turn, and check the end of each story.

    Returns:
        How many stories were told.

    """
    points = (await untroubled(tale, kind, events)).life.points(what)
    for at in points:
        await _told(tale, Life(at, what), kind, events)
    return 1 + len(points)


async def _told(
    tale: Sequence[Any], life: Life, kind: Callable[..., ScriptedBackend], count: int
) -> Story:
    story, events = Story(tale, life, kind), [make_event() for _ in range(count)]
    await story.tell(*events)
    await story.check(*events)
    return story
