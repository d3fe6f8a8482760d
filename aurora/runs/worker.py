"""The worker: takes turns, runs their agents, and brings each event to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable
from contextlib import nullcontext

from ..agents.protocol import (
    AgentBackend,
    AgentError,
    Finished,
    Outcome,
)
from ..clock import Clock
from ..errors import (
    Breakers,
    ErrorStats,
    Permits,
    RetryConfig,
)
from ..health.outages import OutageNotices
from ..ledger import LedgerError, Store
from ..model import Event, State
from ..queue import MessageQueue
from ..reasons import REASONS, Reason
from ..settings import Settings
from .attempt import RUN_OVER, AgentCall
from .claim import Claim, UnloadedError, WithheldError
from .endings import Endings
from .ports import Ports, Watcher
from .recovery import Ended, Recovery

log = logging.getLogger("red.aurora.worker")

_LEAVE_SECONDS = 20.0
"""How long turns may take to be left after they were broken off, a send under way included."""


class Worker:
    """Runs turns, each in a task of its own; the queue's limits say how many."""

    def __init__(
        self,
        queue: MessageQueue,
        store: Store,
        ports: Ports,
        settings: Settings,
        breakers: Breakers,
        stats: ErrorStats,
        clock: Clock,
        retries: RetryConfig | None = None,
    ) -> None:
        self._queue = queue
        self._store = store
        self._ports = ports
        self._settings = settings
        self._breakers = breakers
        self._stats = stats
        self._clock = clock
        self._retries = retries or RetryConfig()
        self._recovery = Recovery(ports, clock)
        self._outages = OutageNotices(breakers, ports.delivery)
        self._endings = Endings(queue, store, ports, settings, clock, self._retries, self._outages)
        self._tasks: set[asyncio.Task[None]] = set()
        self._claims: dict[int, Claim] = {}

    async def step(self) -> None:
        """Wait for a turn that may run, and start it."""
        event = await self._queue.take()
        self._claim(event).task = self._spawn(self.process(event), f"aurora: {event.id}")

    async def process(self, event: Event) -> None:
        """Bring a turn that was taken to its end, or back into the queue."""
        claim = self._claims.get(event.message_id) or self._claim(event)
        message_ids = [member.message_id for member in event.members]
        try:
            await self._queue.start(event)
            claim.started = True
            await self._withdraw(claim)
            await self._bring_on(claim)
        except Exception as error:
            # It is back in its lane, or it is found in the ledger by the next Aurora.
            log.exception("Event %s could not be taken further", event.id, exc_info=error)
        finally:
            for message_id in message_ids:
                # What has ended may have been revived, and taken again, by now.
                if self._claims.get(message_id) is claim:
                    del self._claims[message_id]
        if claim.withheld and event.state is State.WAITING:
            # It was on its way back into the queue, where nobody could cancel it.
            for message_id, reason in claim.withheld.items():
                self.withhold(message_id, reason)
                await self.cancel({message_id}, reason)

    async def greet(self, event: Event) -> None:
        """Tell the author of a new event if an outage is going to keep it waiting."""
        agent_id = self._settings.agent_for(event.guild_id)
        if agent_id is not None and self._breakers.retry_in(agent_id) > 0:
            await self._outages.tell(event, agent_id)

    def outage_began(self, waiting: Iterable[Event]) -> None:
        """Tell those who wait for an agent that can't be reached since now."""
        asked = [(event, self._settings.agent_for(event.guild_id)) for event in waiting]
        known = [(event, agent_id) for event, agent_id in asked if agent_id is not None]
        self._spawn(self._outages.tell_all(known), "aurora tells of an outage")

    def outage_over(self, agent_id: str | None) -> None:
        """Note that a breaker has closed: an agent's, or the server's (None)."""
        log.debug("The outage of %s is over", agent_id or "the agent server")
        self._outages.over()

    def withhold(self, message_id: int, reason: str) -> None:
        """Stop what is done for a message that was taken, and let none of its output through.

        If another of its turn speaks, the turn goes on without it.
        """
        claim = self._claims.get(message_id)
        if claim is None:
            return
        claim.withheld.setdefault(message_id, reason)
        if message_id == claim.event.message_id:
            claim.break_off(WithheldError(reason))
        elif claim.started:
            self._spawn(self._withdraw(claim), f"aurora withdraws: {message_id}")

    async def cancel(self, message_ids: Collection[int], reason: str) -> None:
        """End what waits of some messages.

        Those whose turn can't go on without them are shown that nothing will come.
        """
        for event in await self._queue.cancel(lambda one: one.message_id in message_ids, reason):
            if event.message_id not in message_ids:
                showing = self._ports.delivery.call_off(event)
                self._spawn(showing, f"aurora calls off: {event.id}")

    async def withhold_all(self, wanted: Callable[[Event], bool], reason: str) -> None:
        """Withhold all events that were taken and are wanted, and return when they have ended."""
        tasks = set()
        for claim in set(self._claims.values()):
            for member in claim.event.members:
                if wanted(member):
                    self.withhold(member.message_id, reason)
                    tasks.add(claim.task)
        if running := {task for task in tasks if task is not None}:
            await asyncio.wait(running)

    async def stop(self, grace: float) -> None:
        """Give turns `grace` seconds to end; abort the others, which stay for the next Aurora."""
        await self._wait(grace)
        for claim in self._claims.values():
            claim.break_off(UnloadedError())
        await self._wait(_LEAVE_SECONDS)
        # What still hangs now can't be written down; the ledger has it as running.
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _wait(self, seconds: float) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _claim(self, event: Event) -> Claim:
        claim = Claim(event)
        self._claims.update((member.message_id, claim) for member in event.members)
        return claim

    async def _withdraw(self, claim: Claim) -> None:
        """End those of a turn that were withheld, where another speaks for it."""
        for member in claim.event.earlier:
            reason = claim.withheld.get(member.message_id)
            if reason is not None and member.state is State.RUNNING:
                await self._queue.withdraw(claim.event, member, reason)

    async def _bring_on(self, claim: Claim) -> None:
        event = claim.event
        try:
            await self._process(claim)
        except WithheldError as withheld:
            await self._endings.call_off(claim, str(withheld))
        except UnloadedError:
            await self._endings.leave(event)
        except LedgerError as error:
            # No fault of the event's; once the ledger works again it tells what was done.
            log.warning("Event %s: the ledger failed: %s", event.id, error)
            event.misses += 1
            await self._endings.interrupt(event, self._retries.delay(event.misses))
        except Exception as error:
            log.exception("Event %s: an error of Aurora's own", event.id, exc_info=error)
            self._stats.record(REASONS[Reason.CRASH].error, guild_id=event.guild_id)
            for member in event.members:
                member.crashes += 1
            await self._endings.interrupt(event, self._retries.delay(event.crashes))

    async def _process(self, claim: Claim) -> None:
        event = claim.event
        finished = None
        if event.interrupted:
            try:
                found = await claim.do(self._recovery.examine(event))
            except AgentError as error:
                await self._endings.examine_later(claim, error)
                return
            for member in event.members:
                member.interrupted = False
            if isinstance(found, Ended):
                await self._endings.end(event, found)
                return
            finished = found
        if (reason := await claim.do(self._ports.admit(event))) is not None:
            await self._endings.cancel(event, reason)
        elif finished is not None:
            await self._endings.conclude(claim, finished.outcome.reason, finished)
        elif self._clock.monotonic() >= event.deadline:
            await self._endings.expire(claim)
        else:
            await self._run(claim)

    async def _run(self, claim: Claim) -> None:
        event = claim.event
        if event.input_id is not None:
            # Of an attempt that was broken off; crashes have a counter of their own (promise 7).
            event.attempts = max(0, event.attempts - 1)
            event.run_id = event.input_id = None
        backend = self._ports.backend()
        agent_id = self._settings.agent_for(event.guild_id)
        if backend is None or agent_id is None:
            await self._endings.cancel(event, Reason.NOT_CONFIGURED)
            return
        permits = self._breakers.acquire(agent_id)
        if permits is None:
            if self._outages.is_open(agent_id):
                await self._outages.tell(event, agent_id)
            await self._queue.retry(event, 0.0)
            return
        with permits:
            await self._attempt(claim, backend, agent_id, permits)

    async def _attempt(
        self, claim: Claim, backend: AgentBackend, agent_id: str, permits: Permits
    ) -> None:
        event, started = claim.event, self._clock.monotonic()
        call = AgentCall(
            event=event,
            backend=backend,
            agent_id=agent_id,
            tools=self._ports.toolbox.open(event, agent_id),
            permits=permits,
            settings=self._settings.guild(event.guild_id),
            queue=self._queue,
            store=self._store,
            clock=self._clock,
            retries=self._retries,
        )
        cause, finished = await claim.do(self._call(call))
        duration = self._clock.monotonic() - started
        self._stats.record(REASONS[cause].error, guild_id=event.guild_id, duration=duration)
        if call.accepted:
            self._outages.reached(event.channel_id, agent_id)
        await self._endings.conclude(
            claim,
            cause,
            finished,
            accepted=call.accepted,
            permits=permits,
            watched=isinstance(call.tools, Watcher),
        )

    async def _call(self, call: AgentCall) -> tuple[Reason, Finished]:
        """Call the agent, within the time limit; the tools are shut when this returns."""
        event, settings = call.event, call.settings
        shown = settings.enable_typing_indicator
        calling = asyncio.create_task(call.send_to_agent(), name=f"aurora call: {event.id}")
        try:
            async with self._ports.delivery.typing(event) if shown else nullcontext():
                await asyncio.wait({calling}, timeout=settings.agent_timeout)
            if not calling.done():
                # A send that is under way may arrive; what the agent tries later may not.
                await call.tools.close("The time for this run is over; nothing more can be sent.")
            if calling.done():
                finished = calling.result()
                return finished.outcome.reason, finished
            if not call.accepted:
                detail = "the agent server did not take the input in time"
                return Reason.UNREACHABLE, Finished(Outcome.UNREACHABLE, detail=detail)
            return Reason.TIMEOUT, Finished(Outcome.CANCELLED, detail="no answer in time")
        finally:
            calling.cancel()
            await asyncio.wait({calling})
            await call.tools.close(RUN_OVER)
