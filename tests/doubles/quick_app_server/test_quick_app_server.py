"""The double without a model, as Aurora's own backend meets it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from aurora.agents.app_server import AppServer
from aurora.agents.protocol import Finished, Input, RunEvent, ToolResult, ToolSpec
from aurora.reasons import AgentError, Outcome
from doubles.quick_app_server import Plan, QuickAppServer, channel_of

SEND = ToolSpec("discord_send", "Send.", {"type": "object", "properties": {}})


class Host:
    """Tools that note how they were called."""

    def __init__(self) -> None:
        self.specs = (SEND,)
        self.calls: list[Mapping[str, Any]] = []
        self.hold: asyncio.Event | None = None

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Note the call."""
        self.calls.append({"name": name, **arguments})
        if self.hold is not None:
            await self.hold.wait()
        return ToolResult("sent")


class Desk:
    """A server, its agent, and Aurora's backend in front of it."""

    def __init__(self, server: QuickAppServer, agent: str, backend: AppServer) -> None:
        self.server = server
        self.agent = agent
        self.backend = backend
        self.host = Host()

    async def ask(self, conversation: str, text: str = "hello", number: int = 1) -> list[RunEvent]:
        """Give the agent an input and follow it to its end."""
        given = Input(self.agent, conversation, text, f"input-{number}")
        return [event async for event in self.backend.run(given, self.host)]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A server that is up."""
    server = QuickAppServer(lambda text: Plan(f"you said {text}"))
    await server.start()
    agent = await server.create_agent("bot")
    backend = AppServer(server.url, server.token, abort_patience=0.2, reconnect_limit=2.0)
    yield Desk(server, agent, backend)
    await backend.close()
    await server.stop()


def end(events: list[RunEvent]) -> tuple[Outcome, str]:
    """Return how a turn ended."""
    last = events[-1]
    assert isinstance(last, Finished)
    return last.outcome, last.text


async def test_a_turn_brings_the_script_s_text(desk: Desk) -> None:
    """One conversation, two turns."""
    opened = await desk.backend.open_conversation(desk.agent, "test")
    assert end(await desk.ask(opened, "a")) == (Outcome.COMPLETED, "you said a")
    assert end(await desk.ask(opened, "b", 2)) == (Outcome.COMPLETED, "you said b")


async def test_calls_go_through_the_client(desk: Desk) -> None:
    """With leave asked, and in order."""
    calls = (("discord_send", {"n": 1}), ("discord_send", {"n": 2}))
    desk.server.script = lambda _text: Plan(calls=calls)
    opened = await desk.backend.open_conversation(desk.agent, "test")
    assert end(await desk.ask(opened)) == (Outcome.COMPLETED, "")
    assert [one["n"] for one in desk.host.calls] == [1, 2]


async def test_a_tool_that_was_not_offered_is_not_called(desk: Desk) -> None:
    """As on the real server: the turn goes on with an error."""
    desk.server.script = lambda _text: Plan("no shell", calls=(("Bash", {}),))
    opened = await desk.backend.open_conversation(desk.agent, "test")
    assert end(await desk.ask(opened)) == (Outcome.COMPLETED, "no shell")
    assert desk.host.calls == []


@pytest.mark.parametrize(
    ("error", "outcome"),
    [("500: {}", Outcome.FAILED), ("429: {}", Outcome.OVERLOADED), ("401: {}", Outcome.CONFIG)],
)
async def test_a_failing_provider_ends_the_turn(desk: Desk, error: str, outcome: Outcome) -> None:
    """With its status, as the real server words it."""
    desk.server.script = lambda _text: Plan(error=error)
    opened = await desk.backend.open_conversation(desk.agent, "test")
    assert end(await desk.ask(opened))[0] is outcome


async def test_an_unknown_agent_is_refused(desk: Desk) -> None:
    """It is a matter of configuration."""
    with pytest.raises(AgentError) as refused:
        await desk.backend.agent("agent-nobody")
    assert refused.value.outcome is Outcome.CONFIG


async def test_a_wrong_token_is_refused(desk: Desk) -> None:
    """At the door."""
    stranger = AppServer(desk.server.url, "wrong")
    with pytest.raises(AgentError, match="token"):
        await stranger.ping()
    await stranger.close()


async def test_a_used_input_id_is_taken_and_never_answered(desk: Desk) -> None:
    """A turn sent twice would otherwise run twice."""
    opened = await desk.backend.open_conversation(desk.agent, "test")
    await desk.ask(opened)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await desk.ask(opened)
    assert desk.server.inputs == 1


async def test_a_cut_line_loses_the_turn_and_wedges_the_conversation(desk: Desk) -> None:
    """The next turn goes on in a fork."""
    desk.server.script = lambda _text: Plan("late", delay=0.3)
    opened = await desk.backend.open_conversation(desk.agent, "test")
    running = asyncio.create_task(desk.ask(opened))
    while not desk.server.busy:  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.01)
    desk.server.cut()
    assert end(await running)[0] is Outcome.LOST
    events = await desk.ask(opened, number=2)
    assert end(events) == (Outcome.COMPLETED, "late")
    assert any(type(event).__name__ == "ConversationMoved" for event in events)


async def test_a_stopped_server_refuses_and_a_started_one_goes_on(desk: Desk) -> None:
    """What it had accepted it runs again by itself."""
    desk.server.script = lambda _text: Plan("after all", delay=0.2)
    opened = await desk.backend.open_conversation(desk.agent, "test")
    running = asyncio.create_task(desk.ask(opened))
    while not desk.server.busy:  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.01)
    await desk.server.stop()
    other = AppServer(desk.server.url, desk.server.token)
    with pytest.raises(AgentError, match="nothing answers"):
        await other.ping()
    await other.close()
    await desk.server.start()
    assert end(await running)[0] is Outcome.COMPLETED


async def test_an_abandoned_turn_is_aborted(desk: Desk) -> None:
    """The conversation is free again."""
    desk.server.script = lambda text: Plan("done", delay=0.2 if text == "slow" else 0.0)
    opened = await desk.backend.open_conversation(desk.agent, "test")
    running = asyncio.create_task(desk.ask(opened, "slow"))
    while not desk.server.busy:  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})
    assert end(await desk.ask(opened, "next", 2)) == (Outcome.COMPLETED, "done")


def test_a_prompt_says_where_it_was_asked() -> None:
    """Scripts that send need the channel."""
    assert channel_of('x\nChannel: #a (b) (ID: "12", type: text)\n') == "12"
    with pytest.raises(ValueError, match="no channel"):
        channel_of("hello")
