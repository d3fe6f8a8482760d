"""Look at an agent before it is let in: that it exists, and what it could do by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from ..reasons import AgentError, Outcome
from ..words import servers as w
from .own_tools import Danger, OwnTools
from .protocol import AgentBackend, AgentInfo

PATIENCE_SECONDS = 15.0
"""How long a person who waits for it lets a server take to say whether it can be used."""


async def trouble_with(
    backend: AgentBackend, patience: float = PATIENCE_SECONDS
) -> AgentError | None:
    """Ask a server, for `patience` seconds, whether it can be used; return what is wrong."""
    try:
        async with asyncio.timeout(patience):
            await backend.ping()
    except AgentError as error:
        return error
    except TimeoutError:
        return AgentError(Outcome.UNREACHABLE, w.NO_ANSWER)
    return None


async def look_up(
    backend: AgentBackend, own_tools: OwnTools, agent_id: str, *, watched: bool
) -> tuple[AgentInfo, Mapping[Danger, Sequence[str]]]:
    """Return an agent, and its own tools that get round Aurora's guard and nobody has allowed.

    `watched` says that it may have Discord tools of its own. Raise AgentError if the server does
    not have it, or can't be asked.
    """
    agent = await backend.agent(agent_id)
    return agent, await own_tools.unallowed(backend, agent_id, watched=watched)
