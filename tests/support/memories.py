"""Agents' memories that need no server."""

from __future__ import annotations

from aurora.agents.memory import MemoryRefused


class Files:
    """A Memory; it keeps every version, as the real one does."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], str] = {}
        self._before: dict[str, tuple[str, str, str | None]] = {}

    async def memory_list(self, agent_id: str) -> list[str]:
        """List an agent's files."""
        return sorted(path for owner, path in self.files if owner == agent_id)

    async def memory_read(self, agent_id: str, path: str) -> str:
        """Read one."""
        if (agent_id, path) not in self.files:
            raise MemoryRefused(f"There is no memory file {path}.")
        return self.files[agent_id, path]

    async def memory_write(self, agent_id: str, path: str, content: str) -> str:
        """Write one."""
        return self._put(agent_id, path, content)

    async def memory_delete(self, agent_id: str, path: str) -> str:
        """Delete one."""
        await self.memory_read(agent_id, path)
        return self._put(agent_id, path, None)

    async def memory_undo(self, agent_id: str, path: str, version: str) -> str:
        """Put one back, if that version is its latest."""
        latest = [key for key, one in self._before.items() if one[:2] == (agent_id, path)][-1:]
        if latest != [version]:
            raise MemoryRefused(f"{path} was changed since.")
        return self._put(agent_id, path, self._before[version][2])

    def _put(self, agent_id: str, path: str, content: str | None) -> str:
        before = self.files.get((agent_id, path))
        if content == before:
            return ""
        version = f"{len(self._before):07x}"
        self._before[version] = (agent_id, path, before)
        if content is None:
            del self.files[agent_id, path]
        else:
            self.files[agent_id, path] = content
        return version
