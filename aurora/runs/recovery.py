"""What became of a turn that was broken off: by a crash, an unload or a fault of Aurora's own.

A turn that had a visible effect is never run again (DESIGN promise 6), and one that keeps
crashing Aurora is given up (promise 7).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ..agents.protocol import (
    AgentError,
    Finished,
    Input,
    Outcome,
    Recaller,
)
from ..clock import Clock
from ..errors import is_retryable
from ..model import Event, State
from ..reasons import Reason
from .attempt import RUN_OVER
from .ports import Ports, Trace, Watcher

log = logging.getLogger("red.aurora.worker")

MOST_CRASHES = 3
"""How often Aurora may crash on an event before it is given up."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A turn that ended without anybody writing it down."""

    state: State
    reason: Reason


class Recovery:
    """Examines turns that were interrupted."""

    def __init__(self, ports: Ports, clock: Clock) -> None:
        self._ports = ports
        self._clock = clock

    async def examine(self, event: Event) -> Ended | Finished | None:
        """Return how the turn ended, or how its run did; None if it may run again.

        Raises AgentError while the agent server can't say.
        """
        if event.crashes >= MOST_CRASHES:
            return await self._give_up(event)
        if event.answer is not None:
            # Also if part of it is out: the rest is still to come.
            return Finished(Outcome.COMPLETED, event.answer)
        if event.input_id is not None:
            await self._look_for_reply(event)
        match await self._ports.delivery.trace(event):
            case Trace.ANSWER:
                return Ended(State.ANSWERED, Reason.SENT_BEFORE_CRASH)
            case Trace.DOUBT:
                return Ended(State.FAILED, Reason.UNKNOWN_FATE)
            case Trace.ELSEWHERE:
                return Ended(State.FAILED, Reason.CRASHED)
            case Trace.END:
                # Whose time was over was told that it was.
                late = self._clock.monotonic() >= event.deadline
                return None if late else Ended(State.FAILED, Reason.CRASHED)
        return await self._recall(event)

    async def _give_up(self, event: Event) -> Ended:
        try:
            trace = await self._ports.delivery.trace(event)
        except Exception as error:
            # This may be what Aurora stumbles over each time.
            log.exception("Event %s: nobody knows of an answer", event.id, exc_info=error)
            trace = Trace.NOTHING
        if trace is Trace.ANSWER:
            return Ended(State.ANSWERED, Reason.SENT_BEFORE_CRASH)
        return Ended(State.FAILED, Reason.UNKNOWN_FATE if trace is Trace.DOUBT else Reason.POISON)

    async def _look_for_reply(self, event: Event) -> None:
        """Note what an agent with Discord tools of its own sent while nobody watched."""
        tools = self._ports.toolbox.open(event, event.agent_id or "")
        if isinstance(tools, Watcher):
            await tools.close(RUN_OVER)

    async def _recall(self, event: Event) -> Finished | None:
        """Ask a server that keeps its runs; the others have forgotten by now."""
        backend = self._ports.backend()
        agent_id, conversation_id, input_id = event.agent_id, event.conversation_id, event.input_id
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
        return finished
