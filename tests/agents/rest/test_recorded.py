"""The real server's recorded traffic, read by the real SDK."""

from __future__ import annotations

import pytest

from aurora.agents.protocol import (
    Accepted,
    AgentInfo,
    Finished,
    OwnTool,
    Reasoning,
    RunStarted,
    Text,
    ToolCalled,
    ToolReturned,
    Usage,
)
from aurora.agents.rest import LettaRest
from aurora.reasons import AgentError, Outcome
from tests.support.agents.hosts import Tools, end_of_run
from tests.support.agents.recorded_rest import RecordedRest
from tests.support.agents.replays import AGENT, BOTH, replay
from tests.support.agents.rig import Load


async def test_a_text_turn_yields_its_pieces_and_the_whole_text(load: Load) -> None:
    """Token by token, and whole in the end."""
    async with RecordedRest("message_text_tokens") as server:
        events = await replay(server, load)
    assert [type(event) for event in events[:2]] == [Accepted, RunStarted]
    pieces = [event.text for event in events if isinstance(event, Text)]
    assert len(pieces) > 1
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "".join(pieces))
    assert Usage(100, 7) in events


async def test_a_server_that_does_not_stream_tokens_is_understood(load: Load) -> None:
    """Some models give their text in one piece."""
    async with RecordedRest("message_text") as server:
        assert end_of_run(await replay(server, load)).text


async def test_a_long_answer_comes_whole(load: Load) -> None:
    """5,000 characters are one text."""
    async with RecordedRest("long_answer") as server:
        assert len(end_of_run(await replay(server, load)).text) == 5000


async def test_reasoning_is_never_text(load: Load) -> None:
    """It shares its id with the text and stays apart."""
    async with RecordedRest("message_reasoning") as server:
        events = await replay(server, load)
    thought = "".join(event.text for event in events if isinstance(event, Reasoning))
    assert thought == "Let me see what they want."
    assert end_of_run(events).text == "Hello!"


async def test_an_empty_answer_completes_without_text(load: Load) -> None:
    """An agent may say nothing."""
    async with RecordedRest("empty_answer") as server:
        assert end_of_run(await replay(server, load)) == Finished(Outcome.COMPLETED)


@pytest.mark.parametrize("recording", ["client_tool", "client_tool_nontoken"])
async def test_a_tool_call_is_made_and_its_return_posted(load: Load, recording: str) -> None:
    """In pieces or whole, the arguments reach the host and the run goes on to its text."""
    tools = Tools(*BOTH)
    async with RecordedRest(recording) as server:
        events = await replay(server, load, tools)
    arguments = {"channelId": "1001", "message": "hello there", "replyToMessageId": "2002"}
    assert tools.calls == [("discord_send", arguments)]
    assert server.sent[1]["messages"][0]["approvals"][0]["tool_return"] == "sent message 3003"
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "Done.")


async def test_a_call_is_told_once_with_its_return(load: Load) -> None:
    """Whether the server echoes the return or not."""
    async with RecordedRest("client_tool_nontoken") as server:
        events = await replay(server, load)
    assert [type(one) for one in events if isinstance(one, (ToolCalled, ToolReturned))] == [
        ToolCalled,
        ToolReturned,
    ]


async def test_each_request_has_an_otid_of_its_own(load: Load) -> None:
    """The map of otids is one for the whole server: none may be used twice."""
    async with RecordedRest("client_tool_two_rounds") as server:
        server.take_any_answer(3)
        await replay(server, load)
    otids = [body["messages"][0]["otid"] for body in server.sent]
    assert len(set(otids)) == len(otids) == 3


async def test_tools_are_offered_with_every_request(load: Load) -> None:
    """The run goes on only with the tools it began with."""
    async with RecordedRest("client_tool") as server:
        await replay(server, load)
    offered = [[tool["name"] for tool in body["client_tools"]] for body in server.sent]
    assert offered == [list(BOTH)] * 2


@pytest.mark.parametrize("recording", ["client_tool_parallel", "client_tool_parallel_nontoken"])
async def test_parallel_calls_are_answered_together(load: Load, recording: str) -> None:
    """Pieces of two calls differ only in their tool_call_id."""
    tools = Tools(*BOTH)
    async with RecordedRest(recording) as server:
        events = await replay(server, load, tools)
    assert [name for name, _ in tools.calls] == ["discord_send", "discord_add_reaction"]
    assert end_of_run(events).text == "Done."


async def test_a_call_that_the_server_dropped_is_not_made(load: Load) -> None:
    """Without parallel calls the stream shows two and the server keeps the first."""
    tools = Tools(*BOTH)
    async with RecordedRest("client_tool_parallel_not_enabled", only=(1, 3, 4)) as server:
        events = await replay(server, load, tools)
    assert [name for name, _ in tools.calls] == ["discord_send"]
    assert end_of_run(events).outcome is Outcome.COMPLETED


async def test_several_rounds_of_calls_are_one_turn(load: Load) -> None:
    """The model calls again after the first return."""
    tools = Tools(*BOTH)
    async with RecordedRest("client_tool_two_rounds") as server:
        server.take_any_answer(3)
        events = await replay(server, load, tools)
    assert len(tools.calls) == 2
    assert end_of_run(events).outcome is Outcome.COMPLETED


async def test_silence_after_a_call_is_no_text(load: Load) -> None:
    """The text before the call was not the last word."""
    async with RecordedRest("client_tool_then_silence") as server:
        assert end_of_run(await replay(server, load)) == Finished(Outcome.COMPLETED)


async def test_a_failed_tool_is_returned_as_an_error(load: Load) -> None:
    """The run goes on, and nothing of what went wrong inside is told."""
    async with RecordedRest("client_tool_error") as server:
        events = await replay(server, load, Tools(*BOTH, fails=True))
    reply = server.sent[1]["messages"][0]["approvals"][0]
    assert (reply["status"], "secret" in reply["tool_return"]) == ("error", False)
    assert end_of_run(events).outcome is Outcome.COMPLETED


async def test_a_tool_that_is_not_ours_is_denied(load: Load) -> None:
    """A tool of the server that asks for approval gets none."""
    tools = Tools(*BOTH)
    async with RecordedRest("server_tool_approval", only=(4, 5)) as server:
        events = await replay(server, load, tools)
    assert server.sent[1]["messages"][0]["approvals"][0]["approve"] is False
    assert tools.calls == []
    assert end_of_run(events).outcome is Outcome.COMPLETED


@pytest.mark.parametrize(
    ("recording", "is_error"),
    [("server_tool_call", False), ("server_tool_error", True), ("unknown_tool_call", True)],
)
async def test_the_servers_own_tools_are_told_of(
    load: Load, recording: str, is_error: bool
) -> None:
    """They run on the server; Aurora sees call and return."""
    async with RecordedRest(recording) as server:
        events = await replay(server, load)
    calls = [one for one in events if isinstance(one, ToolCalled)]
    returns = [one for one in events if isinstance(one, ToolReturned)]
    assert [one.call_id for one in calls] == [one.call_id for one in returns]
    assert [one.is_error for one in returns] == [is_error]


async def test_a_server_tool_beside_ours_returns_in_the_next_step(load: Load) -> None:
    """Both are called in one step; the server runs its own after our answer."""
    tools = Tools(*BOTH)
    async with RecordedRest("client_and_server_tool_parallel") as server:
        events = await replay(server, load, tools)
    returns = [one for one in events if isinstance(one, ToolReturned)]
    assert len(tools.calls) == 1
    assert len(returns) == 2


async def test_the_limit_of_steps_completes_the_turn(load: Load) -> None:
    """There may be no text then."""
    async with RecordedRest("max_steps") as server:
        assert end_of_run(await replay(server, load)).outcome is Outcome.COMPLETED


async def test_compaction_after_the_answer_is_no_part_of_it(load: Load) -> None:
    """It is streamed as a message of the user."""
    async with RecordedRest("compaction", only=(2,)) as server:
        assert end_of_run(await replay(server, load)).text == "That was long."


@pytest.mark.parametrize(
    ("recording", "outcome", "word"),
    [
        ("llm_error_400", Outcome.CONFIG, "400"),
        ("llm_error_401", Outcome.CONFIG, "key"),
        ("llm_error_429", Outcome.OVERLOADED, "rate"),
        ("llm_error_500", Outcome.FAILED, "500"),
        ("llm_error_503", Outcome.FAILED, "503"),
        ("llm_drops_stream", Outcome.FAILED, "failed"),
    ],
)
async def test_an_error_in_the_stream_is_an_error(
    load: Load, recording: str, outcome: Outcome, word: str
) -> None:
    """Its status is 200; the provider's own words are not repeated."""
    async with RecordedRest(recording) as server:
        finished = end_of_run(await replay(server, load))
    assert finished.outcome is outcome
    assert word in str(finished.detail)
    assert "fake" not in str(finished.detail)


async def test_an_error_of_a_background_run_is_an_error(load: Load) -> None:
    """There the stream ends without its last mark."""
    async with RecordedRest("background_llm_error") as server:
        finished = end_of_run(await replay(server, load, background=True))
    assert finished.outcome is Outcome.FAILED


async def test_an_error_after_a_call_fails_the_turn(load: Load) -> None:
    """The call is not made again."""
    tools = Tools(*BOTH)
    async with RecordedRest("llm_error_after_client_tool") as server:
        finished = end_of_run(await replay(server, load, tools))
    assert (finished.outcome, len(tools.calls)) == (Outcome.FAILED, 1)


async def test_a_background_turn_with_a_tool_is_answered_in_background(load: Load) -> None:
    """The answer to the call starts a run of its own."""
    async with RecordedRest("background_client_tool") as server:
        events = await replay(server, load, background=True)
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "Done.")


async def test_a_broken_stream_is_taken_up_where_it_broke(load: Load) -> None:
    """Nothing is missed and nothing told twice."""
    async with RecordedRest("background_reattach_conversation", only=(1, 2)) as server:
        events = await replay(server, load, background=True)
    pieces = [event.text for event in events if isinstance(event, Text)]
    assert "".join(pieces).split() == ["one", "two", "three", "four", "five", "six"]
    assert end_of_run(events).outcome is Outcome.COMPLETED
    resumed = server.received[1][2]
    assert resumed["starting_after"] == 2
    assert resumed["run_id"].startswith("run-")


async def test_a_broken_foreground_turn_is_read_back(load: Load) -> None:
    """Its run goes on; the record tells when it is over and the tail what it said."""
    async with RecordedRest("disconnect_foreground", only=(1, 3, 4)) as server:
        server.list_from_runs()
        events = await replay(server, load)
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "one two three four five six")


async def test_a_busy_conversation_is_waited_for(load: Load) -> None:
    """409 names the run; when that is over the message is sent again."""
    async with RecordedRest("busy", only=(2, 4)) as server:
        server.improvise("GET", "/v1/runs/", {"status": "completed"})
        events = await replay(server, load)
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "third accepted")


async def test_a_conversation_that_stays_busy_is_told(load: Load) -> None:
    """Whoever holds it on is cancelled once; then the worker must wait."""
    async with RecordedRest("busy", only=(2, 3)) as server:
        server.take_any_answer(3)
        server.improvise("GET", "/v1/runs/", {"status": "running"})
        server.improvise("POST", "/cancel", {"run-1": "cancelled"})
        finished = end_of_run(await replay(server, load))
    assert finished.outcome is Outcome.BUSY


async def test_an_orphaned_call_is_denied_and_the_message_sent_again(load: Load) -> None:
    """It is found in the conversation's tail, and named by its tool_call_id."""
    async with RecordedRest("pending_approval_then_message", only=(2, 4, 5, 6)) as server:
        events = await replay(server, load)
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "Here again.")
    assert len({body["messages"][0]["otid"] for body in server.sent}) == 3


async def test_without_background_runs_the_foreground_is_used_from_then_on(load: Load) -> None:
    """503 says that the server has no Redis."""
    async with RecordedRest("no_redis", only=(1, 2)) as server:
        events = await replay(server, load, background=True)
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "foreground works")
    assert [body.get("background", False) for body in server.sent] == [True, False]


async def test_an_agent_is_looked_up(load: Load) -> None:
    """With the names of the tools it carries."""
    async with RecordedRest("agent_retrieve", only=(1, 2)) as server:
        backend = LettaRest(server.url, "t", load=load, direct=True)
        assert await backend.agent(AGENT) == AgentInfo(AGENT, "fixture-agent")
        (tool,) = await backend.own_tools(AGENT)
        assert tool == OwnTool("conversation_search", id=tool.id)
        assert tool.id.startswith("tool-")
        await backend.close()


@pytest.mark.parametrize("agent_id", ["agent-00000000-0000-4000-8000-000000000000", "foo"])
async def test_an_unknown_agent_is_a_matter_of_configuration(load: Load, agent_id: str) -> None:
    """404 and 422 say the same to a person."""
    async with RecordedRest("agent_retrieve", only=(3, 4)) as server:
        backend = LettaRest(server.url, "t", load=load, direct=True)
        with pytest.raises(AgentError, match=f"no agent with the id {agent_id}") as caught:
            await backend.agent(agent_id)
        await backend.close()
    assert caught.value.outcome is Outcome.CONFIG


async def test_a_conversation_is_created_under_its_title(load: Load) -> None:
    """Its id is what runs need."""
    async with RecordedRest("conversations", only=(1,)) as server:
        backend = LettaRest(server.url, "t", load=load, direct=True)
        opened = await backend.open_conversation(AGENT, "discord:guild-1:channel-1001")
        await backend.close()
    assert opened.startswith("conv-")
    assert server.received[0][2] == {"summary": "discord:guild-1:channel-1001"}


async def test_a_wrong_token_is_named(load: Load) -> None:
    """401 is told with what to do."""
    async with RecordedRest("auth", only=(3,)) as server:
        backend = LettaRest(server.url, "wrong", load=load, direct=True)
        with pytest.raises(AgentError, match="token") as caught:
            await backend.ping()
        await backend.close()
    assert caught.value.outcome is Outcome.CONFIG


async def test_without_a_token_none_is_sent(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one that the environment holds for another server."""
    monkeypatch.setenv("LETTA_API_KEY", "somebody-elses")
    async with RecordedRest("auth", only=(6,)) as server:
        backend = LettaRest(server.url, load=load, direct=True)
        await backend.ping()
        await backend.close()
    assert "Authorization" not in server.received[0][3]
