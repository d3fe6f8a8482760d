"""Tools of an agent's own that get round Aurora's guard: which they are, and what they do."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from .protocol import OwnTool


class Danger(StrEnum):
    """What a tool does behind Aurora's back."""

    DISCORD = "discord"
    COMMANDS = "commands"
    FILES = "files"


_DISCORD = "discord"
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
}
_DANGERS = {name: danger for danger, names in _NAMES.items() for name in names.split()}


def danger_of(tool: OwnTool) -> Danger | None:
    """Tell what is wrong with a tool; None if it stays within the agent."""
    if _DISCORD in tool.name.lower() or _DISCORD in tool.source.lower():
        return Danger.DISCORD
    # A client of several MCP servers may put the server's name before the tool's.
    name = tool.name.lower().replace("-", "_").rpartition("__")[2]
    return _DANGERS.get(name)


def dangers(tools: Iterable[OwnTool]) -> dict[Danger, list[str]]:
    """Return the names of those tools that get round Aurora's guard, by what they do."""
    found: dict[Danger, list[str]] = {}
    for tool in tools:
        danger = danger_of(tool)
        if danger is not None:
            found.setdefault(danger, []).append(tool.name)
    return found
