"""Whether the agent's server can be used, as an admin wants to know it; a breaker says less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from ..agents.lookup import trouble_with
from ..agents.protocol import AgentBackend
from ..clock import Clock
from ..errors import BreakerState
from ..reasons import Outcome
from ..words import Phrase, servers


class Line(StrEnum):
    """How it stands with the connection."""

    NO_ADDRESS = "no address"
    CONNECTED = "connected"
    LOST = "lost"
    REFUSED = "refused"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection at one moment.

    `detail`, for the owner alone, may name the server's address. `since`, in seconds since the
    epoch, is when the server was given up, None if it was not yet.
    """

    line: Line
    detail: Phrase | str = ""
    since: float | None = None


@dataclass(slots=True)
class Connections:
    """Asks the agent's server when somebody looks, and remembers since when it is gone."""

    clock: Clock
    backend: Callable[[], AgentBackend | None] = field(repr=False)
    since: float | None = None

    def changed(self, key: str | None, old: BreakerState, new: BreakerState) -> None:
        """Hear of a change of a breaker; the server's (None) is tried again and again."""
        if key is None and new is BreakerState.CLOSED:
            self.since = None
        elif key is None and old is BreakerState.CLOSED:
            self.since = self.clock.time()

    async def look(self, patience: float) -> Connection:
        """Ask the server, for `patience` seconds."""
        backend = self.backend()
        if backend is None:
            return Connection(Line.NO_ADDRESS)
        error = await trouble_with(backend, patience)
        if error is None:
            return Connection(Line.CONNECTED)
        if error.detail == servers.NO_ANSWER:
            return Connection(Line.SLOW, error.detail, self.since)
        line = Line.REFUSED if error.outcome is Outcome.CONFIG else Line.LOST
        return Connection(line, error.detail, self.since)
