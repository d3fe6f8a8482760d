"""What the recordings do not show: the sandbox's model behind the double, crashes and faults."""

from __future__ import annotations

import asyncio
import re
from uuid import UUID

import aiohttp
import pytest

from doubles.letta_rest import Fault, LettaRest, ServerTool
from doubles.llm import Call, ScriptedLLM, Step
from tests.support.doubles.talking import SEND_TOOL, RestTalk, talking, until

FRAME = 'Channel: #general (ID: "1001")\nMessage ID: "2002"\n'


async def test_the_sandboxs_model_answers(talk: RestTalk) -> None:
    """A text turn ends with the model's text."""
    answer = await talk.say("hello")
    assert (answer.said, answer.reason) == ("Hello! Good to see you.", "end_turn")


async def test_the_usual_answer_is_a_client_tool_call(talk: RestTalk) -> None:
    """The model sends through the client, hears of it, and ends in silence."""
    asked = await talk.say(FRAME + "hello", client_tools=[SEND_TOOL])
    call = asked.one("approval_request_message")["tool_call"]
    assert (call["name"], asked.reason) == ("discord_send", "requires_approval")
    done = await talk.reply(call["tool_call_id"], "sent 77", client_tools=[SEND_TOOL])
    assert (done.said, done.reason) == ("", "end_turn")


async def test_text_after_a_send_comes_in_the_second_run(talk: RestTalk) -> None:
    """The directives go on after the reply."""
    asked = await talk.say(FRAME + "[[send:hi]][[after:more]]", client_tools=[SEND_TOOL])
    call = asked.one("approval_request_message")["tool_call"]
    done = await talk.reply(call["tool_call_id"], "sent 77", client_tools=[SEND_TOOL])
    assert done.said == "more"


async def test_the_model_gets_history_and_tools(talk: RestTalk, llm: ScriptedLLM) -> None:
    """A second turn carries the first, the system message, and what the client offers."""
    await talk.say("[[say:one]]")
    await talk.say("[[say:two]]", client_tools=[SEND_TOOL])
    body = llm.requests[-1]
    assert [m["role"] for m in body["messages"]] == ["system", "user", "assistant", "user"]
    assert [tool["function"]["name"] for tool in body["tools"]] == ["discord_send"]


async def test_a_call_that_was_not_offered_is_refused(talk: RestTalk) -> None:
    """The model hears that there is no such tool; the client is not asked."""
    answer = await talk.say('[[tool:Bash {"command":"id"}]][[after:ok]]')
    returned = answer.one("tool_return_message")["tool_return"]
    assert returned == "[ToolConstraintError] Cannot call Bash, valid tools include: []."
    assert answer.said == "ok"


async def test_a_server_tool_runs_on_the_server(talk: RestTalk, llm: ScriptedLLM) -> None:
    """An agent's own tool is called without asking the client, and is listed with the agent."""
    talk.rest.add_tool(ServerTool("dice", run=lambda _, arguments: f"rolled {arguments['n']}"))
    agent_id = talk.rest.create_agent("gambler", tools=["dice", "discord_send"])
    llm.script("roll", Step(calls=(Call.to("dice", n=6),)), Step(text="done"))
    answer = await talk.say("roll", conversation=await talk.converse(agent_id))
    assert answer.one("tool_return_message")["tool_return"] == "rolled 6"
    agent = await talk.call("GET", f"/v1/agents/{agent_id}?include=agent.tools")
    assert [tool["name"] for tool in agent.json["tools"]] == ["dice", "discord_send"]


@pytest.mark.parametrize(("status", "calls"), [(401, 1), (400, 1), (500, 3), (503, 3)])
async def test_the_model_is_asked_again_only_when_that_may_help(
    talk: RestTalk, llm: ScriptedLLM, status: int, calls: int
) -> None:
    """Overload and server errors are tried three times, before the turn fails."""
    llm.script("fail", Step(fault="error", status=status))
    answer = await talk.say("fail")
    assert (answer.reason, len(llm.requests)) == ("llm_api_error", calls)


async def test_a_passing_error_of_the_model_is_not_seen(talk: RestTalk) -> None:
    """The server's second try succeeds, and the client gets a plain answer."""
    answer = await talk.say("[[err:500*1]][[say:fine]]")
    assert (answer.said, answer.reason) == ("fine", "end_turn")


async def test_garbage_of_the_model_is_an_error_in_the_stream(talk: RestTalk) -> None:
    """A broken event fails the turn."""
    answer = await talk.say("[[garbage]]")
    assert answer.reason == "llm_api_error"
    assert answer.one("error_message")["error_type"] == "internal_error"


async def test_a_silent_model_can_be_cancelled(talk: RestTalk) -> None:
    """The conversation is free at once, though the old stream is still open."""
    sending = asyncio.create_task(talk.say("[[never]]", background=True))
    await until(lambda: talk.rest.store.runs)
    (run_id,) = talk.rest.store.runs
    path = f"/v1/conversations/{talk.conversation}/cancel"
    assert (await talk.call("POST", path)).json == {run_id: "cancelled"}
    assert (await talk.say("[[say:next]]")).said == "next"
    sending.cancel()


async def test_an_otid_is_known_to_the_whole_server(talk: RestTalk) -> None:
    """An otid used for one agent answers a send to another with the first one's text."""
    other = await talk.converse(talk.rest.create_agent("other"))
    await talk.say("[[say:for A]]", otid="same", background=True)
    replayed = await talk.say("[[say:for B]]", otid="same", background=True, conversation=other)
    assert replayed.said == "for A"


async def test_an_otid_replays_a_failure(talk: RestTalk, llm: ScriptedLLM) -> None:
    """A repeated send of a failed run is the same failure; the model is not asked."""
    failed = await talk.say("[[err:401]]", otid="same", background=True)
    replayed = await talk.say("[[say:better]]", otid="same", background=True)
    assert (replayed.text, len(llm.requests)) == (failed.text, 1)


async def test_a_foreground_otid_is_silent_in_the_background(talk: RestTalk) -> None:
    """The run is found by its otid, but its stream was never kept: nothing comes."""
    await talk.say("[[say:once]]", otid="same")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(talk.say("[[say:once]]", otid="same", background=True), 0.2)


async def test_a_plain_requests_otid_is_not_noted(talk: RestTalk) -> None:
    """A send without a stream leaves its otid free: in the background it makes a new run."""
    await talk.say("[[say:once]]", otid="same", streaming=False, background=True)
    assert (await talk.say("[[say:twice]]", otid="same", background=True)).said == "twice"


async def test_an_unknown_otid_cannot_be_attached_to(talk: RestTalk) -> None:
    """The conversation's stream names the otid that it does not know."""
    path = f"/v1/conversations/{talk.conversation}/stream"
    answer = await talk.call("POST", path, {"otid": "nobody"})
    assert (answer.status, "otid=nobody" in answer.json["detail"]) == (404, True)


async def test_the_otid_is_in_the_tail(talk: RestTalk) -> None:
    """What was sent is found by its otid among the stored messages."""
    await talk.say("[[say:hi]]", otid="mine")
    assert [m["otid"] for m in await talk.tail() if m["message_type"] == "user_message"] == [
        "mine"
    ]


async def test_the_main_thread_is_locked_by_its_agent(talk: RestTalk, llm: ScriptedLLM) -> None:
    """While the default conversation is busy it is refused, and other conversations are not."""
    gate = asyncio.Event()
    llm.script("wait", Step(text="late", gate=gate))
    first = asyncio.create_task(talk.say("wait", conversation="default", agent_id=talk.agent_id))
    await until(lambda: llm.requests)
    refused = await talk.say("more", conversation="default", agent_id=talk.agent_id)
    other = await talk.say("[[say:free]]")
    gate.set()
    assert (refused.status, other.said, (await first).said) == (409, "free", "late")


async def test_a_lock_ends_by_itself(llm: ScriptedLLM) -> None:
    """After its time a lock holds nobody back, though its run is still active."""
    gate = asyncio.Event()
    llm.script("wait", Step(text="late", gate=gate))
    async with talking(LettaRest(llm.provider, lock=0.0)) as talk:
        first = asyncio.create_task(talk.say("wait"))
        await until(lambda: llm.requests)
        assert (await talk.say("[[say:now]]")).said == "now"
        gate.set()
        await first


@pytest.mark.parametrize("background", [True, False])
async def test_a_crash_leaves_a_dead_run(talk: RestTalk, background: bool) -> None:
    """After the restart the run says running and the conversation is busy, until a cancel."""
    sending = asyncio.create_task(
        talk.say("[[slow:1]][[long:100]]", background=background, stream_tokens=True)
    )
    await until(lambda: talk.rest.store.runs)
    await talk.rest.kill()
    with pytest.raises(aiohttp.ClientError):
        await sending
    with pytest.raises(aiohttp.ClientConnectorError):
        await talk.tail()
    await talk.rest.restart(startup=0.0)
    (run_id,) = talk.rest.store.runs
    assert (await talk.run(run_id))["status"] == "running"
    refused = await talk.say("again")
    assert (refused.status, refused.json["run_id"]) == (409, run_id)
    await talk.call("POST", f"/v1/conversations/{talk.conversation}/cancel")
    assert (await talk.say("[[say:back]]")).said == "back"


async def test_a_restart_keeps_address_and_history(talk: RestTalk) -> None:
    """Port, password, agents and messages survive."""
    await talk.say("[[say:before]]")
    before = (talk.rest.url, talk.rest.token)
    await talk.rest.restart(startup=0.0)
    assert (talk.rest.url, talk.rest.token) == before
    assert (await talk.tail())[0]["content"] == "before"


async def test_a_cut_stream_is_resumed(talk: RestTalk) -> None:
    """The connection breaks after two events, the run goes on, the rest is fetched."""
    talk.rest.faults.append(Fault(path="/messages", after=2, cut=True))
    with pytest.raises(aiohttp.ClientError):
        await talk.say("[[long:400]]", background=True, stream_tokens=True)
    (run_id,) = talk.rest.store.runs
    assert (await talk.ended(run_id))["status"] == "completed"
    rest = await talk.call("POST", f"/v1/runs/{run_id}/stream", {"starting_after": 2})
    first = rest.frames[0]
    assert (first["seq_id"], rest.kinds[-1]) == (3, "[DONE]")


async def test_a_lost_answer_is_stored_all_the_same(talk: RestTalk) -> None:
    """The client hears nothing at all, but its message was accepted."""
    talk.rest.faults.append(Fault(path="/messages", after=0, cut=True))
    with pytest.raises(aiohttp.ClientError):
        await talk.say("[[say:hi]]", otid="mine")
    (run_id,) = talk.rest.store.runs
    await talk.ended(run_id)
    assert [m["otid"] for m in await talk.tail()][1] == "mine"


async def test_a_hang_up_comes_before_the_message_is_read(talk: RestTalk) -> None:
    """Nothing was accepted, and the next request works."""
    talk.rest.faults.append(Fault(method="POST", path="/messages", hang_up=True))
    with pytest.raises(aiohttp.ClientError):
        await talk.say("hello")
    assert talk.rest.store.runs == {}
    assert (await talk.say("[[say:hi]]")).said == "hi"


async def test_a_fault_answers_in_the_servers_place(talk: RestTalk) -> None:
    """Status, body and headers are the fault's; it hits as often as it says."""
    talk.rest.faults.append(
        Fault(path="/messages", times=2, answer=(503, {"detail": "busy"}, {"Retry-After": "1"}))
    )
    answers = [await talk.say("[[say:hi]]") for _ in range(3)]
    assert [answer.status for answer in answers] == [503, 503, 200]


async def test_a_fault_puts_an_error_into_the_stream(talk: RestTalk) -> None:
    """Whatever the model does, the client reads an error and the end."""
    error = ("llm_rate_limit", "Rate limit exceeded.", "RATE_LIMIT_EXCEEDED: 429")
    talk.rest.faults.append(Fault(path="/messages", error=error))
    answer = await talk.say("hello")
    assert answer.kinds == ["ping", "stop_reason", "error_message", "[DONE]"]


async def test_a_fault_inserts_an_unknown_message(talk: RestTalk) -> None:
    """Clients must live with message types they have never heard of."""
    extra = 'data: {"message_type":"from_the_future"}\n\n'
    talk.rest.faults.append(Fault(path="/messages", insert=[extra]))
    answer = await talk.say("[[say:hi]]")
    assert (answer.kinds[1], answer.said) == ("from_the_future", "hi")


@pytest.mark.parametrize(("model_status", "status"), [(401, 401), (400, 500)])
async def test_a_plain_request_fails_with_a_status(
    talk: RestTalk, model_status: int, status: int
) -> None:
    """Without a stream the error is an HTTP error."""
    answer = await talk.say(f"[[err:{model_status}]]", streaming=False)
    assert (answer.status, set(answer.json["error"])) == (status, {"type", "message", "detail"})


async def test_a_plain_request_names_the_pending_approval(talk: RestTalk) -> None:
    """Without a stream the waiting call is a 409 with the request's id."""
    asked = await talk.say(FRAME + "hello", client_tools=[SEND_TOOL])
    refused = await talk.say("are you there?", streaming=False)
    waiting = asked.one("approval_request_message")["id"]
    assert (refused.status, refused.json["detail"]["pending_request_id"]) == (409, waiting)


async def test_a_return_may_come_as_a_message_of_its_own(talk: RestTalk) -> None:
    """The newer form of a reply carries the same returns."""
    asked = await talk.say(FRAME + "[[send:hi]][[after:more]]", client_tools=[SEND_TOOL])
    call_id = asked.one("approval_request_message")["tool_call"]["tool_call_id"]
    result = {"type": "tool", "tool_call_id": call_id, "tool_return": "ok", "status": "success"}
    done = await talk.send([{"type": "tool_return", "tool_returns": [result]}])
    assert done.said == "more"


async def test_streaming_on_the_agent_needs_the_sdk(talk: RestTalk) -> None:
    """The old endpoint streams only to clients that say they are the SDK."""
    path, body = f"/v1/agents/{talk.agent_id}/messages", {"input": "hello", "streaming": True}
    refused = await talk.call("POST", path, body)
    accepted = await talk.call("POST", path, body, **{"X-Stainless-Package-Version": "1.12.1"})
    assert (refused.status, accepted.reason) == (422, "end_turn")


async def test_dates_are_written_as_on_the_wire(talk: RestTalk) -> None:
    """Messages have seconds and an offset, rows have microseconds and Z."""
    await talk.say("hello")
    message = (await talk.tail())[0]
    run = await talk.run(message["run_id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", message["date"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", run["created_at"])


async def test_an_otid_of_the_server_is_the_message_id_with_an_index(talk: RestTalk) -> None:
    """The last seven bits count the parts of a message: reasoning is 0, text is 1."""
    await talk.say("[[think:hm]][[say:hi]]")
    text, reasoning = (await talk.tail())[:2]
    assert text["id"] == reasoning["id"]
    number = UUID(text["id"].removeprefix("message-")).int & ~0x7F
    assert [UUID(m["otid"]).int - number for m in (reasoning, text)] == [0, 1]


async def test_a_list_without_its_slash_redirects(talk: RestTalk) -> None:
    """The client is sent to the path with the slash, query and all."""
    found = await talk.call("GET", "/v1/agents?name=bot")
    assert [agent["id"] for agent in found.json] == [talk.agent_id]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("messages", {"messages": ["hello"]}),
        ("messages", {"messages": [{"role": "user", "content": "x"}], "client_tools": [{}]}),
        ("messages", {"messages": [{"role": "user", "content": "x"}], "client_tools": "all"}),
        ("messages", [1]),
    ],
)
async def test_a_malformed_body_is_refused(talk: RestTalk, path: str, body: object) -> None:
    """The refusal is a 422, and no run is made."""
    answer = await talk.call("POST", f"/v1/conversations/{talk.conversation}/{path}", body)
    assert (answer.status, talk.rest.store.runs) == (422, {})


async def test_a_malformed_limit_is_refused(talk: RestTalk) -> None:
    """A limit must be a number."""
    answer = await talk.call("GET", f"/v1/conversations/{talk.conversation}/messages?limit=x")
    assert answer.status == 422


async def test_requests_are_noted(talk: RestTalk) -> None:
    """Tests read method, path and JSON of what a client sent."""
    talk.rest.requests.clear()
    await talk.say("hello", otid="mine")
    ((method, path, body),) = talk.rest.requests
    assert (method, path.endswith("/messages"), body["messages"][0]["otid"]) == (
        "POST",
        True,
        "mine",
    )


async def test_stopping_twice_is_harmless(llm: ScriptedLLM) -> None:
    """A double that was never started, or stopped already, has nothing to stop."""
    rest = LettaRest(llm.provider)
    await rest.stop()
    await rest.start()
    await rest.stop()
    await rest.stop()
    assert rest.crashes == []
