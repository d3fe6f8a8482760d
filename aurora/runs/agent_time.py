"""The time limit of an attempt: it is the agent's, and stands still while there is no server.

Neither the way to a server nor the search for one that was lost uses it up; both have a limit of
their own, after which the attempt ends as an outage does.
"""

from __future__ import annotations

import asyncio

from ..agents.protocol import Accepted, RunEvent, ServerFound, ServerLost
from ..clock import Clock

AWAY_SECONDS = 120.0
"""How long an attempt may be without its server in all: longer than a lost one is looked for."""


class AgentTime:
    """A stopwatch for the agent, and another for the time in which its server is away.

    Args:
        clock: the source of time.
        limit: seconds that the agent may take.
        away_limit: seconds that its server may be away, the time until it took the input included.

    """

    def __init__(self, clock: Clock, limit: float, away_limit: float = AWAY_SECONDS) -> None:
        self.is_away = True
        """Whether the server is away, or has not taken the input yet."""
        self._clock = clock
        self._limit = limit
        self._left = {True: away_limit, False: limit}
        self._since = clock.monotonic()
        self._changed = asyncio.Event()

    def saw(self, step: RunEvent) -> None:
        """Hear of a step of the run."""
        match step:
            case Accepted():
                self._switch(away=False)
            case ServerLost():
                self._switch(away=True)
            case ServerFound(anew):
                self._switch(away=False)
                if anew:
                    # What the agent had done is done again from the start.
                    self._left[False] = self._limit

    async def wait(self) -> None:
        """Return when either time is up; `is_away` says which."""
        while (left := self._remaining()) > 0:
            self._changed.clear()
            await self._clock.wait(self._changed, left)

    def _switch(self, *, away: bool) -> None:
        self._left[self.is_away] = self._remaining()
        self._since = self._clock.monotonic()
        self.is_away = away
        self._changed.set()

    def _remaining(self) -> float:
        return self._left[self.is_away] - (self._clock.monotonic() - self._since)
