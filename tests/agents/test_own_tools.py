"""Tools of an agent's own: which get round Aurora's guard."""

from __future__ import annotations

import pytest

from aurora.agents.own_tools import Danger, danger_of, dangers
from aurora.agents.protocol import OwnTool


@pytest.mark.parametrize(
    "tool",
    [
        OwnTool("discord_send"),
        OwnTool("discord-send"),
        OwnTool("Discord_delete_channel"),
        OwnTool("mcp__discord__send"),
        OwnTool("send_to_discord"),
        OwnTool("send", "my-discord"),
        OwnTool("send", "Discord"),
    ],
)
def test_a_tool_for_discord_is_known_by_its_name_or_its_server(tool: OwnTool) -> None:
    """However the MCP server was called."""
    assert danger_of(tool) is Danger.DISCORD


@pytest.mark.parametrize(
    "name",
    [
        "run_code",
        "Bash",
        "bash",
        "shell",
        "exec",
        "exec-command",
        "terminal",
        "computer",
        "mcp__box__execute_command",
        "run_shell_command",
        "Task",
    ],
)
def test_a_tool_that_runs_commands_is_known(name: str) -> None:
    """With them an agent can call Discord itself."""
    assert danger_of(OwnTool(name)) is Danger.COMMANDS


@pytest.mark.parametrize("name", ["Edit", "Write", "Read", "write_file", "apply_patch"])
def test_a_tool_for_files_is_known(name: str) -> None:
    """The bot's token is in one."""
    assert danger_of(OwnTool(name)) is Danger.FILES


@pytest.mark.parametrize(
    "tool",
    [
        OwnTool("conversation_search"),
        OwnTool("archival_memory_search"),
        OwnTool("core_memory_replace"),
        OwnTool("memory_insert"),
        OwnTool("web_search"),
        OwnTool("grep_files"),
        OwnTool("lookup", "weather"),
        OwnTool(""),
    ],
)
def test_what_stays_within_the_agent_is_no_danger(tool: OwnTool) -> None:
    """Its memory, and the files that were given to it."""
    assert danger_of(tool) is None


def test_dangers_are_sorted_by_what_they_do() -> None:
    """As the owner reads them."""
    tools = [OwnTool("Bash"), OwnTool("web_search"), OwnTool("discord_send"), OwnTool("shell")]
    assert dangers(tools) == {
        Danger.COMMANDS: ["Bash", "shell"],
        Danger.DISCORD: ["discord_send"],
    }
