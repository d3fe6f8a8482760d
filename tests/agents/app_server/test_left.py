"""Lost sockets, callers that leave and backends that close, on the real App Server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from aurora.agents.app_server import AppServer
from aurora.agents.protocol import Accepted, Finished, RunEvent, Text, ToolCalled
from aurora.reasons import AgentError, Outcome
from tests.support.agents.hosts import CALL, Tools, end_of_run, given, moved, play
from tests.support.agents.servers import SharedServer

pytestmark = pytest.mark.asyncio(loop_scope="package")


def open_files() -> int:
    """Count this process's open files and sockets; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def cut(backend: AppServer) -> None:
    """Drop the TCP connection without a close frame."""
    connection = backend._link._connection
    assert connection is not None
    response = connection._socket._response
    assert response.connection is not None
    assert response.connection.transport is not None
    response.connection.transport.abort()


async def play_and_cut(
    world: SharedServer, backend: AppServer, opened: str, text: str, tools: Tools, after: type
) -> list[RunEvent]:
    """Run a turn; drop the socket after the first event of a kind, once the model is asked."""
    events: list[RunEvent] = []
    before = len(world.llm.requests)

    async def cut_in_time() -> None:
        # Only what the model was asked is sure to be in the server's history.
        while not any(  # noqa: ASYNC110  # nobody is told
            opening(text) in asked(one) for one in world.llm.requests[before:]
        ):
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.15)
        cut(backend)

    async with asyncio.TaskGroup() as tasks:
        async for event in backend.run(given(world.agent, opened, text), tools):
            if isinstance(event, after) and not any(isinstance(one, after) for one in events):
                tasks.create_task(cut_in_time())
            events.append(event)
    return events


def asked(request: dict[str, Any]) -> str:
    """Return all that a request told the model."""
    return json.dumps(request["messages"])


def opening(text: str) -> str:
    """Return how a text begins, as JSON has it."""
    return json.dumps(text[:20])[1:-1]


async def until(backend: AppServer, one: Any, tools: Tools, kind: type) -> None:
    """Run a turn up to the first event of a kind, then leave it."""
    running = backend.run(one, tools)
    async for event in running:
        if isinstance(event, kind):
            break
    await asyncio.sleep(0.15)
    await running.aclose()


async def test_close_leaves_no_socket(world: SharedServer) -> None:
    """Aurora may be loaded and unloaded all day."""
    before = open_files()
    for _ in range(3):
        backend = world.backend()
        await backend.open_conversation(world.agent, "test")
        await backend.close()
    assert open_files() <= before


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("[[sleep:6]][[say:late]]", Accepted),
        ("[[slow:0.3]][[say:one two three four five six seven eight nine ten]]", Text),
        (f"{CALL}[[after:done]]", ToolCalled),
    ],
    ids=["before_the_first_token", "mid_text", "during_a_tool_call"],
)
async def test_a_lost_socket_loses_the_turn_and_the_next_run_is_answered_at_once(
    world: SharedServer, backend: AppServer, opened: str, text: str, after: type
) -> None:
    """The turn dies with its socket and is not sent again; a fork takes its place."""
    tools = Tools(delay=1.0)
    events = await play_and_cut(world, backend, opened, text, tools, after)
    assert end_of_run(events).outcome is Outcome.LOST
    assert end_of_run(events).text == ""
    assert len(tools.calls) == (after is ToolCalled)
    (fork,) = moved(events)
    async with asyncio.timeout(5):
        following = await play(backend, given(world.agent, fork, "[[say:next]]"))
    assert end_of_run(following) == Finished(Outcome.COMPLETED, "next")
    assert opening(text) in asked(world.llm.requests[-1])


@pytest.mark.parametrize(
    ("text", "later"),
    [("[[sleep:0.5]][[say:x]]", 0.8), ("[[sleep:8]][[say:x]]", 0)],
    ids=["refused", "queued"],
)
async def test_a_conversation_wedged_by_a_dead_aurora_is_forked(
    world: SharedServer, backend: AppServer, opened: str, text: str, later: float
) -> None:
    """The input that was refused, or queued behind the dead turn, is sent in the fork, once."""
    dead = world.backend()
    async for event in dead.run(given(world.agent, opened, text), Tools()):
        if isinstance(event, Accepted):
            await asyncio.sleep(0.2)
            dead._runs.closed = True
            for task in dead._runs._tasks:
                task.cancel()
            cut(dead)
            break
    await dead.close()
    cut(backend)
    await asyncio.sleep(0.1 + later)
    tools = Tools()
    async with asyncio.timeout(6):
        events = await play(backend, given(world.agent, opened, f"{CALL}[[after:here]]"), tools)
    assert len(tools.calls) == 1
    assert len(moved(events)) == 1
    assert events.count(Accepted()) == 1
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "here")


async def test_a_turn_of_another_process_does_not_block_the_lane(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """It is ended, or left behind in the old conversation; its tools don't run here."""
    other = world.backend()
    running = other.run(given(world.agent, opened, f"[[sleep:6]]{CALL}"), Tools())
    assert await anext(running) == Accepted()
    await asyncio.sleep(0.3)
    tools = Tools("discord_send", "discord_add_reaction")
    async with asyncio.timeout(5):
        events = await play(backend, given(world.agent, opened, "[[say:mine]]"), tools)
    await other.close()
    await running.aclose()
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "mine")
    assert tools.calls == []


async def test_a_run_left_while_it_waits_is_never_sent(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """Nobody wants it any more when its turn comes."""
    first = given(world.agent, opened, "[[sleep:0.4]][[say:first]]")
    running = asyncio.create_task(play(backend, first))
    waiting = asyncio.create_task(play(backend, given(world.agent, opened, "[[say:unwanted]]")))
    await asyncio.sleep(0.1)
    waiting.cancel()
    assert end_of_run(await running).text == "first"
    await play(backend, given(world.agent, opened, "[[say:last]]"))
    assert "unwanted" not in json.dumps(world.llm.requests[-1])


async def test_an_abort_while_the_model_is_silent_does_not_hold_the_lane(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """The server lets go with the model's first token only: the next run moves on."""
    await until(backend, given(world.agent, opened, "[[sleep:8]][[say:x]]"), Tools(), Accepted)
    async with asyncio.timeout(6):
        events = await play(backend, given(world.agent, opened, "[[say:next]]"))
    assert len(moved(events)) == 1
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "next")


async def test_an_abort_in_mid_text_frees_the_conversation(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """The next run stays where it is."""
    text = "[[slow:0.1]][[say:one two three four five six seven eight nine ten]]"
    await until(backend, given(world.agent, opened, text), Tools(), Text)
    events = await play(backend, given(world.agent, opened, "[[say:next]]"))
    assert moved(events) == []
    assert end_of_run(events).text == "next"


async def test_an_abort_ends_an_open_tool_call(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """The server waits for the tool's answer, so the host's call is cancelled and answered."""
    tools = Tools(delay=30)
    await until(backend, given(world.agent, opened, CALL), tools, ToolCalled)
    async with asyncio.timeout(6):
        events = await play(backend, given(world.agent, opened, "[[say:next]]"))
    assert moved(events) == []
    assert end_of_run(events).text == "next"


@pytest.mark.parametrize("seconds", [0, 0.02])
async def test_a_run_left_at_once_is_not_run_later(
    world: SharedServer, backend: AppServer, opened: str, seconds: float
) -> None:
    """However early the caller leaves, its input never mixes with the next."""
    tools = Tools()
    leaving = asyncio.create_task(play(backend, given(world.agent, opened, CALL), tools))
    await asyncio.sleep(seconds)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    events = await play(backend, given(world.agent, opened, "[[say:next]]"))
    called = len(tools.calls)
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "next")
    await asyncio.sleep(0.2)
    assert len(tools.calls) == called


async def test_close_in_mid_turn_ends_the_run_and_keeps_the_conversation_usable(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """It aborts first: a socket that just closed would leave a wedge."""
    closing = world.backend()
    text = "[[slow:0.1]][[say:one two three four five six seven eight]]"
    running = asyncio.create_task(play(closing, given(world.agent, opened, text)))
    await asyncio.sleep(0.3)
    await closing.close()
    assert end_of_run(await running).outcome is Outcome.CANCELLED
    events = await play(backend, given(world.agent, opened, "[[say:next]]"))
    assert moved(events) == []
    assert end_of_run(events).text == "next"


async def test_idle_conversations_of_a_lost_connection_are_forgotten(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """Or a long life would gather all there ever were; they start anew when they are used."""
    other = await backend.open_conversation(world.agent, "other")
    cut(backend)
    async with asyncio.timeout(6):
        while backend._conversations:  # noqa: ASYNC110  # nobody is told
            await asyncio.sleep(0.01)
    for conversation in (opened, other):
        events = await play(backend, given(world.agent, conversation, "[[say:still here]]"))
        assert (moved(events), end_of_run(events).text) == ([], "still here")


async def test_close_while_connecting_leaves_no_socket(world: SharedServer) -> None:
    """The one who was just connecting is told, and closes what it opened."""
    before = open_files()
    backend = world.backend()
    asking = asyncio.create_task(backend.agent(world.agent))
    await asyncio.sleep(0)
    await backend.close()
    with pytest.raises(AgentError, match="closed"):
        await asking
    assert open_files() <= before
