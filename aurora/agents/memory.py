"""The agent's own memory, as far as its server lets Aurora reach it."""

from __future__ import annotations

import re
from typing import NamedTuple, Protocol, runtime_checkable

from ..ids import PEOPLE, PLACES, PRIVATE
from ..reasons import AuroraError

_LARGEST_ID = 2**63 - 1
# Small letters alone: to some file systems capitals are the same letters.
_NOTE = re.compile(
    rf"(?:({PEOPLE})/([1-9]\d{{0,18}})(/{PRIVATE})?|({PLACES})/([1-9]\d{{0,18}}))"
    r"/([a-z0-9][a-z0-9_-]{0,59})\.md",
    re.ASCII,
)
_INDEX = "memory"


class Note(NamedTuple):
    """A memory file about a person or a place; `private`, if it comes from a person's DMs."""

    about: str
    id: int
    private: bool
    name: str


def note_of(path: str) -> Note | None:
    """Read the path of a note: `people/<id>/<name>.md`, or below `dm/` there, or `places/`."""
    found = _NOTE.fullmatch(path)
    if found is None or found[6] == _INDEX:
        return None
    about, owner = (found[1], found[2]) if found[1] else (found[4], found[5])
    if int(owner) > _LARGEST_ID:
        return None
    return Note(about, int(owner), bool(found[3]), found[6])


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

    What changes it returns the version that it is in then, or nothing if it was so already.
    Every method raises AgentError when the server can't be asked; whether it changed anything is
    unknown then.
    """

    async def memory_list(self, agent_id: str) -> list[str]:
        """Return the paths of all files; raise MemoryRefused."""
        ...

    async def memory_read(self, agent_id: str, path: str) -> str:
        """Return the text of a file; raise MemoryRefused when there is none."""
        ...

    async def memory_write(self, agent_id: str, path: str, content: str) -> str:
        """Create or replace a file; raise MemoryRefused when the memory rejects it."""
        ...

    async def memory_delete(self, agent_id: str, path: str) -> str:
        """Delete a file; raise MemoryRefused when there is none or the memory rejects it."""
        ...

    async def memory_undo(self, agent_id: str, path: str, version: str) -> str:
        """Put a file back to what it was before a version; raise MemoryRefused.

        That is if it was changed since, or if what it was is not known.
        """
        ...
