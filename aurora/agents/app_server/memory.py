"""An agent's memory files over the socket: list, read, write, delete, and undo what is refused.

The server keeps them in git and checks all of them at each commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

from ..frames import Frame, items, word
from ..memory import MemoryRefused
from .notes import INDEX_TEXT, indexes, shown_path, shown_text, stored_path, stored_text

_HOST_PATH = re.compile(r"(?<![\w.])/(?:[^\s/'\":]+/)+[^\s'\":]*")
_MOST_WORDS = 1500
_VERSION = re.compile(r"[0-9a-f]{7,64}")
_NEW = "new file mode "


class Memory:
    """The memory frames. `collect` sends one request and returns all frames of its answer."""

    def __init__(self, collect: Callable[[Frame], Awaitable[list[Frame]]]) -> None:
        self._collect = collect
        # The repository is checked as a whole: a refused write must be undone before the next.
        self._locks: dict[str, asyncio.Lock] = {}

    async def paths(self, agent_id: str) -> list[str]:
        """List the paths of all files."""
        frames = await self._ask("list_memory", agent_id)
        return sorted(
            shown_path(path)
            for frame in frames
            for entry in items(frame, "entries")
            if (path := word(entry, "relative_path"))
        )

    async def read(self, agent_id: str, path: str) -> str:
        """Return a file's text; raise MemoryRefused if there is none."""
        check_path(path)
        content = await self._content(agent_id, stored_path(path))
        if content is None:
            raise MemoryRefused(f"There is no memory file {path}.")
        return shown_text(path, content)

    async def write(self, agent_id: str, path: str, content: str) -> str:
        """Write a file; a refused one is put back as it was, then MemoryRefused says why.

        The folders of a note get their indexes first.
        """
        check_path(path)
        async with self._lock(agent_id):
            for index in indexes(path):
                if await self._content(agent_id, index) is None:
                    await self._change(agent_id, index, INDEX_TEXT)
            return await self._change(agent_id, stored_path(path), stored_text(path, content))

    async def delete(self, agent_id: str, path: str) -> str:
        """Delete a file; a refused deletion is undone, then MemoryRefused says why."""
        check_path(path)
        async with self._lock(agent_id):
            return await self._change(agent_id, stored_path(path), None, of=path)

    async def undo(self, agent_id: str, path: str, version: str) -> str:
        """Put a file back to what it was before a version, unless it was changed since."""
        check_path(path)
        stored = stored_path(path)
        if not _VERSION.fullmatch(version):
            raise MemoryRefused(f"It is not known which change of {path} that was.")
        async with self._lock(agent_id):
            frames = await self._ask("memory_history", agent_id, file_path=stored, limit=1)
            if version not in (word(one, "sha") for one in items(frames[-1], "commits")):
                raise MemoryRefused(f"{path} was changed since.")
            frames = await self._ask("memory_commit_diff", agent_id, sha=version)
            # What git says of a file that was not there depends on its language.
            if any(line.startswith(_NEW) for line in word(frames[-1], "diff").split("\n")):
                return await self._change(agent_id, stored, None, of=path)
            before = f"{version}^"
            frames = await self._ask("memory_file_at_ref", agent_id, file_path=stored, ref=before)
            return await self._change(agent_id, stored, word(frames[-1], "content"))

    def _lock(self, agent_id: str) -> asyncio.Lock:
        return self._locks.setdefault(agent_id, asyncio.Lock())

    async def _change(
        self, agent_id: str, path: str, content: str | None, of: str | None = None
    ) -> str:
        """Write a file, or delete it, and return the version; `of` is what people call it."""
        before = await self._content(agent_id, path)
        if content is None and before is None:
            raise MemoryRefused(f"There is no memory file {of or path}.")
        try:
            frames = await self._put(agent_id, path, content)
        except BaseException:
            # Shielded: a refused file that stays behind blocks every later commit.
            await asyncio.shield(self._restore(agent_id, path, before))
            raise
        return word(frames[-1], "commit_sha")

    async def _put(self, agent_id: str, path: str, content: str | None) -> list[Frame]:
        if content is None:
            message = f"Delete {path}"
            return await self._ask(
                "delete_memory_file", agent_id, path=path, commit_message=message
            )
        return await self._ask(
            "write_memory_file",
            agent_id,
            path=path,
            content=content,
            commit_message=f"Write {path}",
        )

    async def _restore(self, agent_id: str, path: str, before: str | None) -> None:
        with contextlib.suppress(MemoryRefused):
            await self._put(agent_id, path, before)

    async def _content(self, agent_id: str, path: str) -> str | None:
        try:
            frames = await self._ask("read_memory_file", agent_id, path=path)
        except MemoryRefused as refused:
            if "ENOENT" in str(refused):
                return None
            raise
        return word(frames[-1], "content")

    async def _ask(self, kind: str, agent_id: str, **fields: Any) -> list[Frame]:
        frames = await self._collect({"type": kind, "agent_id": agent_id, **fields})
        if frames[-1].get("success") is not True:
            raise MemoryRefused(plain(word(frames[-1], "error")))
        return frames


def check_path(path: str) -> None:
    """Refuse what is no memory file.

    The server keeps writes inside the memory folder, but `.git` lies in there: a written
    `.git/config` would run commands on its host at the next commit.
    """
    parts = path.split("/")
    if any(not one or one.startswith(".") or "\\" in one or "\0" in one for one in parts):
        raise MemoryRefused(
            "A memory path is relative, like people/alice.md; no part of it may be empty or "
            "begin with a dot."
        )
    if not path.endswith(".md"):
        raise MemoryRefused("Memory files are Markdown: the path must end in .md.")


def plain(error: str) -> str:
    """Make the server's refusal readable: no commands or paths of its host, no endless text."""
    lines = (line for line in error.splitlines() if not line.startswith("Command failed:"))
    words = _HOST_PATH.sub(lambda found: found[0].rsplit("/", 1)[-1], "\n".join(lines)).strip()
    return words[:_MOST_WORDS] or "The memory repository refused it without a reason."
