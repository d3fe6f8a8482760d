"""The worker: claims an event, runs its agent, and brings the event to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from dataclasses import dataclass

from .agent_call import AgentCall
from .agents.protocol import AgentBackend, Finished, Outcome
from .clock import Clock
from .errors import (
    VERDICTS,
    Breakers,
    Cause,
    ErrorStats,
    Permits,
    RetryConfig,
    Verdict,
    retry_delay,
)
from .ledger import Store
from .model import Event, State
from .ports import Ports
from .queue import MessageQueue
from .settings import Settings

log = logging.getLogger("red.aurora.worker")

UNLOADED = "unloaded"
_OUTAGE = (
    "I can't reach my agent right now. I will answer as soon as it is back; if that takes longer "
    "than a quarter of an hour, please ask again."
)
_TOO_LATE = "I could not get to this in time. Please ask again if you still want an answer."


@dataclass(slots=True)
class _Run:
    """A call under way: `calling` is its own task, `task` the one that brings the event on."""

    call: AgentCall
    calling: asyncio.Task[Finished]
    task: asyncio.Task[None] | None
    withheld: str | None = None


class Worker:
    """Runs events, each in a task of its own; the queue's limits say how many."""

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
        self._tasks: set[asyncio.Task[None]] = set()
        self._runs: dict[int, _Run] = {}
        self._told_of_outage: set[int] = set()

    async def step(self) -> None:
        """Wait for an event that may run, and start its run."""
        event = await self._queue.claim()
        self._spawn(self.process(event), f"aurora: {event.id}")

    async def process(self, event: Event) -> None:
        """Bring a claimed event to its end, or back into the queue."""
        try:
            await self._process(event)
        except asyncio.CancelledError:
            if event.state is State.RUNNING:
                await self._break_off(event)
            raise
        except Exception as error:
            log.exception("Event %s: an error of Aurora's own", event.id, exc_info=error)
            await self._give_up(event, "crash", type(error).__name__)

    async def greet(self, event: Event) -> None:
        """Tell the author of a new event if an outage is going to keep it waiting."""
        agent_id = self._settings.agent_for(event.guild_id)
        if agent_id is not None and self._breakers.retry_in(agent_id) > 0:
            await self._tell_of_outage(event)

    def withhold(self, message_id: int, reason: str) -> None:
        """Stop the run of a message and let none of its output through."""
        run = self._runs.get(message_id)
        if run is not None and run.withheld is None:
            run.withheld = reason
            run.calling.cancel()

    async def withhold_all(self, wanted: Callable[[Event], bool], reason: str) -> None:
        """Withhold the runs of all events that are wanted, and return when they have ended."""
        runs = [run for run in self._runs.values() if wanted(run.call.event)]
        for run in runs:
            self.withhold(run.call.event.message_id, reason)
        if tasks := {run.task for run in runs if run.task is not None}:
            await asyncio.wait(tasks)

    async def stop(self, grace: float) -> None:
        """Give running turns `grace` seconds to end, then abort them."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _process(self, event: Event) -> None:
        if (reason := await self._ports.admit(event)) is not None:
            await self._cancel(event, reason)
            return
        if self._clock.time() >= event.expires_at:
            await self._ports.delivery.notice(event, _TOO_LATE)
            await self._queue.finish(event, State.EXPIRED, "waited_too_long")
            return
        backend = self._ports.backend()
        agent_id = self._settings.agent_for(event.guild_id)
        if backend is None or agent_id is None:
            await self._cancel(event, "not_configured")
            return
        permits = self._breakers.acquire(agent_id)
        if permits is None:
            await self._queue.retry(event, 0.0)
            return
        with permits:
            await self._attempt(event, backend, agent_id, permits)

    async def _attempt(
        self, event: Event, backend: AgentBackend, agent_id: str, permits: Permits
    ) -> None:
        started = self._clock.monotonic()
        settings = self._settings.guild(event.guild_id)
        call = AgentCall(
            event=event,
            backend=backend,
            agent_id=agent_id,
            tools=self._ports.toolbox.open(event, agent_id),
            permits=permits,
            settings=settings,
            queue=self._queue,
            store=self._store,
            clock=self._clock,
            retries=self._retries,
        )
        calling = asyncio.create_task(call.send_to_agent(), name=f"aurora call: {event.id}")
        run = self._runs[event.message_id] = _Run(call, calling, asyncio.current_task())
        shown = settings.enable_typing_indicator
        try:
            async with self._ports.delivery.typing(event) if shown else nullcontext():
                await asyncio.wait({calling}, timeout=settings.agent_timeout)
            cause, finished = await self._ending(run)
            await call.tools.close("This run is over; nothing more can be sent.")
        finally:
            del self._runs[event.message_id]
            calling.cancel()
        verdict = VERDICTS[cause]
        permits.settle(verdict)
        if run.withheld is not None:
            await self._queue.finish(event, State.CANCELLED, run.withheld)
            return
        duration = self._clock.monotonic() - started
        self._stats.record(verdict.error, guild_id=event.guild_id, duration=duration)
        await self._conclude(call, cause, finished)

    async def _ending(self, run: _Run) -> tuple[Cause, Finished]:
        """Tell how a call ended; one that did not end in time is aborted."""
        if not run.calling.done():
            await run.call.tools.close("The time for this run is over; nothing more can be sent.")
            run.calling.cancel()
            await asyncio.wait({run.calling})
            return "timeout", Finished(Outcome.CANCELLED, detail="no answer in time")
        if run.calling.cancelled():
            return Outcome.CANCELLED, Finished(Outcome.CANCELLED, detail=run.withheld or "")
        finished = run.calling.result()
        return finished.outcome, finished

    async def _conclude(self, call: AgentCall, cause: Cause, finished: Finished) -> None:
        """Deliver, try again later, or give up."""
        event, delivery = call.event, self._ports.delivery
        if call.accepted:
            self._told_of_outage.clear()
        if cause is Outcome.COMPLETED:
            fallback = call.settings.deliver_text
            state, reason = await delivery.settle(event, finished.text, fallback=fallback)
            await self._queue.finish(event, state, reason)
        elif await delivery.answered(event):
            await self._queue.finish(event, State.ANSWERED, f"sent_before_{cause}")
        elif (delay := await self._delay(call, VERDICTS[cause], finished)) is not None:
            # A line that was cut is there again at the second try; only an outage is worth a word.
            if cause is Outcome.UNREACHABLE and event.misses > 1:
                await self._tell_of_outage(event)
            await self._queue.retry(event, delay)
        else:
            await self._give_up(event, cause, finished.detail)

    async def _delay(self, call: AgentCall, verdict: Verdict, finished: Finished) -> float | None:
        """Return the seconds until the event may be tried again, None if it may not."""
        event, returned = call.event, verdict.returns_attempt and not call.accepted
        if returned:
            event.attempts, event.misses = event.attempts - 1, event.misses + 1
        sends = await self._store.sends(event.id)
        delay = retry_delay(
            verdict,
            event.misses if returned else event.attempts,
            config=self._retries,
            visible=any(send.by != "notice" for send in sends),
            retry_after=finished.retry_after,
        )
        if delay is None or self._clock.time() + delay >= event.expires_at:
            return None
        return delay

    async def _break_off(self, event: Event) -> None:
        """End an event whose run was aborted by the unload."""
        if await self._ports.delivery.answered(event):
            await self._queue.finish(event, State.ANSWERED, f"sent_before_{UNLOADED}")
        else:
            await self._cancel(event, UNLOADED)

    async def _cancel(self, event: Event, reason: str) -> None:
        await self._queue.finish(event, State.CANCELLED, reason)
        await self._ports.delivery.call_off(event)

    async def _give_up(self, event: Event, cause: Cause, detail: str) -> None:
        verdict = VERDICTS[cause]
        log.warning("Event %s: %s", event.id, verdict.tell_admin(detail))
        if verdict.alert:
            await self._ports.alert(verdict.tell_admin(detail))
        await self._ports.delivery.notice(event, verdict.user)
        await self._queue.finish(event, verdict.state, str(cause))

    async def _tell_of_outage(self, event: Event) -> None:
        """Tell a channel, once per outage, that its answers will be late."""
        if event.channel_id not in self._told_of_outage:
            self._told_of_outage.add(event.channel_id)
            await self._ports.delivery.notice(event, _OUTAGE)
