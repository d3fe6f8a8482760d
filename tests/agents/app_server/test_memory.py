"""An agent's memory on the real App Server."""

from __future__ import annotations

import pytest

from aurora.agents.app_server import AppServer, MemoryRefused
from tests.support.agents.servers import SharedServer

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_memory_is_read_written_and_deleted(world: SharedServer, backend: AppServer) -> None:
    """Whole files by their path."""
    await backend.memory_write(world.agent, "MEMORY.md", "# Memory\nhello\n")
    assert await backend.memory_read(world.agent, "MEMORY.md") == "# Memory\nhello\n"
    assert "MEMORY.md" in await backend.memory_list(world.agent)
    note = "---\nname: Note\ndescription: A note.\n---\nText.\n"
    await backend.memory_write(world.agent, "note.md", note)
    await backend.memory_delete(world.agent, "note.md")
    assert "note.md" not in await backend.memory_list(world.agent)
    with pytest.raises(MemoryRefused, match=r"no memory file note\.md"):
        await backend.memory_read(world.agent, "note.md")


async def test_a_refused_new_memory_file_is_gone_again(
    world: SharedServer, backend: AppServer
) -> None:
    """Left staged, it would block every later write."""
    with pytest.raises(MemoryRefused, match="frontmatter") as refused:
        await backend.memory_write(world.agent, "bad.md", "no frontmatter")
    assert str(world.server.home) not in str(refused.value)
    assert "git" not in str(refused.value)
    assert "bad.md" not in await backend.memory_list(world.agent)
    await backend.memory_write(world.agent, "MEMORY.md", "# Memory\nafter the refusal\n")
