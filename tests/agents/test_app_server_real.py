"""The backend against the real App Server with the scripted model behind it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from aurora.agents.app_server import AppServer, MemoryRefused
from aurora.agents.protocol import (
    Accepted,
    AgentError,
    ConversationMoved,
    Finished,
    Outcome,
    RunEvent,
    Text,
    ToolCalled,
    ToolReturned,
)
from sandbox.letta import AppServer as Server
from sandbox.llm import ScriptedLLM

from .hosts import Tools, play, turn

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALL = '[[tool:discord_send {"message":"hi"}]]'


@dataclass
class World:
    """One server, one agent, one model; each test has conversations of its own."""

    server: Server
    llm: ScriptedLLM
    agent: str

    def backend(self, **options: Any) -> AppServer:
        return AppServer(self.server.url, self.server.token, **options)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Start the server once for all."""
    llm = ScriptedLLM()
    await llm.start()
    home: Path = tmp_path_factory.mktemp("letta")
    server = await Server.start(home, llm_url=llm.url, llm_key=llm.key, model=llm.model)
    yield World(server, llm, await server.create_agent("bot"))
    await server.stop()
    await llm.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def backend(world: World) -> AsyncIterator[AppServer]:
    """A backend that must leave no task behind."""
    one = world.backend(abort_patience=0.5)
    yield one
    await one.close()
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("aurora")] == []


@pytest_asyncio.fixture(loop_scope="module")
async def opened(world: World, backend: AppServer) -> str:
    """A new conversation."""
    return await backend.open_conversation(world.agent, "test")


def end(events: list[RunEvent]) -> Finished:
    """Return the last event."""
    assert isinstance(events[-1], Finished)
    return events[-1]


def moved(events: list[RunEvent]) -> list[str]:
    """Return the conversations a run moved to."""
    return [event.conversation_id for event in events if isinstance(event, ConversationMoved)]


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
    backend: AppServer, agent: str, opened: str, text: str, tools: Tools, after: type
) -> list[RunEvent]:
    """Run a turn and drop the socket a moment after the first event of a kind."""
    events: list[RunEvent] = []
    async for event in backend.run(turn(agent, opened, text), tools):
        if isinstance(event, after) and not any(isinstance(one, after) for one in events):
            asyncio.get_running_loop().call_later(0.15, cut, backend)
        events.append(event)
    return events


async def until(backend: AppServer, one: Any, tools: Tools, kind: type) -> None:
    """Run a turn up to the first event of a kind, then leave it."""
    running = backend.run(one, tools)
    async for event in running:
        if isinstance(event, kind):
            break
    await asyncio.sleep(0.15)
    await running.aclose()


async def test_close_leaves_no_socket(world: World) -> None:
    """Aurora may be loaded and unloaded all day."""
    before = open_files()
    for _ in range(3):
        backend = world.backend()
        await backend.open_conversation(world.agent, "test")
        await backend.close()
    assert open_files() <= before


async def test_the_agent_is_found_by_its_id(world: World, backend: AppServer) -> None:
    """The name is the server's."""
    assert (await backend.agent(world.agent)).name == "bot"
    await backend.ping()


async def test_an_unknown_agent_is_a_configuration_error(backend: AppServer) -> None:
    """The text says which."""
    with pytest.raises(AgentError, match="agent-local-nobody not found") as refused:
        await backend.agent("agent-local-nobody")
    assert refused.value.outcome is Outcome.CONFIG
    with pytest.raises(AgentError, match="not found"):
        await backend.open_conversation("agent-local-nobody", "x")


async def test_a_text_turn_completes(world: World, backend: AppServer, opened: str) -> None:
    """Accepted first, the text whole at the end."""
    events = await play(backend, turn(world.agent, opened, "[[say:hello there]]"))
    assert isinstance(events[0], Accepted)
    assert end(events) == Finished(Outcome.COMPLETED, "hello there")


async def test_a_tool_turn_calls_the_host(world: World, backend: AppServer, opened: str) -> None:
    """The model reads what the host returned, then ends its turn with text."""
    tools = Tools()
    text = f"[[say:let me see]]{CALL}[[after:all done]]"
    events = await play(backend, turn(world.agent, opened, text), tools)
    assert tools.calls == [("discord_send", {"message": "hi"})]
    assert end(events).text == "all done"
    assert "sent message 3003" in json.dumps(world.llm.requests[-1])


async def test_only_the_hosts_tools_are_on_offer(
    world: World, backend: AppServer, opened: str
) -> None:
    """No shell, no file tool, whatever the server has."""
    await play(backend, turn(world.agent, opened, "[[say:x]]"), Tools("discord_send", "other"))
    offered = [tool["function"]["name"] for tool in world.llm.requests[-1]["tools"]]
    assert sorted(offered) == ["discord_send", "other"]


async def test_a_call_of_bash_fails_and_the_turn_goes_on(
    world: World, backend: AppServer, opened: str, tmp_path: Path
) -> None:
    """A model that makes a tool up is told so."""
    mark = tmp_path / "mark"
    text = f'[[tool:Bash {{"command":"touch {mark}"}}]][[after:no shell]]'
    events = await play(backend, turn(world.agent, opened, text))
    assert [event.is_error for event in events if isinstance(event, ToolReturned)] == [True]
    assert end(events) == Finished(Outcome.COMPLETED, "no shell")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(401, Outcome.CONFIG), (429, Outcome.OVERLOADED), (500, Outcome.FAILED)],
)
async def test_a_provider_error_ends_the_run_and_the_next_works(
    world: World, backend: AppServer, opened: str, status: int, outcome: Outcome
) -> None:
    """The conversation is not harmed."""
    last = end(await play(backend, turn(world.agent, opened, f"[[err:{status}]]")))
    assert (last.outcome, last.text) == (outcome, "")
    after = await play(backend, turn(world.agent, opened, "[[say:works]]"))
    assert end(after).text == "works"


async def test_a_stream_dropped_once_counts_once(
    world: World, backend: AppServer, opened: str
) -> None:
    """The server tries again by itself and says everything a second time."""
    words = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    text = f"[[drop*1]][[slow:0.02]][[say:{words}]]"
    events = await play(backend, turn(world.agent, opened, text))
    assert len({event.message_id for event in events if isinstance(event, Text)}) == 2
    assert end(events).text == words


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("[[sleep:2]][[say:late]]", Accepted),
        ("[[slow:0.3]][[say:one two three four five six seven eight nine ten]]", Text),
        (f"{CALL}[[after:done]]", ToolCalled),
    ],
    ids=["before_the_first_token", "mid_text", "during_a_tool_call"],
)
async def test_a_lost_socket_loses_the_turn_and_the_next_run_is_answered_at_once(
    world: World, backend: AppServer, opened: str, text: str, after: type
) -> None:
    """The turn dies with its socket and is not sent again; a fork takes its place."""
    tools = Tools(delay=1.0)
    events = await play_and_cut(backend, world.agent, opened, text, tools, after)
    assert end(events).outcome is Outcome.LOST
    assert end(events).text == ""
    assert len(tools.calls) == (after is ToolCalled)
    (fork,) = moved(events)
    async with asyncio.timeout(1.5):
        following = await play(backend, turn(world.agent, fork, "[[say:next]]"))
    assert end(following) == Finished(Outcome.COMPLETED, "next")
    history = json.dumps(world.llm.requests[-1]["messages"])
    assert text[:20].replace('"', '\\"') in history


@pytest.mark.parametrize(
    ("text", "later"),
    [("[[sleep:0.5]][[say:x]]", 0.8), ("[[sleep:3]][[say:x]]", 0)],
    ids=["refused", "queued"],
)
async def test_a_conversation_wedged_by_a_dead_aurora_is_forked(
    world: World, backend: AppServer, opened: str, text: str, later: float
) -> None:
    """The input that was refused, or queued behind the dead turn, is sent in the fork, once."""
    dead = world.backend()
    async for event in dead.run(turn(world.agent, opened, text), Tools()):
        if isinstance(event, Accepted):
            await asyncio.sleep(0.2)
            dead._closed = True
            for task in dead._tasks:
                task.cancel()
            cut(dead)
            break
    await dead.close()
    cut(backend)
    await asyncio.sleep(0.1 + later)
    tools = Tools()
    async with asyncio.timeout(2):
        events = await play(backend, turn(world.agent, opened, f"{CALL}[[after:here]]"), tools)
    assert len(tools.calls) == 1
    assert len(moved(events)) == 1
    assert events.count(Accepted()) == 1
    assert end(events) == Finished(Outcome.COMPLETED, "here")


async def test_a_turn_of_another_process_does_not_block_the_lane(
    world: World, backend: AppServer, opened: str
) -> None:
    """It is ended, or left behind in the old conversation; its tools don't run here."""
    other = world.backend()
    running = other.run(turn(world.agent, opened, f"[[sleep:2]]{CALL}"), Tools())
    assert await anext(running) == Accepted()
    await asyncio.sleep(0.3)
    tools = Tools("discord_send", "discord_add_reaction")
    async with asyncio.timeout(1.8):
        events = await play(backend, turn(world.agent, opened, "[[say:mine]]"), tools)
    await other.close()
    await running.aclose()
    assert end(events) == Finished(Outcome.COMPLETED, "mine")
    assert tools.calls == []


async def test_a_run_waits_for_the_one_before_it(
    world: World, backend: AppServer, opened: str
) -> None:
    """One input at a time, or the server would make one turn of two."""
    first = turn(world.agent, opened, "[[sleep:0.4]][[say:first]]")
    second = turn(world.agent, opened, "[[say:second]]")
    results = await asyncio.gather(play(backend, first), play(backend, second))
    assert [end(events).text for events in results] == ["first", "second"]


async def test_a_run_left_while_it_waits_is_never_sent(
    world: World, backend: AppServer, opened: str
) -> None:
    """Nobody wants it any more when its turn comes."""
    first = turn(world.agent, opened, "[[sleep:0.4]][[say:first]]")
    running = asyncio.create_task(play(backend, first))
    waiting = asyncio.create_task(play(backend, turn(world.agent, opened, "[[say:unwanted]]")))
    await asyncio.sleep(0.1)
    waiting.cancel()
    assert end(await running).text == "first"
    await play(backend, turn(world.agent, opened, "[[say:last]]"))
    assert "unwanted" not in json.dumps(world.llm.requests[-1])


async def test_conversations_run_in_parallel(world: World, backend: AppServer) -> None:
    """A slow one holds up no other."""
    slow, fast = [await backend.open_conversation(world.agent, name) for name in ("a", "b")]
    waiting = asyncio.create_task(
        play(backend, turn(world.agent, slow, "[[sleep:1]][[say:slow]]"))
    )
    await asyncio.sleep(0.1)
    assert end(await play(backend, turn(world.agent, fast, "[[say:fast]]"))).text == "fast"
    assert not waiting.done()
    assert end(await waiting).text == "slow"


async def test_an_abort_while_the_model_is_silent_does_not_hold_the_lane(
    world: World, backend: AppServer, opened: str
) -> None:
    """The server lets go with the model's first token only: the next run moves on."""
    await until(backend, turn(world.agent, opened, "[[sleep:3]][[say:x]]"), Tools(), Accepted)
    async with asyncio.timeout(2.3):
        events = await play(backend, turn(world.agent, opened, "[[say:next]]"))
    assert len(moved(events)) == 1
    assert end(events) == Finished(Outcome.COMPLETED, "next")


async def test_an_abort_in_mid_text_frees_the_conversation(
    world: World, backend: AppServer, opened: str
) -> None:
    """The next run stays where it is."""
    text = "[[slow:0.1]][[say:one two three four five six seven eight nine ten]]"
    await until(backend, turn(world.agent, opened, text), Tools(), Text)
    events = await play(backend, turn(world.agent, opened, "[[say:next]]"))
    assert moved(events) == []
    assert end(events).text == "next"


async def test_an_abort_ends_an_open_tool_call(
    world: World, backend: AppServer, opened: str
) -> None:
    """The server waits for the tool's answer, so the host's call is cancelled and answered."""
    tools = Tools(delay=30)
    await until(backend, turn(world.agent, opened, CALL), tools, ToolCalled)
    async with asyncio.timeout(2):
        events = await play(backend, turn(world.agent, opened, "[[say:next]]"))
    assert moved(events) == []
    assert end(events).text == "next"


@pytest.mark.parametrize("seconds", [0, 0.02])
async def test_a_run_left_at_once_is_not_run_later(
    world: World, backend: AppServer, opened: str, seconds: float
) -> None:
    """However early the caller leaves, its input never mixes with the next."""
    tools = Tools()
    leaving = asyncio.create_task(play(backend, turn(world.agent, opened, CALL), tools))
    await asyncio.sleep(seconds)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    events = await play(backend, turn(world.agent, opened, "[[say:next]]"))
    called = len(tools.calls)
    assert end(events) == Finished(Outcome.COMPLETED, "next")
    await asyncio.sleep(0.2)
    assert len(tools.calls) == called


async def test_memory_is_read_written_and_deleted(world: World, backend: AppServer) -> None:
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


async def test_a_refused_new_memory_file_is_gone_again(world: World, backend: AppServer) -> None:
    """Left staged, it would block every later write."""
    with pytest.raises(MemoryRefused, match="frontmatter") as refused:
        await backend.memory_write(world.agent, "bad.md", "no frontmatter")
    assert str(world.server.home) not in str(refused.value)
    assert "git" not in str(refused.value)
    assert "bad.md" not in await backend.memory_list(world.agent)
    await backend.memory_write(world.agent, "MEMORY.md", "# Memory\nafter the refusal\n")


async def test_a_refused_change_restores_the_file(world: World, backend: AppServer) -> None:
    """The old text is back, and later writes work."""
    old = await backend.memory_read(world.agent, "persona.md")
    with pytest.raises(MemoryRefused):
        await backend.memory_write(world.agent, "persona.md", "no frontmatter")
    assert await backend.memory_read(world.agent, "persona.md") == old
    await backend.memory_write(world.agent, "MEMORY.md", "# Memory\nand again\n")


async def test_no_subagent_runs_in_26_turns(world: World, backend: AppServer, opened: str) -> None:
    """Reflection, left on, would start at the 25th."""
    world.llm.requests.clear()
    for number in range(26):
        await play(backend, turn(world.agent, opened, f"[[say:{number}]]"))
    assert len(world.llm.requests) == 26


async def test_a_deleted_conversation_is_replaced(
    world: World, backend: AppServer, opened: str
) -> None:
    """A lane must not be stuck for ever on an id that the server forgot."""
    events = await play(backend, turn(world.agent, f"{opened}999", "[[say:new]]"))
    assert len(moved(events)) == 1
    assert end(events) == Finished(Outcome.COMPLETED, "new")


async def test_close_in_mid_turn_ends_the_run_and_keeps_the_conversation_usable(
    world: World, backend: AppServer, opened: str
) -> None:
    """It aborts first: a socket that just closed would leave a wedge."""
    closing = world.backend()
    text = "[[slow:0.1]][[say:one two three four five six seven eight]]"
    running = asyncio.create_task(play(closing, turn(world.agent, opened, text)))
    await asyncio.sleep(0.3)
    await closing.close()
    assert end(await running).outcome is Outcome.CANCELLED
    events = await play(backend, turn(world.agent, opened, "[[say:next]]"))
    assert moved(events) == []
    assert end(events).text == "next"


async def test_close_while_connecting_leaves_no_socket(world: World) -> None:
    """The one who was just connecting is told, and closes what it opened."""
    before = open_files()
    backend = world.backend()
    asking = asyncio.create_task(backend.agent(world.agent))
    await asyncio.sleep(0)
    await backend.close()
    with pytest.raises(AgentError, match="closed"):
        await asking
    assert open_files() <= before


async def test_a_closed_backend_refuses_plainly(world: World) -> None:
    """It does not open a socket again."""
    backend = world.backend()
    await backend.close()
    with pytest.raises(AgentError, match="closed"):
        await backend.agent(world.agent)
    (last,) = await play(backend, turn(world.agent, "local-conv-1", "x"))
    assert isinstance(last, Finished)
    assert last.outcome is Outcome.UNREACHABLE
