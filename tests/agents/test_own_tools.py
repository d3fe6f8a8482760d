"""Tools of an agent's own: which get round Aurora's guard, and which may run."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from aurora.agents.own_tools import (
    MEMORY,
    Danger,
    OwnTools,
    danger_of,
    dangers,
    full_name,
    memory_tools,
)
from aurora.agents.protocol import AgentBackend, OwnTool
from aurora.reasons import AgentError, Outcome
from tests.support.clocks import FakeClock
from tests.support.scripts import ScriptedBackend

NETWORK = (
    *("web_search", "fetch_webpage", "fetch", "http_request", "curl", "wget", "browse"),
    *("browser_navigate", "requests_get", "tavily_search", "exa_search", "firecrawl_scrape"),
    *("download", "open_url", "webhook", "send_email", "slack_post_message", "upload_file"),
)


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


@pytest.mark.parametrize("name", ["conversation_search", "archival_memory_search"])
def test_a_tool_that_searches_is_known(name: str) -> None:
    """It finds what was said in other channels, and in direct messages."""
    assert danger_of(OwnTool(name)) is Danger.SEARCH


@pytest.mark.parametrize("name", NETWORK)
def test_a_tool_that_nobody_knows_is_a_danger(name: str) -> None:
    """All these names passed a list of forbidden ones, and each reaches the internet."""
    assert danger_of(OwnTool(name)) is Danger.UNKNOWN


@pytest.mark.parametrize("name", [*sorted(MEMORY), "send_message", "grep_files"])
def test_what_stays_within_the_agent_is_no_danger(name: str) -> None:
    """Its memory, its words, and the files that were given to it."""
    assert danger_of(OwnTool(name)) is None


@pytest.mark.parametrize(
    "tool",
    [
        OwnTool("send_message", "slack"),
        OwnTool("memory", "knowledge"),
        OwnTool("Send_Message"),
        OwnTool("mcp__slack__send_message"),
        OwnTool("send_message "),
        OwnTool(""),
    ],
)
def test_only_the_exact_name_of_the_servers_own_tool_is_harmless(tool: OwnTool) -> None:
    """What an MCP server calls so, or what is only similar, may be anything."""
    assert danger_of(tool) is Danger.UNKNOWN


def test_no_tool_is_both_asked_about_as_a_danger_and_offered_to_be_taken_off() -> None:
    """An MCP server's tool of such a name is a danger, and a search changes nothing."""
    tools = [*map(OwnTool, sorted(MEMORY)), OwnTool("memory", "notes"), OwnTool("send_message")]
    tools += [OwnTool("archival_memory_search"), OwnTool("Memory_Insert")]
    offered = memory_tools(tools)
    assert [tool.name for tool in offered] == sorted(MEMORY)
    assert dangers(offered) == {}


def test_dangers_are_sorted_by_what_they_do() -> None:
    """As the owner reads them; what was allowed is not asked again."""
    tools = [OwnTool("Bash"), OwnTool("lookup", "web"), OwnTool("discord_send"), OwnTool("shell")]
    assert dangers(tools) == {
        Danger.COMMANDS: ["Bash", "shell"],
        Danger.UNKNOWN: ["web/lookup"],
        Danger.DISCORD: ["discord_send"],
    }
    allowed = ["Bash", "web/lookup", "discord_send"]
    assert dangers(tools, allowed) == {Danger.COMMANDS: ["shell"]}


def test_a_tool_is_allowed_together_with_its_server() -> None:
    """Another MCP server's tool of that name is another tool."""
    assert full_name(OwnTool("lookup", "web")) == "web/lookup"
    assert dangers([OwnTool("lookup", "other")], ["web/lookup", "lookup"])


# -- asked again at each run


class Carrier(ScriptedBackend):
    """A server whose agents carry tools."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.tools_now = list(names)
        self.looks = 0

    async def own_tools(self, _agent_id: str) -> Sequence[OwnTool]:
        self.looks += 1
        return [OwnTool(name) for name in self.tools_now]


def looker(clock: FakeClock, *allowed: str) -> OwnTools:
    return OwnTools(lambda agent_id: allowed if agent_id == "a" else (), clock)


async def refused(own_tools: OwnTools, backend: AgentBackend, agent_id: str = "a") -> AgentError:
    with pytest.raises(AgentError) as error:
        await own_tools.admit(backend, agent_id, watched=False)
    return error.value


async def test_a_tool_that_came_later_is_seen_within_a_minute() -> None:
    """And in between nobody is asked: a mention pays for no look."""
    clock, backend = FakeClock(), Carrier("send_message")
    own_tools = looker(clock)
    for _ in range(3):
        assert await own_tools.admit(backend, "a", watched=False) == {"send_message"}
    assert backend.looks == 1
    backend.tools_now.append("run_code")
    await clock.advance(60)
    error = await refused(own_tools, backend)
    assert error.outcome is Outcome.OWN_TOOLS
    assert "`run_code`" in str(error.detail)
    assert "send_message" not in str(error.detail)


async def test_what_was_allowed_stays_so_and_nothing_else() -> None:
    """By name, and for this agent alone."""
    clock, backend = FakeClock(), Carrier("run_code")
    own_tools = looker(clock, "run_code")
    assert await own_tools.admit(backend, "a", watched=False) == {"run_code"}
    await refused(own_tools, backend, "b")
    backend.tools_now.append("shell")
    await clock.advance(60)
    assert "run_code" not in str((await refused(own_tools, backend)).detail)


async def test_a_watched_agent_may_have_discord_tools_and_no_shell() -> None:
    """That is what the mode is for."""
    own_tools, backend = looker(FakeClock()), Carrier("discord_send")
    assert await own_tools.admit(backend, "a", watched=True) == {"discord_send"}
    await refused(own_tools, backend)
    with pytest.raises(AgentError):
        await own_tools.admit(Carrier("discord_send", "Bash"), "a", watched=True)


async def test_another_server_is_asked_anew() -> None:
    """Its agent of that id is another one."""
    own_tools = looker(FakeClock())
    await own_tools.admit(Carrier(), "a", watched=False)
    await refused(own_tools, Carrier("Bash"))


async def test_a_server_whose_agents_can_have_none_is_not_asked() -> None:
    """An App Server locks each input to Aurora's tools."""
    assert await looker(FakeClock()).admit(ScriptedBackend(), "a", watched=False) == frozenset()


async def test_names_of_tools_are_cut_and_end_no_code() -> None:
    """They are whatever their makers typed, and admins read them."""
    backend = Carrier(*(f"x`{'y' * 500}{number}" for number in range(50)))
    detail = str((await refused(looker(FakeClock()), backend)).detail)
    assert len(detail) < 800
    assert "x`" not in detail
