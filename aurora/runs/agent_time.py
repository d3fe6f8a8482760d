"""The time limit of an attempt: it is the agent's, and stands still while there is no server.

Neither the way to a server nor the search for one that was lost uses it up; both have a limit of
their own, after which the attempt ends as an outage does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ..agents.protocol import ConversationMoved, RunEvent, ServerFound, ServerLost
from ..clock import Clock
from ..reasons import AgentError, Outcome

AWAY_SECONDS = 120.0
"""How long an attempt may be without its server in all: longer than a lost one is looked for."""
AWAKE_SECONDS = 3.0
"""How soon a server that is well gives a sign of life."""


class AgentTime:
    """A stopwatch for the agent, and another for the time in which its server is away.

    Args:
        clock: the source of time.
        limit: seconds that the agent may take.
        ping: asks the server for a sign of life; raises AgentError.
        away_limit: seconds that its server may be away, the time until it took the input included.

    """

    def __init__(
        self,
        clock: Clock,
        limit: float,
        ping: Callable[[], Awaitable[None]],
        away_limit: float = AWAY_SECONDS,
    ) -> None:
        self.is_away = True
        """Whether the server is away, or has not taken the input yet."""
        self._clock = clock
        self._limit = limit
        self._ping = ping
        self._left = {True: away_limit, False: limit}
        self._since = clock.monotonic()
        self._changed = asyncio.Event()

    def saw(self, step: RunEvent) -> None:
        """Hear of a step of the run."""
        match step:
            case ServerLost():
                self._switch(away=True)
            case ServerFound(anew=True):
                # What the agent had done is done again from the start.
                self._give_all(away=False)
            case ConversationMoved():
                # That may be on the way there.
                pass
            case _:
                self._switch(away=False)

    async def wait(self) -> None:
        """Return when either time is up; `is_away` says which.

        A server that froze, or whose host is gone, says no more than an agent that thinks. So its
        server is asked, once, before an agent is called slow.
        """
        await self._run_down()
        if not self.is_away and (away := await self._was_away()) is not None:
            self._give_all(away=away)
            await self._run_down()

    async def _run_down(self) -> None:
        while (left := self._remaining()) > 0:
            self._changed.clear()
            await self._clock.wait(self._changed, left)

    async def _was_away(self) -> bool | None:
        """Tell whether the server is away now; None if it was there all the time."""
        asked = self._clock.monotonic()
        try:
            await self._ping()
        except AgentError as error:
            if error.outcome is Outcome.UNREACHABLE:
                return True
        return False if self._clock.monotonic() - asked > AWAKE_SECONDS else None

    def _give_all(self, *, away: bool) -> None:
        """Give the agent its whole time again: how much of it its server took is not known."""
        self._switch(away=away)
        self._left[False] = self._limit

    def _switch(self, *, away: bool) -> None:
        self._left[self.is_away] = self._remaining()
        self._since = self._clock.monotonic()
        self.is_away = away
        self._changed.set()

    def _remaining(self) -> float:
        return self._left[self.is_away] - (self._clock.monotonic() - self._since)
