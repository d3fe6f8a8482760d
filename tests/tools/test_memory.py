"""The memory tools: an agent's files, and refusals in plain words."""

from __future__ import annotations

import pytest

from aurora.agents.app_server.memory import Memory as ServerMemory
from aurora.agents.frames import Frame
from aurora.agents.memory import MemoryRefused
from aurora.agents.protocol import ToolResult
from aurora.reasons import AgentError, Outcome
from aurora.tools.host import RunTools, Toolbox
from tests.support.stage import Stage, together


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


class OnServer:
    """The App Server's memory, on a server that has no file and refuses what it is told to."""

    def __init__(self, refusal: str | None = None) -> None:
        self._refusal = refusal
        memory = ServerMemory(self._collect)
        self.memory_list = memory.paths
        self.memory_read = memory.read
        self.memory_write = memory.write
        self.memory_delete = memory.delete

    async def _collect(self, frame: Frame) -> list[Frame]:
        if self._refusal is None:
            raise AgentError(Outcome.UNREACHABLE, "ws://10.0.0.7:8080 is closed")
        if frame["type"] == "read_memory_file":
            return [{"success": False, "error": "ENOENT: no such file or directory"}]
        return [{"success": False, "error": self._refusal}]


async def tools_of(stage: Stage, files: Files | OnServer, agent_id: str = "agent-1") -> RunTools:
    toolbox = Toolbox(
        stage.bot, stage.store, stage.sender, stage.guard, stage.clock, memory=lambda: files
    )
    return toolbox.open(together(await stage.ask()), agent_id)


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


@pytest.mark.parametrize("name", ["memory_read", "memory_delete"])
async def test_the_app_server_has_no_such_file(stage: Stage, name: str) -> None:
    """Its refusals are told as refusals, not as a mistake in Aurora."""
    tools = await tools_of(stage, OnServer("no"))
    result = await tools.call(name, {"path": "none.md"})
    assert result.is_error
    assert "There is no memory file none.md." in result.text


async def test_the_app_servers_reason_reaches_the_agent(stage: Stage) -> None:
    """The agent can mend what it is told of."""
    tools = await tools_of(stage, OnServer("note.md: missing frontmatter"))
    result = await tools.call("memory_write", {"path": "note.md", "content": "x"})
    assert result == ToolResult("Not written: note.md: missing frontmatter", True)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("memory_list", "Try again later"),
        ("memory_read", "Try again later"),
        ("memory_write", "unknown"),
        ("memory_delete", "unknown"),
    ],
)
async def test_a_lost_server_is_told_plainly(stage: Stage, name: str, advice: str) -> None:
    """Neither its address nor a mistake of Aurora's: what the agent can do about it."""
    tools = await tools_of(stage, OnServer())
    result = await tools.call(name, {"path": "x.md", "content": "x"})
    assert result.is_error
    assert "could not be reached" in result.text
    assert advice in result.text
    assert "10.0.0.7" not in result.text


async def test_agents_have_their_own_memories(stage: Stage) -> None:
    """The agent of the run is the one whose memory is meant."""
    files = Files()
    mine, other = await tools_of(stage, files, "a"), await tools_of(stage, files, "b")
    await mine.call("memory_write", {"path": "x.md", "content": "of a"})
    assert (await other.call("memory_list", {})).text != "x.md"
