"""The worker: claims an event, runs its agent, and brings the event to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

from .agent_call import AgentCall
from .agents.protocol import AgentBackend, Finished, Outcome
from .clock import Clock
from .errors import (
    VERDICTS,
    Breakers,
    Cause,
    ErrorStats,
    Permits,
    Retry,
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

T = TypeVar("T")

UNLOADED = "unloaded"
_OUTAGE = (
    "My agent is not available right now. I will answer as soon as it is back; if that takes "
    "longer than a quarter of an hour, please ask again."
)
_TOO_LATE = "I could not get to this in time. Please ask again if you still want an answer."


class _WithheldError(Exception):
    """Nothing of the event's output may get out any more; the text is the reason."""


@dataclass(slots=True)
class _Claim:
    """A claimed event, from the claim to its end: `task` brings it on, `step` is what it does."""

    event: Event
    task: asyncio.Task[None] | None
    step: asyncio.Task[Any] | None = None
    withheld: str | None = None

    def withhold(self, reason: str) -> None:
        """Break off what is being done; nothing more is done for the event."""
        if self.withheld is None:
            self.withheld = reason
            if self.step is not None:
                self.step.cancel()

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do a step that can be broken off; raise _WithheldError if it was."""
        step = asyncio.create_task(work, name=f"aurora step: {self.event.id}")
        self.step = step
        if self.withheld is not None:
            step.cancel()
        try:
            await asyncio.wait({step})
        except asyncio.CancelledError:
            step.cancel()
            await asyncio.wait({step})
            raise
        if self.withheld is not None:
            raise _WithheldError(self.withheld)
        return step.result()


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
        self._claims: dict[int, _Claim] = {}
        self._told_of_outage: set[int] = set()

    async def step(self) -> None:
        """Wait for an event that may run, and start its run."""
        event = await self._queue.claim()
        self._spawn(self.process(event), f"aurora: {event.id}")

    async def process(self, event: Event) -> None:
        """Bring a claimed event to its end, or back into the queue."""
        claim = self._claims[event.message_id] = _Claim(event, asyncio.current_task())
        try:
            await self._process(claim)
        except _WithheldError as withheld:
            await self._queue.finish(event, State.CANCELLED, str(withheld))
        except asyncio.CancelledError:
            if event.state is State.RUNNING:
                await self._break_off(event)
            raise
        except Exception as error:
            log.exception("Event %s: an error of Aurora's own", event.id, exc_info=error)
            await self._crash(event, type(error).__name__)
        finally:
            del self._claims[event.message_id]

    async def greet(self, event: Event) -> None:
        """Tell the author of a new event if an outage is going to keep it waiting."""
        agent_id = self._settings.agent_for(event.guild_id)
        if agent_id is not None and self._breakers.retry_in(agent_id) > 0:
            await self._tell_of_outage(event)

    def withhold(self, message_id: int, reason: str) -> None:
        """Stop what is done for a claimed message and let none of its output through."""
        claim = self._claims.get(message_id)
        if claim is not None:
            claim.withhold(reason)

    async def withhold_all(self, wanted: Callable[[Event], bool], reason: str) -> None:
        """Withhold all claimed events that are wanted, and return when they have ended."""
        claims = [claim for claim in self._claims.values() if wanted(claim.event)]
        for claim in claims:
            claim.withhold(reason)
        if tasks := {claim.task for claim in claims if claim.task is not None}:
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

    async def _process(self, claim: _Claim) -> None:
        event = claim.event
        if (reason := await claim.do(self._ports.admit(event))) is not None:
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
            await self._attempt(claim, backend, agent_id, permits)

    async def _attempt(
        self, claim: _Claim, backend: AgentBackend, agent_id: str, permits: Permits
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
        self._stats.record(VERDICTS[cause].error, guild_id=event.guild_id, duration=duration)
        await self._conclude(claim, call, cause, finished)

    async def _call(self, call: AgentCall) -> tuple[Cause, Finished]:
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
                return finished.outcome, finished
            if not call.accepted:
                detail = "the agent server did not take the input in time"
                return Outcome.UNREACHABLE, Finished(Outcome.UNREACHABLE, detail=detail)
            return "timeout", Finished(Outcome.CANCELLED, detail="no answer in time")
        finally:
            calling.cancel()
            await asyncio.wait({calling})
            await call.tools.close("This run is over; nothing more can be sent.")

    async def _conclude(
        self, claim: _Claim, call: AgentCall, cause: Cause, finished: Finished
    ) -> None:
        """Deliver, try again later, or give up."""
        event, delivery, verdict = call.event, self._ports.delivery, VERDICTS[cause]
        if call.accepted:
            self._told_of_outage.clear()
        if cause is Outcome.COMPLETED:
            call.permits.succeeded()
            settling = delivery.settle(event, finished.text, fallback=call.settings.deliver_text)
            state, reason = await claim.do(settling)
            await self._queue.finish(event, state, reason)
        elif await claim.do(delivery.answered(event)):
            call.permits.settle(verdict)
            await self._queue.finish(event, State.ANSWERED, f"sent_before_{cause}")
        elif (delay := await self._delay(call, verdict, finished)) is not None:
            # An event counts once against its agent, or one bad message would stop it for all.
            if verdict.retry is not Retry.ATTEMPTS:
                call.permits.settle(verdict)
            # A line that was cut is there again at the second try; only an outage is worth a word.
            if cause is Outcome.UNREACHABLE and event.misses > 1:
                await self._tell_of_outage(event)
            await self._queue.retry(event, delay)
        else:
            call.permits.settle(verdict)
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

    async def _crash(self, event: Event, detail: str) -> None:
        """End an event on which Aurora itself failed, wherever it was."""
        try:
            answered = await self._ports.delivery.answered(event)
        except Exception as error:
            log.exception("Event %s: nobody knows of an answer", event.id, exc_info=error)
            answered = False
        if answered:
            await self._queue.finish(event, State.ANSWERED, "sent_before_crash")
        else:
            await self._give_up(event, "crash", detail)

    async def _give_up(self, event: Event, cause: Cause, detail: str) -> None:
        verdict = VERDICTS[cause]
        log.warning("Event %s: %s", event.id, verdict.tell_admin(detail))
        try:
            await self._ports.delivery.notice(event, verdict.user)
            if verdict.alert:
                await self._ports.alert(verdict.tell_admin(detail))
        except Exception as error:
            log.exception("Event %s: its end could not be told", event.id, exc_info=error)
        finally:
            # Whatever happens, the lane must go on.
            await self._queue.finish(event, verdict.state, str(cause))

    async def _tell_of_outage(self, event: Event) -> None:
        """Tell a channel, once per outage, that its answers will be late."""
        if event.channel_id not in self._told_of_outage:
            self._told_of_outage.add(event.channel_id)
            await self._ports.delivery.notice(event, _OUTAGE, kind="outage")
