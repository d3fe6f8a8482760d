"""The worker: takes turns, runs their agents, and brings each to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from ..clock import Clock
from ..errors import Breakers, ErrorStats, RetryConfig
from ..ledger import LedgerError, Store
from ..model import read_wish
from ..queue import MessageQueue
from ..reasons import REASONS, Reason, RunBrokenError
from ..settings import BY_TEXT, Settings
from .admission import Admission, Admitted
from .asides import NoTools
from .attempt import Attempt, Attempted
from .cancelling import Cancelling, Running, everything
from .claim import Claim, Claims, UnloadedError, WithheldError
from .comparing import Comparing
from .conclusions import Concluded, End
from .endings import Endings
from .escalation import Escalation
from .observers import Observer, Observing
from .ports import Ports
from .progress import ShowsProgress
from .recovery import Recovery
from .routing import UNROUTED, Router

log = logging.getLogger("red.aurora.worker")

_LEAVE_SECONDS = 20.0
"""How long turns may take to be left after they were broken off, a send under way included."""


class Worker:
    """Runs turns, each in a task of its own; the queue's limits say how many.

    `observing` makes those who follow the stream of each attempt.
    """

    def __init__(
        self,
        queue: MessageQueue,
        store: Store,
        ports: Ports,
        settings: Settings,
        breakers: Breakers,
        stats: ErrorStats,
        clock: Clock,
        claims: Claims,
        cancelling: Cancelling,
        observing: Sequence[Observing],
        escalation: Escalation,
        router: Router,
        retries: RetryConfig | None = None,
    ) -> None:
        self._router = router
        self._comparing = Comparing(breakers, clock, router.asides)
        self._queue = queue
        self._store = store
        self._ports = ports
        self._settings = settings
        self._stats = stats
        self._clock = clock
        self._claims = claims
        self._cancelling = cancelling
        self._observing = observing
        self._retries = retries or RetryConfig()
        self._recovery = Recovery(ports, clock, self._retries)
        self._admission = Admission(store, ports, settings, breakers, clock)
        self._escalation = escalation
        self._endings = Endings(
            queue, store, ports, settings, breakers, clock, self._retries, escalation
        )
        self._tasks: set[asyncio.Task[None]] = set()

    async def step(self) -> None:
        """Wait for a turn that may run, and start it."""
        claim = self._claims.add(await self._queue.take())
        claim.task = self._spawn(self._process(claim), f"aurora: {claim.turn.speaker.id}")

    async def stop(self, grace: float) -> None:
        """Give turns `grace` seconds to end; break the others off for the next Aurora."""
        await self._wait(grace)
        await self._cancelling.cancel(everything, Reason.UNLOADED, running=Running.LEAVE)
        await self._wait(_LEAVE_SECONDS)
        # What still hangs now can't be written down; the ledger has it as running.
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _process(self, claim: Claim) -> None:
        """Bring a turn that was taken to its end, or back into the queue."""
        name = claim.turn.speaker.id
        try:
            await self._queue.start(claim.turn, lambda: self._admission.foresee(claim))
            claim.started = True
            await self._cancelling.withdraw(claim)
            await self._bring_on(claim)
        except Exception as error:
            # It is back in its lane, or it is found in the ledger by the next Aurora.
            log.exception("Event %s could not be taken further", name, exc_info=error)
        finally:
            if claim.permits is not None:
                claim.permits.release()
            self._claims.release(claim)
        await self._cancelling.follow(claim)

    async def _bring_on(self, claim: Claim) -> None:
        """Go all the way; what stops a turn on it still leaves the turn in good hands."""
        turn = claim.turn
        try:
            await self._go(claim)
        except WithheldError as withheld:
            await self._endings.call_off(claim, withheld.reason)
        except UnloadedError:
            await self._endings.leave(turn)
        except (LedgerError, RunBrokenError) as error:
            # No fault of the turn's; once the ledger works again it tells what was done.
            log.warning("Event %s is broken off: %s", turn.speaker.id, error)
            turn.misses += 1
            await self._endings.interrupt(turn, self._retries.delay(turn.misses))
        except Exception as error:
            name = turn.speaker.id
            log.exception("Event %s: an error of Aurora's own", name, exc_info=error)
            crash = REASONS[Reason.CRASH].error
            self._stats.record(crash, guild_id=turn.speaker.guild_id)
            turn.crashes += 1
            await self._endings.interrupt(turn, self._retries.delay(turn.crashes))

    async def _go(self, claim: Claim) -> None:
        """The way of a turn: admit, attempt, conclude, settle; recovery is the other way in."""
        try:
            attempted = await self._recovery.recover(claim)
            await self._admission.ensure_welcome(claim)
            if attempted is None:
                await self._route(claim)
                admitted = self._admission.permit(claim)
                attempted = await self._attempt(claim, admitted)
            conclusion = await self._endings.conclude(claim, attempted)
        except Concluded as early:
            conclusion = early.conclusion
        await self._endings.settle(claim, conclusion)

    async def _route(self, claim: Claim) -> None:
        """Have a router say who answers, where admins want that; raise Concluded if nobody."""
        turn = claim.turn
        if not self._router.is_asked(turn):
            return
        turn.routed = str(await claim.do(self._router.route(turn))) or UNROUTED
        # Whoever has typed a command wants an answer.
        if turn.route.silent and turn.speaker.by_message:
            raise Concluded(End(Reason.NO_ANSWER))

    async def _attempt(self, claim: Claim, admitted: Admitted) -> Attempted:
        turn, speaker = claim.turn, claim.turn.speaker
        await self._escalation.choose(turn)
        tools = self._ports.toolbox.open(turn, admitted.agent_id)
        settings = self._settings.guild(speaker.guild_id)
        compared = read_wish(speaker.wish).compare
        simple = turn.route.complexity == "simple" and settings.deliver_text
        if compared or (simple and not tools.watched):
            tools, settings = NoTools(), replace(settings, answer_way=BY_TEXT, max_steps=1)
        progress = ShowsProgress(self._ports.lines, self._clock, turn, tools, settings)
        observers = [progress, *(make(turn, tools) for make in self._observing)]
        typing = None
        if settings.enable_typing_indicator and not speaker.unasked:
            typing = self._ports.delivery.typing(speaker, tools)
            observers.append(typing)
        attempt = Attempt(
            turn=turn,
            backend=admitted.backend,
            agent_id=admitted.agent_id,
            tools=tools,
            own_tools=self._ports.own_tools,
            observers=[*observers, tools] if isinstance(tools, Observer) else observers,
            permits=admitted.permits,
            plan=claim.plan,
            settings=settings,
            store=self._store,
            ports=self._ports,
            clock=self._clock,
            retries=self._retries,
            typing=typing or nullcontext(),
        )
        work: Callable[[], Coroutine[Any, Any, Attempted]] = attempt.run
        if compared:
            work = partial(self._comparing.run, turn, admitted, compared, settings, attempt.typing)
        started = self._clock.monotonic()
        try:
            async with progress:
                attempted = await claim.do(work())
        finally:
            duration = self._clock.monotonic() - started
            turn.seconds += duration
        error = REASONS[attempted.reason].error
        self._stats.record(error, guild_id=speaker.guild_id, duration=duration)
        return attempted

    async def _wait(self, seconds: float) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
