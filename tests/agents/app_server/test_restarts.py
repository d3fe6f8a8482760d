"""A server that dies in mid-turn, and one that was never there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from aurora.agents.app_server import AppServer
from aurora.agents.protocol import (
    Accepted,
    Finished,
    RunEvent,
    ServerFound,
    ServerLost,
    Text,
    ToolCalled,
)
from aurora.reasons import AgentError, Outcome
from sandbox.letta import AppServer as Server
from tests.support.agents.hosts import CALL, Tools, given, play
from tests.support.agents.servers import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

SLOW = "[[slow:0.15]][[say:one two three four five six seven eight]]"


@pytest_asyncio.fixture(loop_scope="module")
async def silent() -> AsyncIterator[str]:
    """The address of a server that takes connections and says nothing."""
    writers: list[asyncio.StreamWriter] = []

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    one = await asyncio.start_server(take, "127.0.0.1", 0)
    yield f"ws://127.0.0.1:{one.sockets[0].getsockname()[1]}/ws"
    for writer in writers:
        writer.close()
    one.close()
    await one.wait_closed()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server of this module's own, for it will be killed."""
    async with serving(tmp_path_factory.mktemp("letta")) as (one, _):
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def server(home: Server) -> Server:
    """The server, alive."""
    if home.pid is None:
        await home.restart()
    return home


async def kill_and_restart(server: Server) -> None:
    """Kill without warning, be away for a moment, come back."""
    await server.kill()
    await asyncio.sleep(0.3)
    await server.restart()


async def test_a_killed_server_runs_the_input_again_by_itself(server: Server) -> None:
    """Nothing is sent twice, the text of the second run alone counts, and its time begins anew."""
    agent = await server.create_agent("bot")
    backend = AppServer(server.url, server.token)
    opened = await backend.open_conversation(agent, "x")
    restart: asyncio.Task[None] | None = None
    one = given(agent, opened, SLOW)
    told: list[RunEvent] = []
    async for event in backend.run(one, Tools()):
        if isinstance(event, Text) and restart is None:
            restart = asyncio.create_task(kill_and_restart(server))
        if isinstance(event, ServerLost | ServerFound):
            told.append(event)
    assert (told[0], told[-1]) == (ServerLost(), ServerFound(anew=True))
    assert event == Finished(Outcome.COMPLETED, "one two three four five six seven eight")
    assert restart is not None
    await restart
    history = await server.request(
        "conversation_messages_list", agent_id=agent, conversation_id=opened, query={"limit": 10}
    )
    assert {message["otid"] for message in history["messages"] if "otid" in message} == {
        one.input_id
    }
    await backend.close()


async def test_a_tool_repeated_after_a_kill_reaches_the_same_host(server: Server) -> None:
    """Its send record is what keeps the repeated call from posting twice."""
    agent = await server.create_agent("bot")
    backend = AppServer(server.url, server.token)
    opened = await backend.open_conversation(agent, "x")
    tools = Tools(delay=0.3)
    restarts: list[asyncio.Task[None]] = []
    async for event in backend.run(given(agent, opened, f"{CALL}[[after:done]]"), tools):
        if isinstance(event, ToolCalled) and not restarts:
            await tools.called.wait()
            restarts.append(asyncio.create_task(kill_and_restart(server)))
    await asyncio.gather(*restarts)
    assert event == Finished(Outcome.COMPLETED, "done")
    assert len(tools.calls) == 2
    await backend.close()


async def test_a_turn_that_outlived_both_sides_runs_no_tool(server: Server) -> None:
    """Nobody waits for it any more: it is ended before the next input."""
    agent = await server.create_agent("bot")
    backend = AppServer(server.url, server.token)
    opened = await backend.open_conversation(agent, "x")
    running = backend.run(given(agent, opened, f"[[sleep:1]]{CALL}"), Tools())
    assert await anext(running) == Accepted()
    await server.kill()
    await running.aclose()
    await backend.close()
    await server.restart()
    backend, tools = AppServer(server.url, server.token, abort_patience=0.3), Tools()
    last = (await play(backend, given(agent, opened, "[[say:mine]]"), tools))[-1]
    await asyncio.sleep(1)
    await backend.close()
    assert last == Finished(Outcome.COMPLETED, "mine")
    assert tools.calls == []


async def test_a_server_that_stays_away_leaves_the_turn_lost(server: Server) -> None:
    """Accepted, and its end will never be known; without the input it is unreachable."""
    agent = await server.create_agent("bot")
    backend = AppServer(server.url, server.token, reconnect_limit=0.3)
    opened = await backend.open_conversation(agent, "x")
    async for event in backend.run(given(agent, opened, SLOW), Tools()):
        if isinstance(event, Text):
            await server.kill()
    assert isinstance(event, Finished)
    assert event.outcome is Outcome.LOST
    (last,) = await play(backend, given(agent, opened, "[[say:x]]"))
    assert isinstance(last, Finished)
    assert last.outcome is Outcome.UNREACHABLE
    assert "nothing answers at 127.0.0.1" in str(last.detail)
    await backend.close()


async def test_a_turn_whose_server_missed_the_cut_is_waited_for(server: Server) -> None:
    """Behind a proxy the server may not see the socket go: the turn lives on there."""
    agent = await server.create_agent("bot")
    cuts: list[asyncio.StreamWriter] = []
    tasks: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", server.port)
        cuts.append(writer)
        kept.append(there_writer)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                if not sink.is_closing():
                    sink.write(data)

        tasks.update(
            {
                asyncio.create_task(pump(reader, there_writer)),
                asyncio.create_task(pump(there_reader, writer)),
            }
        )

    kept: list[asyncio.StreamWriter] = []
    proxy = await asyncio.start_server(relay, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    backend = AppServer(f"ws://127.0.0.1:{port}/ws", server.token)
    opened = await backend.open_conversation(agent, "x")
    async for event in backend.run(given(agent, opened, SLOW), Tools()):
        if isinstance(event, Text) and len(cuts) == 1:
            cuts[0].transport.abort()
    await backend.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for writer in (*cuts, *kept):
        writer.close()
    proxy.close()
    await proxy.wait_closed()
    assert event == Finished(Outcome.COMPLETED, "one two three four five six seven eight")


@pytest.mark.parametrize(
    ("url", "outcome", "words"),
    [
        ("ws://127.0.0.1:9/ws", Outcome.UNREACHABLE, "nothing answers at 127.0.0.1:9"),
        ("ws://no-such-host.invalid/ws", Outcome.UNREACHABLE, "no-such-host.invalid"),
        ("not an address", Outcome.CONFIG, "ws://host:port/ws"),
        ("ftp://127.0.0.1/ws", Outcome.CONFIG, "ws://host:port/ws"),
    ],
)
async def test_an_unusable_address_is_told_in_plain_words(
    url: str, outcome: Outcome, words: str
) -> None:
    """A look-up raises it, a run ends with it."""
    backend = AppServer(url, request_timeout=3)
    with pytest.raises(AgentError, match=words) as refused:
        await backend.agent("agent-1")
    assert refused.value.outcome is outcome
    (last,) = await play(backend, given("agent-1", "local-conv-1", "x"))
    assert isinstance(last, Finished)
    assert last.outcome is outcome
    await backend.close()


async def test_all_who_wait_for_a_silent_server_share_one_attempt(silent: str) -> None:
    """Nobody waits for the time-outs of the others."""
    backend = AppServer(silent, request_timeout=2)
    async with asyncio.timeout(3.9):
        failed = await asyncio.gather(
            *(backend.agent("agent-1") for _ in range(4)), return_exceptions=True
        )
    assert [str(error) for error in failed] == ["the server did not answer in time"] * 4
    assert len({id(error) for error in failed}) == 4
    await backend.close()


async def test_who_stops_waiting_for_a_connection_ends_it_for_nobody_else(silent: str) -> None:
    """The attempt belongs to all who wait."""
    backend = AppServer(silent, request_timeout=0.5)
    first, second = (asyncio.create_task(backend.agent("agent-1")) for _ in range(2))
    await asyncio.sleep(0.1)
    first.cancel()
    with pytest.raises(AgentError, match="in time"):
        await second
    assert first.cancelled()
    await backend.close()


async def test_close_tells_who_waits_for_a_silent_server(silent: str) -> None:
    """An unload waits for no time-out."""
    backend = AppServer(silent, request_timeout=30)
    asking = asyncio.create_task(backend.agent("agent-1"))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(10):
        await backend.close()
        with pytest.raises(AgentError, match="closed"):
            await asking


async def test_a_wrong_path_and_a_wrong_token_are_configuration(server: Server) -> None:
    """The real server's refusals of the handshake."""
    for url, token, words in (
        (server.url.replace("/ws", "/nope"), server.token, "path"),
        (server.url, "wrong", "token"),
        (server.url, None, "token"),
    ):
        backend = AppServer(url, token)
        with pytest.raises(AgentError, match=words) as refused:
            await backend.open_conversation("agent-1", "x")
        assert refused.value.outcome is Outcome.CONFIG
        await backend.close()


async def test_a_server_without_tls_is_told_apart(server: Server) -> None:
    """wss:// to a server that speaks plain ws://."""
    backend = AppServer(server.url.replace("ws://", "wss://"), server.token)
    with pytest.raises(AgentError, match="secure connection") as refused:
        await backend.agent("agent-1")
    assert refused.value.outcome is Outcome.UNREACHABLE
    await backend.close()
