"""What Aurora itself does with agents' memories: undo a change, and forget a person."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from ..agents.memory import Memory, MemoryRefused, note_of
from ..clock import Clock
from ..guard.remembering import MemoryGuard
from ..ids import person_folder
from ..ledger import Store
from ..model import MemoryChange
from ..reasons import AgentError, ExplainedError
from ..settings import Settings
from ..words import clause
from ..words import memory as w

log = logging.getLogger("red.aurora.tools")

FORGET_SECONDS = 30.0
"""How long the deletion of a person's data waits for one agent's memory."""


class NotUndone(ExplainedError):  # noqa: N818 - a refusal is an answer, not an error
    """A change can't be undone; the bot's owner reads why."""


class Memories:
    """The memories of all agents. `memory` returns what may be them now: the backend in use."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        guard: MemoryGuard,
        clock: Clock,
        memory: Callable[[], object],
    ) -> None:
        self._settings = settings
        self._store = store
        self._guard = guard
        self._clock = clock
        self._memory = memory

    async def undo(self, change: MemoryChange, user_id: int) -> bool:
        """Put a file back to what it was before a change, for the owner; raise NotUndone.

        False if it is not known where that was written, so that nobody reads it as a note.
        """
        memory = self._memory()
        if not isinstance(memory, Memory):
            raise NotUndone(w.NO_MEMORY)
        if not change.version:
            raise NotUndone(w.NO_VERSION(number=change.number))
        async with self._guard.lock(change.agent_id):
            place = await self._place_before(change)
            # Until it is done nobody reads the file: what stands there is from the one place or
            # from the other.
            number = await self._store.record_memory(
                change._replace(
                    act="undo",
                    author_id=user_id,
                    channel_id=None,
                    guild_id=None,
                    turn_id="",
                    at=self._clock.time(),
                    length=0,
                    version="",
                )
            )
            try:
                version = await memory.memory_undo(change.agent_id, change.path, change.version)
            except MemoryRefused as refusal:
                await self._store.settle_memory(number, None)
                raise NotUndone(w.REFUSED(why=clause(refusal.message))) from refusal
            except AgentError as error:
                raise NotUndone(w.UNKNOWN_FATE(why=clause(error.detail))) from error
            await self._store.settle_memory(number, version, place)
        return place is not None or note_of(change.path) is None

    async def _place_before(self, change: MemoryChange) -> tuple[int | None, int | None] | None:
        """Return where that was written which a change took the place of."""
        changes = await self._store.memory_changes(change.agent_id, change.path)
        earlier = [one for one in changes if one.number < change.number and one.version]
        if not earlier or earlier[0].act == "delete":
            return None
        return earlier[0].channel_id, earlier[0].guild_id

    async def agents(self) -> set[str]:
        """Return the agents that may have notes: those that are set, and those that once wrote."""
        return self._settings.agents() | set(await self._store.memory_agents())

    async def forget(self, user_id: int, agents: Collection[str]) -> None:
        """Delete the notes about a person from the memories of agents, as far as that works."""
        memory = self._memory()
        if not isinstance(memory, Memory):
            return
        for agent_id in sorted(agents):
            try:
                async with asyncio.timeout(FORGET_SECONDS), self._guard.lock(agent_id):
                    await _forget(memory, agent_id, person_folder(user_id))
            except (MemoryRefused, AgentError, TimeoutError) as error:
                log.warning(
                    "Notes about a person who is to be forgotten may still be in the memory of "
                    "agent %s: %s",
                    agent_id,
                    type(error).__name__,
                )


async def _forget(memory: Memory, agent_id: str, folder: str) -> None:
    """Delete a folder; its index comes last, for the server wants one while there is a file."""
    paths = [path for path in await memory.memory_list(agent_id) if path.startswith(folder)]
    for path in sorted(paths, key=lambda path: note_of(path) is None):
        await memory.memory_delete(agent_id, path)
