"""How a turn ends, or comes back into the queue: the one place where that is decided."""

from __future__ import annotations

import logging

from ..agents.protocol import AgentError, Finished
from ..clock import Clock
from ..errors import (
    Permits,
    RetryConfig,
    retry_delay,
)
from ..health.outages import OutageNotices
from ..ledger import Store
from ..model import Event, State
from ..queue import MessageQueue
from ..reasons import REASONS, Reason, Retry, sent_before
from ..settings import Settings
from ..words import say
from ..words.reasons import SAY_TOO_LATE
from .claim import Claim
from .ports import Ports, Trace
from .recovery import Ended

log = logging.getLogger("red.aurora.worker")


class Endings:
    """Ends turns, tells people of it, and puts back what is to be tried again."""

    def __init__(
        self,
        queue: MessageQueue,
        store: Store,
        ports: Ports,
        settings: Settings,
        clock: Clock,
        retries: RetryConfig,
        outages: OutageNotices,
    ) -> None:
        self._queue = queue
        self._store = store
        self._ports = ports
        self._settings = settings
        self._clock = clock
        self._retries = retries
        self._outages = outages

    async def conclude(
        self,
        claim: Claim,
        cause: Reason,
        finished: Finished,
        *,
        accepted: bool = True,
        permits: Permits | None = None,
        watched: bool = False,
    ) -> None:
        """Deliver, try again later, or give up, after a run.

        The run of an Aurora that is no more was `accepted`, and has no permits. One that was only
        `watched` acts with tools that nobody can shut.
        """
        event, trace, delay = claim.event, Trace.NOTHING, None
        if cause is not Reason.COMPLETED:
            trace = await claim.do(self._ports.delivery.trace(event))
            if trace not in (Trace.ANSWER, Trace.DOUBT):
                # A watched run that was lost may still go on, and act.
                lost = watched and cause is Reason.LOST
                visible = lost or trace is not Trace.NOTHING
                delay = self._delay(event, cause, finished, accepted=accepted, visible=visible)
        # An event counts once against its agent, or one bad message would stop it for all.
        if permits is not None and (delay is None or REASONS[cause].retry is not Retry.ATTEMPTS):
            permits.settle(cause)
        if cause is Reason.COMPLETED:
            await self._deliver(claim, finished.text)
        elif trace is Trace.ANSWER:
            await self._queue.finish(event, State.ANSWERED, sent_before(cause))
        elif trace is Trace.DOUBT:
            await self._doubt(event)
        elif delay is None:
            await self._give_up(event, cause, finished.detail)
        else:
            event.run_id = event.input_id = None
            await self._wait_for_agent(event, delay, missed=cause is Reason.UNREACHABLE)

    async def examine_later(self, claim: Claim, error: AgentError) -> None:
        """Put a turn back of whose last run the agent server can't tell the end now."""
        event = claim.event
        log.info("Event %s: what became of its run is not known yet: %s", event.id, error.detail)
        event.misses += 1
        delay = self._retries.delay(event.misses)
        if self._too_late(event, delay):
            await self.expire(claim)
        else:
            await self._wait_for_agent(event, delay, missed=True)

    async def interrupt(self, event: Event, delay: float) -> None:
        """Put a turn back that Aurora failed on; it is examined before it runs again."""
        for member in event.members:
            member.interrupted = True
        await self._queue.retry(event, delay)

    async def leave(self, event: Event) -> None:
        """Leave a turn that the unload broke off to the next Aurora, unless it is answered."""
        answered = False
        if event.answer is None:
            try:
                answered = await self._ports.delivery.trace(event) is Trace.ANSWER
            except Exception as error:
                log.exception("Event %s: nobody knows of an answer", event.id, exc_info=error)
        if answered:
            await self._queue.finish(event, State.ANSWERED, Reason.SENT_BEFORE_UNLOADED)
        else:
            await self._queue.leave(event)

    async def call_off(self, claim: Claim, reason: str) -> None:
        """End a turn that was withheld; the others in it see that nothing will come."""
        others = claim.event.earlier
        await self._queue.finish(claim.event, State.CANCELLED, reason)
        for member in others:
            await self._ports.delivery.call_off(member)

    async def cancel(self, event: Event, reason: str) -> None:
        """End a turn that may not run any more."""
        await self._queue.finish(event, State.CANCELLED, reason)
        await self._ports.delivery.call_off(event)

    async def expire(self, claim: Claim) -> None:
        """End a turn whose time is over."""
        await claim.do(self._ports.delivery.notice(claim.event, say(SAY_TOO_LATE)))
        await self._queue.finish(claim.event, State.EXPIRED, Reason.WAITED_TOO_LONG)

    async def end(self, event: Event, ended: Ended) -> None:
        """Write down the end that an interrupted turn has had."""
        if ended.state is State.ANSWERED:
            await self._queue.finish(event, ended.state, ended.reason)
        elif ended.reason is Reason.UNKNOWN_FATE:
            await self._doubt(event)
        else:
            await self._give_up(event, ended.reason, ended.reason)

    async def _doubt(self, event: Event) -> None:
        """End a turn whose answer may be there or not: another could be the second."""
        await self._ports.delivery.doubt(event)
        await self._queue.finish(event, State.FAILED, Reason.UNKNOWN_FATE)

    async def _deliver(self, claim: Claim, text: str) -> None:
        event = claim.event
        # Kept first: after a crash it is delivered without another run.
        event.answer = text
        await self._store.save(event)
        fallback = self._settings.guild(event.guild_id).deliver_text
        settling = self._ports.delivery.settle(event, text, fallback=fallback)
        state, reason = await claim.do(settling)
        await self._queue.finish(event, state, reason)

    def _delay(
        self, event: Event, cause: Reason, finished: Finished, *, accepted: bool, visible: bool
    ) -> float | None:
        """Return the seconds until the event may be tried again, None if it may not."""
        returned = REASONS[cause].returns_attempt and not accepted
        if returned:
            event.attempts, event.misses = event.attempts - 1, event.misses + 1
        delay = retry_delay(
            cause,
            event.misses if returned else event.attempts,
            config=self._retries,
            visible=visible,
            retry_after=finished.retry_after,
        )
        return None if delay is None or self._too_late(event, delay) else delay

    def _too_late(self, event: Event, delay: float) -> bool:
        # The time of a pause is given back when it ends (DESIGN promise 5).
        paused = self._settings.paused_since(event.guild_id) is not None
        return not paused and self._clock.monotonic() + delay >= event.deadline

    async def _wait_for_agent(self, event: Event, delay: float, *, missed: bool) -> None:
        agent_id = event.agent_id or ""
        # A line that was cut is there again at the second try; only an outage is worth a word.
        if missed and (event.misses > 1 or self._outages.is_open(agent_id)):
            await self._outages.tell(event, agent_id)
        await self._queue.retry(event, delay)

    async def _give_up(self, event: Event, reason: Reason, detail: str) -> None:
        entry = REASONS[reason]
        log.warning("Event %s: %s", event.id, entry.tell_admin(detail))
        try:
            if entry.user is not None:
                await self._ports.delivery.notice(event, say(entry.user))
            if entry.alert:
                await self._ports.alert(entry.tell_admin(detail))
        except Exception as error:
            log.exception("Event %s: its end could not be told", event.id, exc_info=error)
        # Whatever happens, the lane must go on.
        await self._queue.finish(event, entry.state or State.FAILED, reason)
