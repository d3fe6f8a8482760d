"""What every store keeps of changes to agents' memories: who asked for them, where and when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from ..model import MemoryChange

KEPT_OF_A_FILE = 20
"""How many changes of one file are kept; the latest says where what stands in it was written."""


class MemoryLog(Protocol):
    """The changes that were asked for through Aurora; none of them holds a file's text."""

    async def record_memory(self, change: MemoryChange) -> int:
        """Keep a change that is about to be made, and return its number."""
        ...

    async def settle_memory(
        self, number: int, version: str | None, place: tuple[int | None, int | None] | None = None
    ) -> None:
        """Keep what a change came to; None is a change that was not made, and is dropped.

        `place` replaces its channel and guild.
        """
        ...

    async def memory_change(self, number: int) -> MemoryChange | None:
        """Return a change by its number."""
        ...

    async def memory_changes(self, agent_id: str, path: str) -> Sequence[MemoryChange]:
        """Return the latest changes of a file, newest first."""
        ...

    async def memory_places(self, agent_id: str) -> Mapping[str, int | None]:
        """Return in which channel each file that was not deleted was changed last, by its path."""
        ...

    async def memory_agents(self) -> Collection[str]:
        """Return the agents of whose memory changes are known."""
        ...

    async def memory_log(self, limit: int, guild_id: int | None = None) -> Sequence[MemoryChange]:
        """Return the latest changes of all agents' memories, newest first; or those of a guild."""
        ...
