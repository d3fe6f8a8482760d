"""Who follows an attempt's stream besides itself: a list, to which others are added."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from ..agents.protocol import (
    Accepted,
    ModelCalled,
    Reasoning,
    RunEvent,
    ServerLost,
    ToolCalled,
    ToolHost,
    ToolReturned,
    Usage,
)
from ..model import Turn
from ..queue import MessageQueue
from .models import Models

log = logging.getLogger("red.aurora.worker")


@runtime_checkable
class Observer(Protocol):
    """Hears each step of one attempt, in order; the next is read when it returns."""

    async def saw(self, step: RunEvent) -> None:
        """Hear of a step; what this raises ends the attempt."""
        ...


Observing = Callable[[Turn, ToolHost], Observer]
"""Makes the observer of one attempt, given its turn and the tools that it offers."""


class Log:
    """Tells the log, and whoever watches the turn, which tools the agent calls; no content."""

    def __init__(self, queue: MessageQueue, turn: Turn, tools: ToolHost) -> None:
        self._queue = queue
        self._turn = turn
        self._offered = {spec.name for spec in tools.specs}
        self._reasoned = False

    async def saw(self, step: RunEvent) -> None:
        """Note calls, their ends, and that the agent reasons."""
        name = self._turn.speaker.id
        match step:
            case ToolCalled():
                # A name that the model made up may hold anything.
                shown = step.name if step.name in self._offered else "an unknown tool"
                log.info("Event %s: the agent calls %s", name, shown)
                self._queue.tell(self._turn, "tool", shown)
            case ToolReturned():
                how = "failed" if step.is_error else "succeeded"
                log.info("Event %s: the call %s", name, how)
            case Reasoning() if not self._reasoned:
                self._reasoned = True
                log.info("Event %s: the agent is reasoning", name)


class Tokens:
    """Counts what a turn's attempts cost, and notes by which model.

    Until the server has told what a call of the model cost it is unmetered: so whatever breaks
    the attempt off, what is kept of the turn says that there may be more.
    """

    def __init__(self, models: Models, turn: Turn, _tools: ToolHost) -> None:
        self._models = models
        self._turn = turn
        # Whether a call is about to be made, of which the server has said nothing yet.
        self._expected = False
        self._open = 0

    async def saw(self, step: RunEvent) -> None:
        """Add the tokens of a step."""
        turn = self._turn
        match step:
            case Accepted():
                self._expect()
                turn.model = turn.using or await self._models.of(turn.agent_id or "")
            case ToolReturned():
                # The model is to read of it.
                self._expect()
            case ModelCalled():
                if not self._expected:
                    self._owe(1)
                self._expected = False
            case ServerLost():
                # What it told meanwhile nobody has heard.
                turn.unmetered += 1
            case Usage():
                self._expected = False
                self._owe(-min(step.calls, self._open))
                turn.prompt_tokens += step.prompt_tokens
                turn.completion_tokens += step.completion_tokens
                turn.cached_tokens += step.cached_tokens

    def _expect(self) -> None:
        if not self._expected:
            self._expected = True
            self._owe(1)

    def _owe(self, calls: int) -> None:
        self._open += calls
        self._turn.unmetered += calls
