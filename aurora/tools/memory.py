"""The agent's own memory as tools: memory_list, memory_read, memory_write, memory_delete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..agents.memory import Memory, MemoryRefused
from ..agents.protocol import ToolSpec
from ..guard.policy import Act, Target
from ..reasons import AgentError
from .arguments import Arguments, schema
from .tool import Call, Tool, ToolError

_PATH = {
    "type": "string",
    "description": "Path of the file, relative and with slashes, such as people/MEMORY.md",
}

_CHECK = "Whether the file was changed is unknown; read it before you try again."


def _memory(call: Call) -> Memory:
    if call.scope.memory is None:
        raise ToolError("Your server keeps no memory that could be reached from here.")
    return call.scope.memory


def _file(arguments: Arguments) -> Target:
    return Target(path=arguments.text("path"))


@contextmanager
def _in_words(undone: str = "", unknown: str = "Try again later.") -> Iterator[None]:
    """Say a refusal or a failure to the agent, with what it means for the change it asked for."""
    try:
        yield
    except MemoryRefused as refusal:
        raise ToolError(f"{undone}{refusal.message}") from refusal
    except AgentError as error:
        raise ToolError(f"Your memory could not be reached. {unknown}") from error


async def memory_list(call: Call) -> str:
    """Return the paths of all files."""
    with _in_words():
        paths = await _memory(call).memory_list(call.scope.agent_id)
    return "\n".join(paths) or "Your memory holds no files."


async def memory_read(call: Call) -> str:
    """Return the text of a file."""
    path = call.arguments.text("path")
    with _in_words():
        return await _memory(call).memory_read(call.scope.agent_id, path)


async def memory_write(call: Call) -> str:
    """Create or replace a file."""
    path, content = call.arguments.text("path"), call.arguments.text("content")
    with _in_words("Not written: ", _CHECK):
        await _memory(call).memory_write(call.scope.agent_id, path, content)
    return f"Written: {path} ({len(content)} characters)."


async def memory_delete(call: Call) -> str:
    """Delete a file."""
    path = call.arguments.text("path")
    with _in_words("Not deleted: ", _CHECK):
        await _memory(call).memory_delete(call.scope.agent_id, path)
    return f"Deleted: {path}."


MEMORY_TOOLS = (
    Tool(
        ToolSpec("memory_list", "List the files of your memory.", schema(())),
        Act.MEMORY_LIST,
        lambda _arguments: Target(),
        memory_list,
    ),
    Tool(
        ToolSpec("memory_read", "Read a file of your memory.", schema(("path",), path=_PATH)),
        Act.MEMORY_READ,
        _file,
        memory_read,
    ),
    Tool(
        ToolSpec(
            "memory_write",
            "Create or replace a file of your memory. What you write is kept for good and read "
            "in every place you talk in. A folder needs its index, <folder>/MEMORY.md, first.",
            schema(
                ("path", "content"),
                path=_PATH,
                content={"type": "string", "description": "The whole new text of the file"},
            ),
        ),
        Act.MEMORY_WRITE,
        _file,
        memory_write,
        alters=True,
    ),
    Tool(
        ToolSpec("memory_delete", "Delete a file of your memory.", schema(("path",), path=_PATH)),
        Act.MEMORY_DELETE,
        _file,
        memory_delete,
        alters=True,
    ),
)
