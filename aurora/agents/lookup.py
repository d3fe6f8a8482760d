"""Look at an agent before it is let in: that it exists, and what it could do by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from ..reasons import AgentError, Outcome
from ..words import servers as w
from .own_tools import Danger, dangers
from .protocol import AgentBackend, AgentInfo, ToolLister

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
    backend: AgentBackend, agent_id: str, *, watched: bool
) -> tuple[AgentInfo, Mapping[Danger, Sequence[str]]]:
    """Return an agent, and its own tools that get round Aurora's guard.

    `watched` says that it may have Discord tools of its own. Raise AgentError if the server does
    not have it, or can't be asked.
    """
    agent = await backend.agent(agent_id)
    own = await backend.own_tools(agent_id) if isinstance(backend, ToolLister) else ()
    found = dangers(own)
    if watched:
        found.pop(Danger.DISCORD, None)
    return agent, found
