"""Whether the agent's server can be used, as an admin wants to know it; a breaker says less."""

from __future__ import annotations

from dataclasses import dataclass
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
    AWAY = "away"
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


class Outage:
    """Since when the agent's server is given up, as its breaker tells."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.since: float | None = None

    def changed(self, key: str | None, old: BreakerState, new: BreakerState) -> None:
        """Hear of a change of a breaker: the server's is the one without a key."""
        if key is None and new is BreakerState.CLOSED:
            self.since = None
        elif key is None and old is BreakerState.CLOSED:
            self.since = self._clock.time()


async def look(backend: AgentBackend | None, patience: float, since: float | None) -> Connection:
    """Ask the server, for `patience` seconds, whether it can be used."""
    if backend is None:
        return Connection(Line.NO_ADDRESS)
    error = await trouble_with(backend, patience)
    if error is None:
        return Connection(Line.CONNECTED)
    if error.detail == servers.NO_ANSWER:
        return Connection(Line.SLOW, error.detail, since)
    line = Line.REFUSED if error.outcome is Outcome.CONFIG else Line.AWAY
    return Connection(line, error.detail, since)
