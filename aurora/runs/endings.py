"""How a turn ends, or comes back into the queue: the one place where that is decided."""

from __future__ import annotations

import logging

from ..clock import Clock
from ..errors import Breakers, RetryConfig, retry_delay
from ..ledger import Store
from ..model import Said, Trace, Turn
from ..queue import MessageQueue
from ..reasons import REASONS, Counts, Reason, Retry, sent_before
from ..settings import Settings
from ..words.alerts import AGENT_TRIPPED
from .attempt import Attempted
from .claim import Claim
from .conclusions import Again, Answer, Conclusion, End
from .escalation import Escalation
from .ports import Ports

log = logging.getLogger("red.aurora.worker")

_OUTAGES = (Reason.UNREACHABLE, Reason.OVERLOADED)
"""The ends of attempts that may go on for long, and are nobody's fault who asked."""


class Endings:
    """Concludes what an attempt means for its turn, and settles that."""

    def __init__(
        self,
        queue: MessageQueue,
        store: Store,
        ports: Ports,
        settings: Settings,
        breakers: Breakers,
        clock: Clock,
        retries: RetryConfig,
        escalation: Escalation,
    ) -> None:
        self._escalation = escalation
        self._queue = queue
        self._store = store
        self._ports = ports
        self._settings = settings
        self._breakers = breakers
        self._clock = clock
        self._retries = retries

    async def conclude(self, claim: Claim, attempted: Attempted) -> Conclusion:
        """Decide: give its answer, try it again later, or give up."""
        conclusion = await self._conclude(claim, attempted)
        entry = REASONS[attempted.reason]
        # An event counts once against its agent, or one bad message would stop it for all.
        once_more = isinstance(conclusion, Again) and entry.retry is Retry.ATTEMPTS
        if claim.permits is not None and not once_more:
            claim.permits.settle(attempted.reason, attempted.finished.retry_after)
        if entry.counts is Counts.BREACH:
            await self._tell_of_breach(claim.turn, attempted)
        return conclusion

    async def _tell_of_breach(self, turn: Turn, attempted: Attempted) -> None:
        """Tell it whether or not there was an answer, and though the end may be no failure."""
        detail, todo = attempted.finished.detail, REASONS[attempted.reason].todo
        log.error("Event %s: %s", turn.speaker.id, detail)
        await self._ports.alert(AGENT_TRIPPED(agent=turn.agent_id, detail=detail, todo=todo))

    async def settle(self, claim: Claim, conclusion: Conclusion) -> None:
        """Do what was concluded: the turn has a final state then, or waits in its lane."""
        match conclusion:
            case Answer(said):
                await self._give(claim, said)
            case Again(delay, late) if not self._too_late(claim.turn, delay):
                await self._put_back(claim.turn, delay, late=late)
            case Again():
                await self._end(claim.turn, End(Reason.WAITED_TOO_LONG))
            case End():
                await self._end(claim.turn, conclusion)

    async def call_off(self, claim: Claim, reason: Reason) -> None:
        """End a turn that was withheld; the others in it see that nothing will come."""
        others = claim.turn.earlier
        await self._queue.finish(claim.turn, reason)
        for event in others:
            await self._ports.delivery.call_off(event)

    async def interrupt(self, turn: Turn, delay: float) -> None:
        """Put a turn back that Aurora failed on; it is examined before it runs again."""
        turn.interrupted = True
        await self._queue.retry(turn, delay)

    async def leave(self, turn: Turn) -> None:
        """Leave a turn that the unload broke off to the next Aurora, unless it is answered."""
        trace = Trace.NOTHING
        if turn.answer is None:
            try:
                trace = await self._ports.delivery.trace(turn)
            except Exception as error:
                name = turn.speaker.id
                log.exception("Event %s: nobody knows of an answer", name, exc_info=error)
        if trace is Trace.QUESTION:
            await self._queue.finish(turn, Reason.ASKED)
        elif trace is Trace.ANSWER:
            await self._queue.finish(turn, Reason.SENT_BEFORE_UNLOADED)
        else:
            await self._queue.leave(turn)

    async def _conclude(self, claim: Claim, attempted: Attempted) -> Conclusion:
        reason = attempted.reason
        if reason is Reason.COMPLETED:
            return Answer(attempted.said)
        trace = await claim.do(self._ports.delivery.trace(claim.turn))
        if trace is Trace.QUESTION:
            return End(Reason.ASKED)
        if trace is Trace.ANSWER:
            return End(sent_before(reason), went_on=attempted.said.went_on)
        # What waited for a look would be run again, if nothing is found.
        if trace is Trace.LATER and reason is not Reason.STUCK:
            return self._later(claim.turn)
        if trace in (Trace.DOUBT, Trace.LATER):
            # Another answer could be the second.
            return End(Reason.UNKNOWN_FATE)
        # A watched run that was lost may still go on, and act.
        lost = attempted.watched and reason is Reason.LOST
        delay = self._delay(claim.turn, attempted, visible=lost or trace is not Trace.NOTHING)
        if delay is None or self._too_late(claim.turn, delay):
            return End(reason, attempted.finished.detail)
        return Again(delay, late=reason in _OUTAGES)

    def _delay(self, turn: Turn, attempted: Attempted, *, visible: bool) -> float | None:
        """Return the seconds until the turn may be tried again, None if it may not."""
        entry = REASONS[attempted.reason]
        returned = entry.returns_attempt and not attempted.accepted
        if returned:
            turn.attempts, turn.misses = turn.attempts - 1, turn.misses + 1
        return retry_delay(
            attempted.reason,
            turn.misses if returned else turn.attempts,
            config=self._retries,
            visible=visible,
            retry_after=attempted.finished.retry_after,
        )

    def _too_late(self, turn: Turn, delay: float) -> bool:
        # The time of a pause is given back when it ends (promise 5).
        speaker = turn.speaker
        paused = self._settings.paused_since(speaker.guild_id) is not None
        return not paused and self._clock.monotonic() + delay >= speaker.deadline

    async def _give(self, claim: Claim, said: Said) -> None:
        turn = claim.turn
        fallback = self._settings.guild(turn.speaker.guild_id).deliver_text
        reason = await claim.do(self._ports.delivery.settle(turn, said, fallback=fallback))
        if reason is None:
            await self.settle(claim, self._later(turn))
        else:
            await self._escalation.ended(turn, reason)
            await self._queue.finish(turn, reason)

    def _later(self, turn: Turn) -> Again:
        """Put off what Discord can't be told, or asked, as long as the bot is not there."""
        turn.interrupted = True
        turn.misses += 1
        return Again(self._retries.delay(turn.misses))

    async def _put_back(self, turn: Turn, delay: float, *, late: bool) -> None:
        if not turn.interrupted:
            turn.run_id = turn.input_id = None
        agent_id = turn.agent_id or ""
        if late:
            await self._ports.late(turn, agent_id)
        if late and self._breakers.is_shut(agent_id):
            # The breaker says when, and that may be sooner than a delay that grew in an outage.
            delay = 0.0
        await self._queue.retry(turn, delay)

    async def _end(self, turn: Turn, end: End) -> None:
        entry, event = REASONS[end.reason], turn.speaker
        if entry.error is not None:
            log.warning("Event %s: %s", event.id, entry.tell_admin(end.detail))
        try:
            if end.reason is Reason.STUCK:
                way = self._escalation.way_on(turn)
                await self._ports.delivery.show_stuck(turn, end.detail, way)
            else:
                await self._ports.delivery.show_ends(turn, end.reason)
            if end.went_on:
                await self._ports.delivery.show_unfinished(turn)
            if entry.alert:
                await self._ports.alert(entry.tell_admin(end.detail))
        except Exception as error:
            log.exception("Event %s: its end could not be told", event.id, exc_info=error)
        await self._escalation.ended(turn, end.reason)
        # Whatever happens, the lane must go on.
        await self._queue.finish(turn, end.reason)
