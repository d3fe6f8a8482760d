"""A turn that was taken, from there to its end or its return to the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..model import Event
from ..reasons import AuroraError

T = TypeVar("T")


class BrokenOffError(AuroraError):
    """What was being done for a turn was stopped; nothing more of it may get out."""


class WithheldError(BrokenOffError):
    """The turn must come to nothing; the text is the reason."""


class UnloadedError(BrokenOffError):
    """Aurora is being unloaded, and the turn is for the next one."""


@dataclass(slots=True, eq=False)
class Claim:
    """A turn in the worker's hands: `task` brings it on.

    `withheld` has the reasons by message id, of the turn's own event or of others in it.
    """

    event: Event
    task: asyncio.Task[None] | None = None
    started: bool = False
    withheld: dict[int, str] = field(default_factory=dict)
    _step: asyncio.Task[Any] | None = None
    _broken_off: BrokenOffError | None = None

    def break_off(self, why: BrokenOffError) -> None:
        """Stop the step that is being done; no other is begun."""
        if self._broken_off is None and self._step is not None:
            self._step.cancel()
        # Of a deleted message nothing is to be left to a later Aurora either.
        if self._broken_off is None or isinstance(why, WithheldError):
            self._broken_off = why

    async def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do a step that can be broken off; raise BrokenOffError if it was."""
        step = asyncio.create_task(work, name=f"aurora step: {self.event.id}")
        self._step = step
        if self._broken_off is not None:
            step.cancel()
        try:
            await asyncio.wait({step})
        except asyncio.CancelledError:
            step.cancel()
            await asyncio.wait({step})
            raise
        if self._broken_off is not None:
            # An error of its own that it met while it was stopped is nobody's concern any more.
            step.cancelled() or step.exception()
            raise self._broken_off
        if step.cancelled():
            # Passed on, it would end the task that has to bring the turn to its end.
            raise RuntimeError("a step of the turn was cancelled from inside")
        return step.result()
