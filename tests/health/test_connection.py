"""The connection as an admin sees it: asked for when somebody looks, and since when it is gone."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from aurora.agents.protocol import AgentBackend
from aurora.health.connection import Connection, Line, look
from aurora.reasons import AgentError, Outcome
from aurora.words import Phrase, servers


def server(error: AgentError | None = None, *, silent: bool = False) -> AgentBackend:
    """Return a server that answers, refuses, or is silent."""

    class Server:
        async def ping(self) -> None:
            if silent:
                await asyncio.Event().wait()
            if error is not None:
                raise error

    found: Any = Server()
    return cast("AgentBackend", found)


@pytest.mark.parametrize(
    ("outcome", "detail", "line"),
    [
        (Outcome.CONFIG, servers.REFUSED_TOKEN, Line.REFUSED),
        (Outcome.CONFIG, servers.NO_APP_SERVER_AT_PATH, Line.REFUSED),
        (Outcome.UNREACHABLE, servers.NOT_REACHED, Line.AWAY),
        (Outcome.UNREACHABLE, servers.NO_ANSWER, Line.SLOW),
        (Outcome.BUSY, "their own words", Line.AWAY),
    ],
)
async def test_each_trouble_is_told_for_what_it_is(
    outcome: Outcome, detail: Phrase | str, line: Line
) -> None:
    """A refused token is no server that is away, whatever the breaker says."""
    found = await look(server(AgentError(outcome, detail)), 1.0, 5.0)
    assert found == Connection(line, detail, 5.0)


async def test_without_an_address_there_is_no_connection() -> None:
    """The breaker of nobody is closed, and that is nothing to look at."""
    assert await look(None, 1.0, None) == Connection(Line.NO_ADDRESS)


async def test_a_server_that_answers_is_connected_and_a_silent_one_is_not_waited_for() -> None:
    """Who looks during an outage wants to know now."""
    assert await look(server(), 20.0, None) == Connection(Line.CONNECTED)
    assert (await look(server(silent=True), 0.01, None)).line is Line.SLOW
