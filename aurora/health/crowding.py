"""Who asks for more at a time than one person may have running is told that the rest waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..clock import Clock, Throttle, sleep
from ..ids import task_id
from ..model import Event, State
from ..queue import MessageQueue
from ..settings import Settings
from ..words import Phrase
from ..words import notices as w

WORTH_A_WORD_SECONDS = 3.0
"""How long somebody's event has waited by then; most have their turn before."""
_EVERY_SECONDS = 60.0


class Crowding:
    """Tells people, once a minute at most, why their next question waits.

    `notice` posts a text in reply to an event's message, once. What is said `first` to the author
    of a new event, be it nothing, is said before.
    """

    def __init__(
        self,
        queue: MessageQueue,
        settings: Settings,
        notice: Callable[[Event, Phrase], Awaitable[None]],
        clock: Clock,
        *,
        first: Callable[[Event], Awaitable[None]],
    ) -> None:
        self._queue = queue
        self._settings = settings
        self._notice = notice
        self._clock = clock
        self._first = first
        self._told = Throttle(clock, _EVERY_SECONDS)

    async def greet(self, event: Event) -> None:
        """Tell the author of a new event, if it waits for other runs of theirs to end."""
        await self._first(event)
        if not self._crowded(event):
            return
        await sleep(self._clock, WORTH_A_WORD_SECONDS)
        if event.state is not State.WAITING or not self._crowded(event):
            return
        if self._told.allow(event.author_id):
            task = f"`{task_id(event.id)}`"
            await self._notice(event, w.CROWDED(count=self._most(event), task=task))

    def _most(self, event: Event) -> int:
        return self._settings.guild(event.guild_id).user_runs

    def _crowded(self, event: Event) -> bool:
        return self._queue.held(f"user:{event.author_id}") >= self._most(event)
