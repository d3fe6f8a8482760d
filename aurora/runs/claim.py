"""A turn that was taken, from there to its end or its return to the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

from ..errors import Permits
from ..model import Turn
from ..reasons import AuroraError, Reason

T = TypeVar("T")


class BrokenOffError(AuroraError):
    """What was being done for a turn was stopped; nothing more of it may get out."""


class WithheldError(BrokenOffError):
    """The turn must come to nothing."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class UnloadedError(BrokenOffError):
    """Aurora is being unloaded, and the turn is for the next one."""


class Plan(NamedTuple):
    """The attempt that a turn is expected to begin with: written with its start, in one commit.

    The turn itself takes it over when the attempt begins. Until then whatever is written of the
    turn gives the attempt back, and after a crash recovery does (promise 7).
    """

    agent_id: str
    conversation_id: str | None
    input_id: str

    def begun(self, turn: Turn) -> Turn:
        """Return a turn as it is once the attempt has begun."""
        return replace(turn, attempts=turn.attempts + 1, **self._asdict())


@dataclass(slots=True, eq=False)
class Claim:
    """A turn in the worker's hands: `task` brings it on.

    `withheld` has the reasons by message id, of the event that speaks or of others in the turn.
    `plan` is the attempt that was written with the start, and `permits` are the breakers' leave
    for one.
    """

    turn: Turn
    task: asyncio.Task[None] | None = None
    started: bool = False
    plan: Plan | None = None
    permits: Permits | None = None
    withheld: dict[int, Reason] = field(default_factory=dict)
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
        step = asyncio.create_task(work, name=f"aurora step: {self.turn.speaker.id}")
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


class Claims:
    """All claims of the worker, by the messages of their turns."""

    def __init__(self) -> None:
        self._by_message: dict[int, Claim] = {}

    def __iter__(self) -> Iterator[Claim]:
        """Iterate over the claims, each once."""
        return iter(dict.fromkeys(self._by_message.values()))

    def add(self, turn: Turn) -> Claim:
        """Claim a turn for all of its events."""
        claim = Claim(turn)
        self._by_message.update((event.message_id, claim) for event in turn.events)
        return claim

    def find(self, turn: Turn) -> Claim | None:
        """Return the claim of a turn, if there is one."""
        claim = self._by_message.get(turn.speaker.message_id)
        return claim if claim is not None and claim.turn is turn else None

    def release(self, claim: Claim) -> None:
        """Give a claim up for all events that it was made for."""
        # What has ended may have been revived, and claimed again, by now.
        mine = [key for key, one in self._by_message.items() if one is claim]
        for message_id in mine:
            del self._by_message[message_id]
