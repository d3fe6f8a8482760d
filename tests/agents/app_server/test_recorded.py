"""The App Server's recorded traffic, read frame by frame."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import Counter

import pytest

from aurora.agents.app_server import AppServer
from aurora.agents.protocol import (
    Accepted,
    AgentInfo,
    Finished,
    Input,
    Reasoning,
    RunEvent,
    Text,
    ToolCalled,
    ToolReturned,
    Usage,
)
from aurora.reasons import AgentError, Outcome
from aurora.words import servers as w
from tests.support.agents.hosts import Tools, end_of_run, given, play
from tests.support.agents.recorded_server import RecordedServer

BOTH = ("discord_send", "discord_add_reaction")


async def replay(server: RecordedServer, tools: Tools | None = None) -> list[RunEvent]:
    """Open the recorded conversation, run one turn in it and close."""
    backend = AppServer(server.url, request_timeout=5)
    try:
        opened = await backend.open_conversation(server.agent_id, "discord:guild-1:channel-1001")
        return await play(backend, given(server.agent_id, opened, "hello"), tools)
    finally:
        await backend.close()


async def test_a_text_turn_yields_its_pieces_and_the_whole_text() -> None:
    """Pieces come one by one; the end holds them all."""
    async with RecordedServer("text_turn") as server:
        events = await replay(server)
    assert isinstance(events[0], Accepted)
    pieces = [event.text for event in events if isinstance(event, Text)]
    assert len(pieces) == 7
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "Hello! How can I help you today?")
    assert Usage(100, 7) in events


async def test_reasoning_is_never_text() -> None:
    """What the agent thinks is an event of its own."""
    async with RecordedServer("text_turn_reasoning") as server:
        events = await replay(server)
    thought = "".join(event.text for event in events if isinstance(event, Reasoning))
    assert thought
    assert "Let" not in end_of_run(events).text


async def test_an_empty_answer_completes_without_text() -> None:
    """An agent may say nothing."""
    async with RecordedServer("empty_answer") as server:
        assert end_of_run(await replay(server)) == Finished(Outcome.COMPLETED)


async def test_a_tool_call_is_allowed_run_and_answered() -> None:
    """The question is answered with allow, the call with the host's result."""
    tools = Tools(*BOTH)
    async with RecordedServer("external_tool") as server:
        events = await replay(server, tools)
        (result,) = server.of_type("external_tool_call_response")
    assert [name for name, _ in tools.calls] == ["discord_send"]
    assert result["result"] == {
        "content": [{"type": "text", "text": "sent message 3003"}],
        "is_error": False,
    }
    assert [type(event) for event in events if isinstance(event, (ToolCalled, ToolReturned))] == [
        ToolCalled,
        ToolReturned,
    ]
    assert end_of_run(events).text == "Done."


async def test_parallel_tool_calls_each_get_their_answer() -> None:
    """Two calls in one step are two events, two calls, one turn."""
    tools = Tools(*BOTH)
    async with RecordedServer("external_tool_parallel") as server:
        events = await replay(server, tools)
    assert [name for name, _ in tools.calls] == list(BOTH)
    assert Counter(type(event) for event in events)[ToolReturned] == 2


async def test_text_before_the_last_tool_is_not_the_answer() -> None:
    """The turn said something, called a tool and then said nothing."""
    async with RecordedServer("external_tool_with_text") as server:
        events = await replay(server, Tools(*BOTH))
    assert any(isinstance(event, Text) for event in events)
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "")


async def test_a_question_for_bash_is_denied() -> None:
    """Only Aurora's own tools are allowed, whatever the server asks."""
    async with RecordedServer("control_request_denied") as server:
        events = await replay(server)
        verdicts = [
            frame["payload"]["decision"]
            for frame in server.of_type("input")
            if frame["payload"]["kind"] == "approval_response"
        ]
    assert [one["behavior"] for one in verdicts] == ["deny"]
    assert end_of_run(events).outcome is Outcome.COMPLETED


async def test_a_failing_host_is_a_tool_error_and_tells_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An exception in a tool reaches neither the model nor the log with its words."""
    async with RecordedServer("external_tool") as server:
        await replay(server, Tools(*BOTH, fails=True))
        (result,) = server.of_type("external_tool_call_response")
    assert result["result"]["is_error"] is True
    assert "secret" not in json.dumps(result) + caplog.text


async def test_the_log_holds_no_words_of_a_turn(caplog: pytest.LogCaptureFixture) -> None:
    """Text is for DEBUG; which tools were called is the worker's to say."""
    caplog.set_level(logging.INFO, logger="red.aurora")
    async with RecordedServer("external_tool") as server:
        last = end_of_run(await replay(server, Tools(*BOTH)))
    assert last.text
    assert last.text not in caplog.text


@pytest.mark.parametrize(
    ("recording", "outcome"),
    [
        ("llm_error_400", Outcome.CONFIG),
        ("llm_error_401", Outcome.CONFIG),
        ("llm_error_429", Outcome.OVERLOADED),
        ("llm_error_500", Outcome.FAILED),
    ],
)
async def test_a_provider_error_is_classified_by_its_status(
    recording: str, outcome: Outcome
) -> None:
    """The status stands in a text; the provider's words stay out of the detail."""
    async with RecordedServer(recording) as server:
        last = end_of_run(await replay(server))
    assert last.outcome is outcome
    assert recording[-3:] in str(last.detail)
    assert "fake error" not in str(last.detail)


async def test_a_dropped_stream_leaves_no_half_text_as_the_answer() -> None:
    """Four tries, each with an id of its own, and no end to any: a failure."""
    async with RecordedServer("llm_drops_stream") as server:
        events = await replay(server)
    assert len({event.message_id for event in events if isinstance(event, Text)}) == 4
    assert end_of_run(events) == Finished(Outcome.FAILED, detail=w.PROVIDER_FAILED)


async def test_every_runtime_names_a_mode_and_foreground_tools() -> None:
    """Left out, the conversation would be unrestricted and slow calls turns of their own."""
    async with RecordedServer("external_tool") as server:
        backend = AppServer(server.url)
        run = given(server.agent_id, server.conversation_id, "hello")
        await play(backend, run, Tools(*BOTH))
        await backend.close()
        (start,) = server.of_type("runtime_start")
    assert start["mode"] == "strict"
    (group,) = start["external_tools"]
    assert [tool["name"] for tool in group["tools"]] == list(BOTH)
    assert all(tool["auto_background"] is False for tool in group["tools"])
    assert all(tool["timeout_ms"] > 0 for tool in group["tools"])


async def test_every_input_offers_exactly_the_hosts_tools() -> None:
    """No built-in tool is on offer, and one id names the input twice."""
    async with RecordedServer("text_turn") as server:
        await replay(server, Tools("discord_send", "memory_read"))
        (sent,) = server.of_type("input")
    payload = sent["payload"]
    assert payload["client_toolset"] == {"base": "none"}
    assert payload["client_tool_allowlist"] == ["discord_send", "memory_read"]
    assert payload["exclude_interactive_tools"] is True
    (message,) = payload["messages"]
    assert message["client_message_id"] == message["otid"]


async def test_reflection_is_off_before_the_first_input() -> None:
    """It would run a shell on the host after 25 turns."""
    async with RecordedServer("text_turn") as server:
        await replay(server)
        kinds = [frame["type"] for frame in server.received]
        (settings,) = server.of_type("set_reflection_settings")
    assert kinds.index("set_reflection_settings") < kinds.index("input")
    assert settings["settings"]["trigger"] == "off"


async def test_an_open_conversation_costs_one_frame_per_run() -> None:
    """Nothing stands between a later message and its input."""
    async with RecordedServer("llm_error_429") as server:
        backend = AppServer(server.url)
        opened = await backend.open_conversation(server.agent_id, "x")
        await play(backend, given(server.agent_id, opened, "one"))
        server.script = [
            one for one in server.script if one["frame"]["type"] != "conversation_messages_list"
        ]
        before = len(server.received)
        last = end_of_run(await play(backend, given(server.agent_id, opened, "two")))
        added = [frame["type"] for frame in server.received[before:]]
        await backend.close()
    assert last.text == "works again"
    assert added == ["input"]


async def test_changed_tools_are_registered_before_the_input() -> None:
    """Specs may differ from run to run."""
    async with RecordedServer("text_turn") as server:
        await replay(server, Tools("discord_send"))
        kinds = [frame["type"] for frame in server.received]
        (update,) = server.of_type("runtime_external_tools_update")
    assert kinds.index("runtime_external_tools_update") < kinds.index("input")
    assert update["updates"][0]["external_tools"][0]["tools"][0]["name"] == "discord_send"


async def test_the_token_travels_in_its_header_only(caplog: pytest.LogCaptureFixture) -> None:
    """It is in no frame and in no log line."""
    caplog.set_level(logging.DEBUG, logger="red.aurora")
    async with RecordedServer("text_turn", token="s3cr3t") as server:
        backend = AppServer(server.url, "s3cr3t")
        info = await backend.agent(server.agent_id)
        await backend.close()
        assert server.headers[0]["Authorization"] == "Bearer s3cr3t"
        assert "s3cr3t" not in json.dumps(server.received) + caplog.text
    assert info == AgentInfo(server.agent_id, "recorded")


async def test_a_wrong_token_is_a_configuration_error() -> None:
    """The server refuses the handshake with 401 and an empty body."""
    async with RecordedServer("text_turn", token="right") as server:
        backend = AppServer(server.url, "wrong")
        with pytest.raises(AgentError, match="token") as refused:
            await backend.agent(server.agent_id)
        last = end_of_run(await play(backend, given(server.agent_id, "local-conv-1", "hello")))
        await backend.close()
    assert refused.value.outcome is Outcome.CONFIG
    assert last.outcome is Outcome.CONFIG


async def test_garbage_from_the_server_kills_nothing() -> None:
    """Whatever arrives between the frames, the turn is read to its end."""
    runtime = {"agent_id": "someone", "conversation_id": "elsewhere"}
    noise = [
        "no json",
        "[]",
        "17",
        "{}",
        '{"type": 5, "request_id": []}',
        '{"type": "stream_delta", "delta": "text", "runtime": {"agent_id": 1}}',
        '{"type": "external_tool_call_request"}',
        '{"type": "control_request", "request": null}',
        json.dumps({"type": "turn_finished", "runtime": runtime}),
    ]
    async with RecordedServer("external_tool", noise=noise) as server:
        recorded = {"agent_id": server.agent_id, "conversation_id": server.conversation_id}
        for broken in (
            {"type": "stream_delta", "delta": {"message_type": "assistant_message"}},
            {"type": "stream_delta", "delta": {"message_type": "tool_return_message"}},
            {"type": "update_queue", "queue": [1, None], "removed": "x"},
            {"type": "update_loop_status", "loop_status": "IDLE"},
        ):
            server.noise.append(json.dumps({**broken, "runtime": recorded}))
        events = await replay(server, Tools(*BOTH))
    assert end_of_run(events).outcome is Outcome.COMPLETED


async def test_a_tool_call_for_nobody_gets_an_error() -> None:
    """A turn that the server runs by itself must not act in Discord."""
    async with RecordedServer("text_turn") as server:
        backend = AppServer(server.url)
        opened = await backend.open_conversation(server.agent_id, "x")
        call = {
            "type": "external_tool_call_request",
            "request_id": "external-tool-1",
            "runtime": {"agent_id": server.agent_id, "conversation_id": opened},
            "tool_call_id": "call_1",
            "tool_name": "discord_send",
            "input": {},
        }
        await server.sockets[0].send_str(json.dumps(call))
        answer = await server.next_of_type("external_tool_call_response")
        await backend.close()
    assert answer["request_id"] == "external-tool-1"
    assert answer["result"]["is_error"] is True


async def test_an_unanswered_request_ends_by_its_time_limit() -> None:
    """Invalid frames get no answer, so none may wait for ever."""
    async with RecordedServer("text_turn", mute=["agent_retrieve"]) as server:
        backend = AppServer(server.url, request_timeout=0.05)
        with pytest.raises(AgentError, match="did not answer agent_retrieve") as refused:
            await backend.agent("agent-1")
        await backend.close()
    assert refused.value.outcome is Outcome.UNREACHABLE


async def silent(server: RecordedServer, one: Input) -> list[RunEvent]:
    """Run a turn whose input the server leaves unanswered, for at most half a second."""
    backend = AppServer(server.url, request_timeout=0.05)
    events: list[RunEvent] = []
    running = backend.run(one, Tools())
    with contextlib.suppress(TimeoutError, StopAsyncIteration):
        async with asyncio.timeout(0.5):
            while True:
                events.append(await anext(running))
    await running.aclose()
    await backend.close()
    return events


async def test_an_unanswered_input_that_is_not_stored_was_never_accepted() -> None:
    """The history does not know it: it may be tried again."""
    async with RecordedServer("text_turn", mute=["input"]) as server:
        one = given(server.agent_id, server.conversation_id, "hello")
        (last,) = await silent(server, one)
    assert isinstance(last, Finished)
    assert last.outcome is Outcome.UNREACHABLE


async def test_an_unanswered_input_that_is_stored_counts_as_accepted() -> None:
    """It is waited for, not sent again."""
    history = [{"message_type": "user_message", "otid": "stored-1"}]
    async with RecordedServer("text_turn", mute=["input"], history=history) as server:
        one = Input(server.agent_id, server.conversation_id, "hello", "stored-1")
        events = await silent(server, one)
        assert len(server.of_type("input")) == 1
    assert events == [Accepted()]


async def test_an_unanswered_input_of_unknown_fate_is_lost() -> None:
    """Neither the input nor the history was answered: it may have run."""
    mute = ["input", "conversation_messages_list"]
    async with RecordedServer("text_turn", mute=mute) as server:
        one = given(server.agent_id, server.conversation_id, "hello")
        (last,) = await silent(server, one)
    assert isinstance(last, Finished)
    assert last.outcome is Outcome.LOST


async def test_a_used_id_is_accepted_and_never_answered() -> None:
    """Each attempt needs an id of its own; closing the run asks the server to abort."""
    async with RecordedServer("text_turn") as server:
        backend = AppServer(server.url)
        opened = await backend.open_conversation(server.agent_id, "x")
        one = given(server.agent_id, opened, "hello")
        assert end_of_run(await play(backend, one)).outcome is Outcome.COMPLETED
        again = backend.run(one, Tools())
        assert await anext(again) == Accepted()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await anext(again)
        await again.aclose()
        await backend.close()
        assert server.of_type("abort_message")


@pytest.mark.parametrize("unreadable", ['{"a":' * 3000 + "1" + "}" * 3000, "7" * 5000])
async def test_a_call_that_can_not_be_read_is_answered(unreadable: str) -> None:
    """Its frame can't be read either; without an answer the server would wait for minutes."""
    async with RecordedServer("text_turn") as server:
        backend = AppServer(server.url)
        await backend.open_conversation(server.agent_id, "x")
        call = {"type": "external_tool_call_request", "input": {"channelId": None}}
        text = json.dumps({**call, "request_id": "external-tool-1"}).replace("null", unreadable)
        await server.sockets[0].send_str(text)
        answer = await asyncio.wait_for(server.next_of_type("external_tool_call_response"), 20)
        await backend.close()
    assert answer["request_id"] == "external-tool-1"
    assert answer["result"]["is_error"] is True
