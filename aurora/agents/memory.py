"""The agent's own memory, as far as its server lets Aurora reach it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..reasons import AuroraError


class MemoryRefused(AuroraError):  # noqa: N818 - a refusal is an answer, not an error
    """The memory did not do what was asked; `message` says why, in words for the agent.

    Whoever raises it has already put the memory back to what it was before the call.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@runtime_checkable
class Memory(Protocol):
    """A tree of text files that belongs to one agent; paths are relative, with slashes.

    Every method raises AgentError when the server can't be asked; whether it changed anything is
    unknown then.
    """

    async def memory_list(self, agent_id: str) -> list[str]:
        """Return the paths of all files; raise MemoryRefused."""
        ...

    async def memory_read(self, agent_id: str, path: str) -> str:
        """Return the text of a file; raise MemoryRefused when there is none."""
        ...

    async def memory_write(self, agent_id: str, path: str, content: str) -> None:
        """Create or replace a file; raise MemoryRefused when the memory rejects it."""
        ...

    async def memory_delete(self, agent_id: str, path: str) -> None:
        """Delete a file; raise MemoryRefused when there is none or the memory rejects it."""
        ...
