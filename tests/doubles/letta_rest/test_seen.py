"""What was seen of a real server, and is in no recording: the double does the same."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from doubles.letta_rest import STARTUP_SECONDS
from doubles.llm import ScriptedLLM
from tests.support.doubles.talking import RestTalk, until

NOBODY = "conv-00000000-0000-4000-8000-000000000000"


async def test_an_unknown_conversation_lists_no_messages(talk: RestTalk) -> None:
    """200 and an empty list, though to write there is 404."""
    listed = await talk.call("GET", f"/v1/conversations/{NOBODY}/messages")
    assert (listed.status, listed.json) == (200, [])
    assert (await talk.say("hello", conversation=NOBODY)).status == 404


async def test_a_deleted_conversation_lists_no_messages(talk: RestTalk) -> None:
    """It is like one that never was."""
    await talk.say("[[say:hello]]")
    path = f"/v1/conversations/{talk.conversation}"
    assert (await talk.call("DELETE", path)).status == 200
    listed = await talk.call("GET", f"{path}/messages")
    assert (listed.status, listed.json) == (200, [])
    assert (await talk.call("GET", path)).status == 404


async def test_a_malformed_conversation_is_refused_all_the_same(talk: RestTalk) -> None:
    """The path is checked before anything is looked up."""
    assert (await talk.call("GET", "/v1/conversations/foo/messages")).status == 422


async def test_a_model_without_tools_is_told_so(talk: RestTalk, llm: ScriptedLLM) -> None:
    """`null`, where others leave the field out."""
    assert (await talk.say("[[say:hello]]")).said == "hello"
    assert llm.requests[-1]["tools"] is None


@pytest.mark.parametrize("fault", ["[[garbage]]", "[[drop]][[say:one two three four]]"])
@pytest.mark.parametrize("background", [True, False])
async def test_an_answer_that_is_none_ends_a_stream_without_its_mark(
    talk: RestTalk, fault: str, background: bool
) -> None:
    """Two stop reasons, then the error, and no [DONE]."""
    answer = await talk.say(fault, stream_tokens=True, background=background)
    assert answer.kinds[-3:] == ["stop_reason", "stop_reason", "error_message"]
    assert "[DONE]" not in answer.kinds
    reasons = [one["stop_reason"] for one in answer.frames if "stop_reason" in one]
    assert reasons == ["error", "llm_api_error"]


@pytest.mark.parametrize("fault", ["[[garbage]]", "[[drop]][[say:one two three four]]"])
async def test_the_record_of_an_answer_that_was_none(talk: RestTalk, fault: str) -> None:
    """Who reads "completed" alone takes it for an answer."""
    await talk.say(fault, stream_tokens=True)
    (run_id,) = talk.rest.store.runs
    run = await talk.run(run_id)
    assert (run["status"], run["stop_reason"]) == ("completed", "llm_api_error")


async def test_an_unknown_role_is_refused(talk: RestTalk) -> None:
    """422, before a run begins."""
    body = {"messages": [{"role": "wizard", "content": "hello"}]}
    path = f"/v1/conversations/{talk.conversation}/messages"
    refused = await talk.call("POST", path, body)
    assert (refused.status, "wizard" in refused.json["detail"]) == (422, True)
    assert talk.rest.store.runs == {}


@pytest.mark.long
async def test_a_start_takes_its_time(talk: RestTalk) -> None:
    """A quarter of a minute in which nobody listens; clients must live with that."""
    loop = asyncio.get_running_loop()
    await talk.rest.kill()
    began = loop.time()
    starting = asyncio.create_task(talk.rest.restart())
    await asyncio.sleep(STARTUP_SECONDS / 3)
    with pytest.raises(aiohttp.ClientConnectorError):
        await talk.tail()
    await starting
    assert loop.time() - began >= STARTUP_SECONDS
    assert len(await talk.tail()) == 1


async def test_without_its_redis_a_stream_says_nothing_more(talk: RestTalk) -> None:
    """The run goes on and is stored; only its record tells of the end, and no other begins."""
    sending = asyncio.create_task(
        talk.say("[[slow:0.01]][[say:one two three]]", background=True, stream_tokens=True)
    )
    await until(lambda: talk.rest.store.runs)
    talk.rest.lose_redis()
    (run_id,) = talk.rest.store.runs
    assert (await talk.ended(run_id))["stop_reason"] == "end_turn"
    assert not sending.done()
    sending.cancel()
    assert (await talk.call("POST", f"/v1/runs/{run_id}/stream", {})).status == 500
    for background in (True, False):
        assert (await talk.say("[[say:more]]", background=background)).status == 500
    talk.rest.find_redis()
    assert (await talk.say("[[say:more]]", background=True)).said == "more"
