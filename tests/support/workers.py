"""A worker on a bench, with a clock by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import discord

from aurora.chat.delivery import Delivery
from aurora.chat.edit_pace import EditPace
from aurora.chat.failures import Patience
from aurora.chat.languages import speak_as_before
from aurora.chat.progress import Lines
from aurora.chat.sender import Sender
from aurora.errors import (
    Breakers,
    ErrorStats,
    RetryConfig,
)
from aurora.files import Attachment
from aurora.guard.conversations import Conversations
from aurora.guard.looking import Guard
from aurora.guard.naming import name_for_all
from aurora.health.notices import OutageNotices
from aurora.health.outages import Outages
from aurora.intake.pressing import stop_view
from aurora.ledger import Store
from aurora.ledger.memory import MemoryStore
from aurora.model import Change, Event, Turn
from aurora.queue import Enqueued, MessageQueue
from aurora.queue.limits import WorkRules
from aurora.reasons import Reason
from aurora.runs.asides import Asides
from aurora.runs.background import Background
from aurora.runs.cancelling import Cancelling, Running, Show, messages
from aurora.runs.claim import Claims
from aurora.runs.escalation import Escalation
from aurora.runs.in_line import InLine
from aurora.runs.loop_guard import LoopGuard
from aurora.runs.models import Models
from aurora.runs.observers import Log, Tokens
from aurora.runs.pinging import Pinger, look_again
from aurora.runs.ports import Ports
from aurora.runs.routing import Router
from aurora.runs.steps import Steps
from aurora.runs.stopping import Stopping
from aurora.runs.worker import Worker
from aurora.settings import Settings
from aurora.tools.host import Toolbox
from aurora.tools.watching import EitherToolbox
from aurora.words import Phrase
from tests.support.clocks import FakeClock
from tests.support.discord_port import Port
from tests.support.events import make_event
from tests.support.keepers import Keeper
from tests.support.lives import Disk, Life
from tests.support.scripts import ScriptedBackend
from tests.support.squares import Square


class Bench:
    """A worker with everything around it, on a clock that stands still.

    Given what an earlier one had, it is that Aurora started anew.
    """

    def __init__(
        self,
        backend: ScriptedBackend | None,
        *,
        clock: FakeClock | None = None,
        store: Store | None = None,
        square: Square | None = None,
        settings: Settings | None = None,
        life: Life | None = None,
        bot: discord.Client | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.life = life or Life()
        self.kept_by: Store = store or MemoryStore(self.clock)
        self.store: Any = Disk(self.kept_by, self.life)
        self.square = square or Square(self.clock)
        self.settings = settings or Settings(Keeper({}, {9: {"agent_id": "a", "enabled": True}}))
        self.breakers = Breakers(self.clock)
        self.changes: list[Change] = []
        self.away: set[int] = set()
        """Guilds that the session does not know yet."""
        self.hearing: list[Callable[[Change], object]] = [self.changes.append]
        self.queue = MessageQueue(
            self.store,
            WorkRules(self.settings, self.breakers, away=lambda guild_id: guild_id in self.away),
            self.clock,
            lambda change: [hear(change) for hear in self.hearing],
        )
        self.port = Port(self.square.local, self.life)
        self.bot = bot or discord.Client(intents=discord.Intents.all())
        guard = Guard(self.bot, self.settings, self.clock)
        pace = EditPace(self.clock)
        sender = Sender(self.bot, self.store, guard, edits=pace, patience=Patience(pause=0.0))
        self.patient = (sender, guard)
        self.background = Background()
        self.lines = Lines(
            self.bot,
            self.store,
            sender,
            start=self.background.start,
            speak=speak_as_before,
            named=partial(name_for_all, self.bot, guard),
            stop_view=stop_view,
        )
        self.delivery = Delivery(self.bot, self.store, sender, lines=self.lines)
        self.in_line = InLine(self.queue, self.settings, self.lines, self.clock)
        self.hearing += (self.lines.heard, self.in_line.heard)
        self.backend = backend
        if backend is not None:
            backend.life = self.life
        self.refusal: Reason | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.alerts: list[str] = []
        self.stats = ErrorStats(self.clock)
        self.watched = False
        toolbox = EitherToolbox(
            Toolbox(
                self.bot,
                self.store,
                sender,
                guard,
                self.clock,
                settings=self.settings.guild,
            ),
            self.store,
            sender,
            watched=lambda _event: self.watched,
        )
        self.renewed: list[Event] = []
        self.files: tuple[Attachment, ...] = ()
        self.files_opened = 0
        self.notices = OutageNotices(
            self.breakers,
            self.settings,
            self.queue,
            self.background,
            self.delivery.late,
            self.clock,
        )
        self.outages = Outages(self.breakers, self.clock)
        self.outages.subscribe(self.notices.changed)
        self.pinger = Pinger(self.breakers, lambda: self.backend, self.clock, self.outages.missed)
        self.breakers.subscribe(partial(look_again, self.queue, self.settings))
        self.breakers.subscribe(self.pinger.changed)
        self.breakers.subscribe(self.outages.changed)
        self.claims = Claims()
        self.cancelling = Cancelling(self.queue, self.claims, self.delivery, self.background)
        self.confidence: int | None = None
        self.escalation = Escalation(self.store, self.settings, self.trust)
        self.stopping = Stopping(self.queue, self.cancelling, self.delivery, lambda: self.backend)
        loop_guard = partial(LoopGuard, self.settings)
        self.worker = Worker(
            self.queue,
            self.store,
            Ports(
                lambda: self.backend,
                toolbox,
                self.delivery,
                self.welcome,
                self.notices.late,
                self.alert,
                Conversations(self.bot, guard),
                self.renewed.append,
                files=self.open_files,
                unseen=self.delivery.unseen,
                lines=self.lines,
            ),
            self.settings,
            self.breakers,
            self.stats,
            self.clock,
            self.claims,
            self.cancelling,
            (
                partial(Log, self.queue),
                partial(Tokens, Models(lambda: self.backend, self.clock)),
                partial(Steps, self.store, self.clock),
                loop_guard,
                self.notices.observe,
            ),
            self.escalation,
            Router(
                self.settings,
                lambda: self.backend,
                self.breakers,
                self.clock,
                Asides(self.settings, self.background),
            ),
            RetryConfig(jitter=0.0),
        )
        self.loop: asyncio.Task[None] | None = None

    def hurry(self) -> None:
        """Wait for no guild that a new session has only named."""
        for one in self.patient:
            one.patience = one.patience._replace(coming=0.0)

    async def welcome(self, _event: Event) -> Reason | None:
        await self.gate.wait()
        await self.life.point("admit", RuntimeError("a bug"))
        return self.refusal

    async def open_files(self, _turn: Turn) -> tuple[Attachment, ...]:
        self.files_opened += 1
        return self.files

    async def trust(self, _agent_id: str, _lane: str) -> int | None:
        return self.confidence

    async def alert(self, words: Phrase) -> None:
        self.alerts.append(str(words))

    async def start(self) -> None:
        await self.prepare()
        self.run()

    async def prepare(self) -> None:
        """Begin to accept; nothing runs yet."""
        await self.port.connect(self.bot)
        await self.settings.load()
        await self.queue.open()
        await self.lines.restore()

    def run(self) -> None:
        """Let the worker work."""

        async def forever() -> None:
            while True:
                await self.worker.step()

        self.loop = asyncio.create_task(forever())

    async def stop(self, grace: float = 0.0) -> None:
        """Unload."""
        if self.loop is not None:
            self.loop.cancel()
            await asyncio.gather(self.loop, return_exceptions=True)
        await self.in_line.stop()
        await self.worker.stop(grace)
        await self.pinger.stop()
        await self.outages.stop()
        await self.background.stop(grace)
        await self.port.close()

    async def again(self, backend: ScriptedBackend | None = None) -> Bench:
        """Start another Aurora on what this one left; if it still lives, it dies."""
        self.life.dead = True
        tasks = [self.loop, *self.worker._tasks] if self.loop else [*self.worker._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.in_line.stop()
        await self.pinger.stop()
        await self.outages.stop()
        await self.background.stop(0.0)
        await self.port.close()
        await self.kept_by.close()
        bench = Bench(
            backend or self.backend,
            clock=self.clock,
            store=self.kept_by,
            square=self.square,
            settings=self.settings,
            bot=self.bot,
        )
        await bench.start()
        await self.clock.settle()
        return bench

    async def accept(self, *events: Event) -> None:
        for event in events:
            self.square.ask(event)
            assert await self.queue.enqueue(event) is Enqueued.ACCEPTED

    async def ask(self, **fields: Any) -> Event:
        """Let somebody ask; who waits, runs."""
        event = make_event(now=self.clock.time(), **fields)
        await self.accept(event)
        await self.clock.settle()
        return event

    async def kept(self, event: Event) -> Event:
        """Return an event as the ledger has it."""
        found = await self.kept_by.get(event.id)
        assert found is not None
        return found

    async def tried(self, event: Event) -> Turn:
        """Return the last turn of an event as the ledger has it."""
        kept = await self.kept(event)
        found = await self.kept_by.turn(kept.turn_id or "")
        assert found is not None
        return found

    def delete(self, *events: Event) -> asyncio.Task[int]:
        """Delete messages: what is done for them stops, and what waits of them ends."""
        for event in events:
            self.square.delete(event)
        meant = messages({event.message_id for event in events})
        return asyncio.create_task(
            self.cancelling.cancel(
                meant, Reason.MESSAGE_DELETED, running=Running.STOP, show=Show.OTHERS
            )
        )

    def steps(self, event: Event) -> list[str]:
        return [change.step for change in self.changes if change.event_id == event.id]


async def start_bench(
    benches: list[Bench], *turns: Sequence[Any]
) -> tuple[Bench, ScriptedBackend]:
    """Start a worker whose agent plays the given turns."""
    backend = ScriptedBackend(*turns)
    bench = Bench(backend)
    benches.append(bench)
    await bench.start()
    return bench, backend
