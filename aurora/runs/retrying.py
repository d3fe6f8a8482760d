"""A second chance for events that ended without an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ..ledger import Store, Where
from ..model import Event, EventContext, Kind, State, Trace, Turn
from ..queue import Enqueued, MessageQueue
from ..reasons import Reason

RETRIED = (State.FAILED, State.EXPIRED, State.CANCELLED)
"""What may be tried again. What was declined got the agent's verdict."""
NotRetried = State | Trace | Reason
"""Why an event is not tried again: the state it is in, what is to be seen of it, or a reason."""
# What was cancelled was cancelled by somebody, for a reason.
_ENDED_BY_ITSELF = (State.FAILED, State.EXPIRED)
_RETRIED_AT_ONCE = 25
_SEEN = (Trace.ANSWER, Trace.QUESTION, Trace.LATER, Trace.DOUBT, Trace.INTERIM)


class Reread(NamedTuple):
    """What a message is now: its text was forgotten when its event ended."""

    kind: Kind
    context: EventContext


@dataclass(frozen=True, slots=True)
class Retries:
    """Lets ended events wait again.

    `trace` finds out what of an event is to be seen in Discord; `reread` reads its message anew
    and checks whether it may be answered, or returns the reason why not.
    """

    store: Store
    queue: MessageQueue
    trace: Callable[[Turn], Awaitable[Trace]]
    reread: Callable[[Event], Awaitable[Reread | Reason]]
    _examined: set[int] = field(default_factory=set)

    async def retry(self, event: Event, *, own: bool = False) -> NotRetried | None:
        """Let an ended event wait again; return the reason why not, or None.

        If its author wants that, it is one of their `own` turns; see MessageQueue.revive.
        """
        if event.message_id in self._examined:
            # The same message, twice at once, would be answered twice.
            return Reason.DUPLICATE
        self._examined.add(event.message_id)
        try:
            return await self._retry(event, own=own)
        finally:
            self._examined.remove(event.message_id)

    async def _retry(self, event: Event, *, own: bool) -> NotRetried | None:
        if event.state not in RETRIED:
            return event.state
        if (seen := await self._seen(event)) is not None:
            return seen
        found = await self.reread(event)
        if isinstance(found, Reason):
            return found
        event.kind, event.context = found.kind, found.context
        answer = await self.queue.revive(event, own=own)
        return None if answer is Enqueued.ACCEPTED else Reason(answer)

    async def latest(self, place: Where) -> list[Event]:
        """Return the latest events of a place that failed or expired, oldest first."""
        listed = await self.store.recent(place, states=_ENDED_BY_ITSELF, limit=_RETRIED_AT_ONCE)
        return [one.event for one in reversed(listed)]

    async def _seen(self, event: Event) -> Trace | None:
        """Find out what is to be seen of an event, or of the turn that it was answered in."""
        found = await self.trace(Turn((event,)))
        if found not in _SEEN and event.turn_id is not None:
            turn = await self.store.turn(event.turn_id)
            if turn is not None and turn.speaker.id != event.id:
                found = await self.trace(turn)
        return found if found in _SEEN else None
