"""The memory tools: an agent's files, and refusals in plain words."""

from __future__ import annotations

from aurora.agents.memory import MemoryRefused
from aurora.agents.protocol import ToolResult
from aurora.tools.host import RunTools, Toolbox

from ..clocks import FakeClock
from .stage import Stage


class Files:
    """A memory that, as the real one, refuses a folder without an index."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], str] = {}

    async def memory_list(self, agent_id: str) -> list[str]:
        return sorted(path for owner, path in self.files if owner == agent_id)

    async def memory_read(self, agent_id: str, path: str) -> str:
        if (agent_id, path) not in self.files:
            raise MemoryRefused(f"There is no file {path}.")
        return self.files[agent_id, path]

    async def memory_write(self, agent_id: str, path: str, content: str) -> None:
        folder, _, name = path.rpartition("/")
        if folder and name != "MEMORY.md" and (agent_id, f"{folder}/MEMORY.md") not in self.files:
            raise MemoryRefused(f"{folder} needs its index, {folder}/MEMORY.md, first.")
        self.files[agent_id, path] = content

    async def memory_delete(self, agent_id: str, path: str) -> None:
        await self.memory_read(agent_id, path)
        del self.files[agent_id, path]


async def tools_of(stage: Stage, files: Files, agent_id: str = "agent-1") -> RunTools:
    toolbox = Toolbox(stage.bot, stage.store, stage.sender, FakeClock(), memory=lambda: files)
    return toolbox.open(await stage.ask(), agent_id)


async def test_a_file_is_written_listed_read_and_deleted(stage: Stage) -> None:
    """The four tools together."""
    tools = await tools_of(stage, Files())
    written = await tools.call("memory_write", {"path": "MEMORY.md", "content": "Ada is kind"})
    listed = await tools.call("memory_list", {})
    read = await tools.call("memory_read", {"path": "MEMORY.md"})
    deleted = await tools.call("memory_delete", {"path": "MEMORY.md"})
    assert not written.is_error
    assert listed == ToolResult("MEMORY.md")
    assert read == ToolResult("Ada is kind")
    assert not deleted.is_error
    assert (await tools.call("memory_list", {})).text == "Your memory holds no files."


async def test_a_refusal_reaches_the_agent_in_its_words(stage: Stage) -> None:
    """The validator's reason is what the agent needs to do better."""
    tools = await tools_of(stage, Files())
    arguments = {"path": "people/ada.md", "content": "kind"}
    result = await tools.call("memory_write", arguments)
    assert result.is_error
    assert "people needs its index, people/MEMORY.md, first." in result.text


async def test_a_missing_file_is_named(stage: Stage) -> None:
    """Reading and deleting nothing say so."""
    tools = await tools_of(stage, Files())
    for name in ("memory_read", "memory_delete"):
        result = await tools.call(name, {"path": "none.md"})
        assert result.is_error
        assert "none.md" in result.text


async def test_agents_have_their_own_memories(stage: Stage) -> None:
    """The agent of the run is the one whose memory is meant."""
    files = Files()
    mine, other = await tools_of(stage, files, "a"), await tools_of(stage, files, "b")
    await mine.call("memory_write", {"path": "x.md", "content": "of a"})
    assert (await other.call("memory_list", {})).text != "x.md"
