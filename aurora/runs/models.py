"""Which model an agent has, for the books: its handle, as the server names it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..agents.protocol import AgentBackend
from ..clock import Clock
from ..reasons import AgentError

KNOWN_SECONDS = 600.0
"""For how long a model is taken for an agent's; who has changed it waits that long at most."""
PATIENCE_SECONDS = 2.0


class Models:
    """What is known of the agents' models; each is looked up beside a run that is under way."""

    def __init__(
        self,
        backend: Callable[[], AgentBackend | None],
        clock: Clock,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._backend = backend
        self._clock = clock
        self._patience = patience
        self._known: dict[tuple[str, str], tuple[str | None, float]] = {}

    async def of(self, agent_id: str) -> str | None:
        """Return the handle of an agent's model; None if the server does not tell it in time."""
        backend = self._backend()
        if backend is None:
            return None
        now, key = self._clock.monotonic(), (backend.url, agent_id)
        name, until = self._known.get(key, (None, now))
        if now < until:
            return name
        try:
            async with asyncio.timeout(self._patience):
                name = (await backend.model(agent_id)).name or name
        except (AgentError, TimeoutError):
            # The run must not wait for it again and again.
            pass
        self._known[key] = (name, now + KNOWN_SECONDS)
        return name
