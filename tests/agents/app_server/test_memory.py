"""An agent's memory on the real App Server."""

from __future__ import annotations

import pytest

from aurora.agents.app_server import AppServer, MemoryRefused
from doubles.llm import text_parts
from tests.support.agents.hosts import given, play
from tests.support.agents.servers import SharedServer

_NOTES = ("people/120034/cats.md", "people/120034/dm/vault.md", "places/120034/rules.md")

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


async def test_a_note_just_works_and_is_in_no_prompt(
    world: SharedServer, backend: AppServer
) -> None:
    """Folders get their indexes; the system prompt of a new conversation has no word of it.

    Neither of the note, nor of its index, nor its name: of all notes it tells one folder.
    """
    for path in _NOTES:
        await backend.memory_write(world.agent, path, f"---\nname: odd words\n---\nXYZZY {path}\n")
        assert path in await backend.memory_list(world.agent)
        assert await backend.memory_read(world.agent, path) == f"XYZZY {path}\n"
    conversation = await backend.open_conversation(world.agent, "another")
    world.llm.requests.clear()
    await play(backend, given(world.agent, conversation, "[[say:hello]]"))
    (request,) = world.llm.requests
    seen = "\n".join(part for one in request["messages"] for part in text_parts(one))
    assert '<directory path="people/" index="people/MEMORY.md" />' in seen
    for words in (
        "XYZZY",
        "120034",
        "cats.md",
        "vault",
        "rules.md",
        "odd words",
        "Aurora keeps",
        "kept by Aurora",
    ):
        assert words not in seen, words


async def test_a_change_is_undone_unless_the_file_was_changed_since(
    world: SharedServer, backend: AppServer
) -> None:
    """Written anew, written first and deleted: each goes back to what was before it."""
    path = "people/124/facts.md"
    first = await backend.memory_write(world.agent, path, "one")
    second = await backend.memory_write(world.agent, path, "two")
    assert await backend.memory_write(world.agent, path, "two") == ""
    with pytest.raises(MemoryRefused, match="changed since"):
        await backend.memory_undo(world.agent, path, first)
    with pytest.raises(MemoryRefused, match="not known"):
        await backend.memory_undo(world.agent, path, "--output=x")
    await backend.memory_undo(world.agent, path, second)
    assert await backend.memory_read(world.agent, path) == "one"
    deleted = await backend.memory_delete(world.agent, path)
    await backend.memory_undo(world.agent, path, deleted)
    assert await backend.memory_read(world.agent, path) == "one"
    other = "people/124/dm/new.md"
    await backend.memory_undo(
        world.agent, other, await backend.memory_write(world.agent, other, "x")
    )
    assert other not in await backend.memory_list(world.agent)
