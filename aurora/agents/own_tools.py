"""Tools of an agent's own that get round Aurora's guard: which they are, and who allowed them.

What is known to be harmless is listed by its exact name; of all else nobody knows what it does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from enum import StrEnum

from ..clock import Clock
from ..reasons import AgentError, Outcome
from ..words import servers as w
from .protocol import AgentBackend, OwnTool, ToolLister

_FRESH_SECONDS = 60.0
"""How long what an agent carries is taken for known: all runs of a minute share one look."""
_NAMES_SHOWN, _NAME_CHARS = 8, 60


class Danger(StrEnum):
    """What a tool does behind Aurora's back."""

    DISCORD = "discord"
    COMMANDS = "commands"
    FILES = "files"
    SEARCH = "search"  # in conversations of other places, and in what the agent noted there
    UNKNOWN = "unknown"


_DISCORD = "discord"
MEMORY = frozenset(
    (
        *("memory", "memory_insert", "memory_replace", "memory_rethink", "memory_apply_patch"),
        *("memory_str_insert", "memory_str_replace", "memory_finish_edits"),
        *("core_memory_append", "core_memory_replace", "archival_memory_insert"),
        *("core_memory_insert", "rethink_memory", "rethink_user_memory"),
        *("finish_rethinking_memory", "store_memories"),
    )
)
"""Letta's tools with which an agent changes its own memory, on its server."""
_HARMLESS = MEMORY | {
    # What the agent says with it comes to Aurora like any text.
    "send_message",
    # They look into the files that the agent was given on its server, and into no others.
    *("open_files", "grep_files", "semantic_search_files"),
}
# Names of Letta's own tools, of the toolsets that Letta Code gives each kind of model, and of
# common MCP servers; in small letters, with underscores.
_NAMES = {
    Danger.COMMANDS: (
        "run_code run_code_with_tools code_interpreter python execute_code execute_python "
        "bash bashoutput killbash taskoutput taskstop shell shell_command run_shell_command "
        "exec exec_command write_stdin execute_command run_command terminal computer computer_use "
        "task agent"
    ),
    Danger.FILES: (
        "read write edit multiedit notebookedit ls glob grep apply_patch "
        "read_file read_many_files write_file edit_file create_file delete_file move_file replace "
        "str_replace_editor str_replace_based_edit_tool list_dir list_directory grep_file_content "
        "search_file_content view_image"
    ),
    Danger.SEARCH: (
        "conversation_search conversation_search_date archival_memory_search recall_memory_search"
    ),
}
_DANGERS = {name: danger for danger, names in _NAMES.items() for name in names.split()}


def full_name(tool: OwnTool) -> str:
    """Name a tool with the MCP server that it is taken from: two servers may have one each."""
    return f"{tool.source}/{tool.name}" if tool.source else tool.name


def danger_of(tool: OwnTool) -> Danger | None:
    """Tell what is wrong with a tool; None if it stays within the agent."""
    if _DISCORD in tool.name.lower() or _DISCORD in tool.source.lower():
        return Danger.DISCORD
    if tool.name in _HARMLESS and not tool.source:
        return None
    # A client of several MCP servers may put the server's name before the tool's.
    name = tool.name.lower().replace("-", "_").rpartition("__")[2]
    return _DANGERS.get(name, Danger.UNKNOWN)


def memory_tools(tools: Iterable[OwnTool]) -> list[OwnTool]:
    """Return those by which what is said in one place gets into another, all of them Letta's."""
    return [tool for tool in tools if tool.name in MEMORY and not tool.source]


def dangers(tools: Iterable[OwnTool], allowed: Collection[str] = ()) -> dict[Danger, list[str]]:
    """Return the names of the tools that get round Aurora's guard, by what they do.

    Those that were `allowed` by exactly this name are left out.
    """
    found: dict[Danger, list[str]] = {}
    for tool in tools:
        danger, name = danger_of(tool), full_name(tool)
        if danger is not None and name not in allowed:
            found.setdefault(danger, []).append(name)
    return found


class OwnTools:
    """What agents carry, as it was last looked at, and whether they may run with it.

    `allowed` returns the names that the bot's owner has allowed an agent.
    """

    def __init__(self, allowed: Callable[[str], Collection[str]], clock: Clock) -> None:
        self._allowed = allowed
        self._clock = clock
        self._backend: AgentBackend | None = None
        self._seen: dict[str, tuple[float, Sequence[OwnTool]]] = {}

    async def look(self, backend: AgentBackend, agent_id: str) -> Sequence[OwnTool]:
        """Return what an agent carries now; raise AgentError."""
        if not isinstance(backend, ToolLister):
            return ()
        tools = await backend.own_tools(agent_id)
        if backend is not self._backend:
            self._backend, self._seen = backend, {}
        self._seen[agent_id] = self._clock.monotonic() + _FRESH_SECONDS, tools
        return tools

    async def unallowed(
        self, backend: AgentBackend, agent_id: str, *, watched: bool
    ) -> dict[Danger, list[str]]:
        """Return what an agent carries now that nobody has allowed; raise AgentError.

        `watched` says that it may have Discord tools of its own.
        """
        return self._unallowed(agent_id, await self.look(backend, agent_id), watched=watched)

    async def admit(
        self, backend: AgentBackend, agent_id: str, *, watched: bool
    ) -> frozenset[str]:
        """Return the names of an agent's own tools that may run, as of the last minute.

        Raise AgentError: OWN_TOOLS if it has one that nobody has allowed.
        """
        until, tools = self._seen.get(agent_id, (0.0, ()))
        if backend is not self._backend or self._clock.monotonic() >= until:
            tools = await self.look(backend, agent_id)
        found = self._unallowed(agent_id, tools, watched=watched)
        if found:
            names = [name for some in found.values() for name in some]
            raise AgentError(
                Outcome.OWN_TOOLS, w.UNALLOWED_TOOLS(agent=agent_id, tools=_listed(names))
            )
        return frozenset(tool.name for tool in tools)

    def searches(self, agent_id: str) -> bool:
        """Tell whether an agent, as last looked at, may search other places' conversations."""
        _, tools = self._seen.get(agent_id, (0.0, ()))
        return any(danger_of(tool) is Danger.SEARCH for tool in tools)

    def _unallowed(
        self, agent_id: str, tools: Sequence[OwnTool], *, watched: bool
    ) -> dict[Danger, list[str]]:
        found = dangers(tools, self._allowed(agent_id))
        if watched:
            found.pop(Danger.DISCORD, None)
        return found


def _listed(names: Sequence[str]) -> str:
    """Write names as an admin may read them; they are whatever their makers typed."""
    shown = ", ".join(f"`{name[:_NAME_CHARS].replace('`', '')}`" for name in names[:_NAMES_SHOWN])
    return shown + (" …" if len(names) > _NAMES_SHOWN else "")
