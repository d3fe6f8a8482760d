"""Stopping: a person calls a run off, by a button, a reaction or a command."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ..agents.protocol import Abandoner, AgentBackend, ConversationKey
from ..model import Event, Turn
from ..queue import MessageQueue
from ..reasons import AgentError, Reason
from .cancelling import Cancelling, Running, Show, messages
from .ports import Delivery


class Stopping:
    """Ends what waits or runs for somebody, at once, and shows who has stopped it.

    Whoever calls this has asked the guard.
    """

    def __init__(
        self,
        queue: MessageQueue,
        cancelling: Cancelling,
        delivery: Delivery,
        backend: Callable[[], AgentBackend | None] = lambda: None,
    ) -> None:
        self._queue = queue
        self._cancelling = cancelling
        self._delivery = delivery
        self._backend = backend
        self._stopping: set[int] = set()

    async def stop(self, event: Event, user_id: int) -> bool:
        """Stop an event with those that run along with it, on behalf of a person.

        Its run is aborted on the agent's server, and nothing more of it gets out. False if there
        was nothing to stop any more, or somebody else is stopping it.
        """
        turn = self._queue.turn_of(event.message_id)
        if turn is None or turn.speaker.message_id in self._stopping:
            return False
        speaker, events = turn.speaker, turn.events
        self._stopping.add(speaker.message_id)
        try:
            self._abandon(turn)
            meant = messages({one.message_id for one in events})
            await self._cancelling.cancel(
                meant, Reason.STOPPED, running=Running.STOP, show=Show.NOBODY
            )
        finally:
            self._stopping.discard(speaker.message_id)
        stopped = [one for one in events if one.reason == Reason.STOPPED]
        if not stopped:
            return False
        await self._delivery.show_stopped(Turn(tuple(stopped)), user_id)
        return True

    def _abandon(self, turn: Turn) -> None:
        """Have a run aborted that nobody follows since its Aurora died."""
        backend, agent_id, conversation_id = self._backend(), turn.agent_id, turn.conversation_id
        known = turn.interrupted and agent_id and conversation_id
        if known and isinstance(backend, Abandoner):
            with suppress(AgentError):
                backend.abandon(ConversationKey(agent_id or "", conversation_id or ""))
