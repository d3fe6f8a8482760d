"""Whether the agent's server can be used, as an admin wants to know it; a breaker says less."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from ..agents.lookup import trouble_with
from ..agents.protocol import AgentBackend
from ..reasons import Outcome
from ..words import Phrase, servers


class Line(StrEnum):
    """How it stands with the connection."""

    NO_ADDRESS = "no address"
    CONNECTED = "connected"
    AWAY = "away"
    REFUSED = "refused"
    SLOW = "slow"


class Connection(NamedTuple):
    """The connection at one moment.

    `detail`, for the owner alone, may name the server's address. `since`, in seconds since the
    epoch, is when the outage began for which the server was given up, None if it was not.
    """

    line: Line
    detail: Phrase | str = ""
    since: float | None = None


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
