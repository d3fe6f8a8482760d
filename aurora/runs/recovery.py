"""What became of a turn that was broken off: by a crash, an unload or a fault of Aurora's own.

A turn that had a visible effect is never run again (promise 6), and one that keeps crashing
Aurora is given up (promise 7).
"""

from __future__ import annotations

import logging

from ..agents.protocol import Finished, Input, Recaller
from ..clock import Clock
from ..errors import RetryConfig, is_retryable
from ..model import Said, Trace, Turn
from ..reasons import AgentError, Outcome, Reason
from .attempt import RUN_OVER, Attempted
from .claim import Claim
from .conclusions import Again, Concluded, End
from .ports import Ports

log = logging.getLogger("red.aurora.worker")

MOST_CRASHES = 3
"""How often Aurora may crash on a turn before it is given up."""

_SEEN = {
    Trace.QUESTION: Reason.ASKED,
    Trace.ANSWER: Reason.SENT_BEFORE_CRASH,
    Trace.DOUBT: Reason.UNKNOWN_FATE,
}
"""What a turn ends as of which something is to be seen."""


class Recovery:
    """Examines turns that were interrupted."""

    def __init__(self, ports: Ports, clock: Clock, retries: RetryConfig) -> None:
        self._ports = ports
        self._clock = clock
        self._retries = retries

    async def recover(self, claim: Claim) -> Attempted | None:
        """Return how the last attempt of a turn ended; None if a new one may be made.

        Raise Concluded if it is over, or if the agent server can't say now.
        """
        turn = claim.turn
        if not turn.interrupted:
            return None
        try:
            attempted = await claim.do(self._examine(turn))
        except AgentError as error:
            log.info("Event %s: its run's end is not known yet: %s", turn.speaker.id, error.detail)
            turn.misses += 1
            raise Concluded(Again(self._retries.delay(turn.misses), late=True)) from error
        turn.interrupted = False
        if attempted is None and turn.input_id is not None:
            # Of an attempt that was broken off; crashes have a counter of their own (promise 7).
            turn.attempts = max(0, turn.attempts - 1)
            turn.run_id = turn.input_id = None
        return attempted

    async def _examine(self, turn: Turn) -> Attempted | None:
        if turn.crashes >= MOST_CRASHES:
            raise Concluded(End(await self._given_up(turn)))
        if turn.answer is not None:
            # Also if part of it is out: the rest is still to come.
            return _attempted(Finished(Outcome.COMPLETED, turn.answer))
        if turn.input_id is not None:
            await self._look_for_reply(turn)
        trace = await self._trace(turn)
        if trace in _SEEN:
            raise Concluded(End(_SEEN[trace]))
        if trace is Trace.END:
            # Whose time was over was told that it was.
            if self._clock.monotonic() >= turn.speaker.deadline:
                return None
            raise Concluded(End(Reason.CRASHED))
        recalled = await self._recall(turn)
        if recalled is None and trace is Trace.INTERIM:
            # Of a turn that had a visible effect there is no other run (promise 6).
            raise Concluded(End(Reason.CRASHED))
        return recalled

    async def _given_up(self, turn: Turn) -> Reason:
        try:
            trace = await self._trace(turn)
        except Concluded:
            raise
        except Exception as error:
            # This may be what Aurora stumbles over each time.
            log.exception("Event %s: nobody knows of an answer", turn.speaker.id, exc_info=error)
            return Reason.POISON
        return _SEEN.get(trace, Reason.POISON)

    async def _trace(self, turn: Turn) -> Trace:
        """Return what is to be seen of a turn; if nobody can look now, it is examined later."""
        trace = await self._ports.delivery.trace(turn)
        if trace is Trace.LATER:
            turn.misses += 1
            raise Concluded(Again(self._retries.delay(turn.misses)))
        return trace

    async def _look_for_reply(self, turn: Turn) -> None:
        """Note what an agent with Discord tools of its own sent while nobody watched."""
        tools = self._ports.toolbox.open(turn, turn.agent_id or "")
        if tools.watched:
            await tools.close(RUN_OVER)

    async def _recall(self, turn: Turn) -> Attempted | None:
        """Ask a server that keeps its runs; the others have forgotten by now."""
        backend = self._ports.backend()
        agent_id, conversation_id, input_id = turn.agent_id, turn.conversation_id, turn.input_id
        if not isinstance(backend, Recaller) or not (agent_id and conversation_id and input_id):
            return None
        try:
            finished = await backend.recall(Input(agent_id, conversation_id, "", input_id))
        except AgentError as error:
            if is_retryable(error):
                raise
            return None
        # Aurora itself cancels what runs when it is unloaded.
        if finished is None or finished.outcome is Outcome.CANCELLED:
            return None
        return _attempted(finished)


def _attempted(finished: Finished) -> Attempted:
    return Attempted(finished.outcome.reason, finished, said=Said((finished.text,)))
