"""A queue on a bench: rules that a test sets, a clock that it moves, a store that it can open."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Mapping

from aurora.ledger import Backlog
from aurora.ledger.memory import MemoryStore
from aurora.model import Change, Event, Turn
from aurora.queue import Enqueued, MessageQueue
from aurora.reasons import Reason
from aurora.settings import NO_LIMIT, TurnLimit
from tests.support.clocks import FakeClock


class Rules:
    """Rules that a test sets directly."""

    def __init__(self) -> None:
        self.size = 50
        self.seconds: dict[int | None, float] = defaultdict(float)
        self.most: dict[str, int] = {}
        self.held: dict[int, float] = {}
        self.together = 1
        self.quiet = 0.0
        self.user_size = 1_000_000
        self.turns = NO_LIMIT
        self.share = 1000
        self.agents: dict[int | None, str] = defaultdict(lambda: "agent")

    def capacity(self, _guild_id: int | None) -> int:
        return self.size

    def user_capacity(self, _guild_id: int | None) -> int:
        return self.user_size

    def turn_limit(self, _guild_id: int | None) -> TurnLimit:
        return self.turns

    def agent(self, guild_id: int | None) -> str | None:
        return self.agents[guild_id]

    def pace(self, event: Event) -> float:
        return self.seconds[event.guild_id]

    def limits(self, event: Event) -> Mapping[str, int]:
        guild, user = f"guild:{event.guild_id}", f"user:{event.author_id}"
        agent = f"agent:{self.agents[event.guild_id]}"
        return {key: self.most.get(key, 1000) for key in ("global", guild, agent, user)}

    def hold(self, event: Event) -> float:
        return self.held.get(event.channel_id, 0.0)

    def coalesce(self, _event: Event) -> int:
        return self.together

    def debounce(self, _event: Event) -> float:
        return self.quiet


class QueueBench:
    """A queue with everything around it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.rules = Rules()
        self.store = MemoryStore(self.clock)
        self.changes: list[Change] = []
        self._turns: dict[str, Turn] = {}
        self.queue = MessageQueue(self.store, self.rules, self.clock, self.changes.append)

    async def accept(self, *events: Event) -> None:
        for event in events:
            assert await self.queue.enqueue(event) is Enqueued.ACCEPTED

    async def claim(self) -> Event:
        """Wait for a turn and start it; return the event that speaks for it."""
        turn = await self.queue.take()
        await self.queue.start(turn)
        return self._claimed(turn)

    async def claim_all(self, most: float = math.inf) -> list[Event]:
        """Start whatever may run now, or so much of it; return the events that speak."""
        claimed: list[Event] = []
        while len(claimed) < most:
            task = asyncio.create_task(self.claim())
            await self.clock.settle()
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                break
            claimed.append(task.result())
        return claimed

    async def take(self) -> Event:
        """Wait for a turn, and do not start it yet."""
        return self._claimed(await self.queue.take())

    def turn(self, speaker: Event) -> Turn:
        """Return the turn that was claimed last with this event speaking for it."""
        return self._turns[speaker.id]

    async def finish(self, speaker: Event, reason: Reason = Reason.SENT) -> None:
        """Bring a claimed turn to its end."""
        await self.queue.finish(self.turn(speaker), reason)

    async def retry(self, speaker: Event, delay: float) -> None:
        """Put a claimed turn back."""
        await self.queue.retry(self.turn(speaker), delay)

    def _claimed(self, turn: Turn) -> Event:
        self._turns[turn.speaker.id] = turn
        return turn.speaker

    async def reopen(self) -> Backlog:
        """Start anew on what the store holds."""
        self.queue = MessageQueue(self.store, self.rules, self.clock, self.changes.append)
        return await self.queue.open()
