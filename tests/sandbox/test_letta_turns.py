"""The scripted model behind a real App Server, seen through its WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import aiohttp
import pytest

from doubles.llm import ScriptedLLM
from sandbox.letta import AppServer
from tests.support.doubles.asking import CHANNEL, MESSAGE
from tests.support.frames import FRAME, AppServerTalk


@pytest.fixture(scope="module")
def agent_id(app_server: AppServer) -> str:
    """Create the agent that the turns here talk to."""
    return asyncio.run(app_server.create_agent("bot", model="scripted"))


@pytest.fixture
async def llm(app_server: AppServer) -> AsyncIterator[ScriptedLLM]:
    """Put a fresh model behind the server for one test."""
    model = ScriptedLLM()
    await model.start()
    await app_server.use_provider(model.url, model.key, model.model)
    yield model
    await model.stop()


@pytest.fixture
async def talk(
    app_server: AppServer, agent_id: str, llm: ScriptedLLM
) -> AsyncIterator[AppServerTalk]:
    """Open a conversation with the model of this test behind it."""
    assert llm.url
    headers = {"Authorization": f"Bearer {app_server.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(app_server.url, max_msg_size=0) as socket,
    ):
        client = AppServerTalk(socket)
        await client.open(agent_id)
        yield client


async def test_a_text_turn_ends_with_its_text(talk: AppServerTalk) -> None:
    """Without tools the model's words come as assistant text."""
    turn = await talk.say("hello", tools=())
    assert (turn.stop_reason, turn.text) == ("end_turn", "Hello! Good to see you.")


async def test_the_usual_answer_is_a_guarded_send(talk: AppServerTalk) -> None:
    """The client is asked, then called with the real ids, then the turn ends in silence."""
    turn = await talk.say(FRAME + "hello")
    (call,) = turn.calls
    assert turn.asked == ["discord_send"]
    assert (call["channelId"], call["replyToMessageId"]) == (CHANNEL, MESSAGE)
    assert (turn.returns, turn.text, turn.stop_reason) == (["sent 77"], "", "end_turn")


async def test_two_sends_are_called_in_order(talk: AppServerTalk) -> None:
    """Parallel calls of one step reach the client one after the other."""
    turn = await talk.say(FRAME + "[[send2:one|two]]")
    assert [call["message"] for call in turn.calls] == ["one", "two"]


async def test_a_send_elsewhere_names_the_other_channel(talk: AppServerTalk) -> None:
    """The wrong channel is the client's to refuse; the server passes it on."""
    turn = await talk.say(FRAME + "[[sendto:42|psst]]")
    assert [call["channelId"] for call in turn.calls] == ["42"]


async def test_text_after_a_send_is_a_step_of_its_own(talk: AppServerTalk) -> None:
    """The model goes on after the tool's result."""
    turn = await talk.say(FRAME + "[[send:hi]][[after:more]]")
    assert (len(turn.calls), turn.text) == (1, "more")


async def test_a_tool_that_was_not_offered_is_refused(talk: AppServerTalk) -> None:
    """A call of Bash ends at the server, and the model hears of it."""
    turn = await talk.say('[[tool:Bash {"command":"id"}]][[after:ok]]')
    assert (turn.asked, turn.calls) == ([], [])
    assert turn.returns[0].startswith("Tool not found: Bash")


async def test_reasoning_is_apart_from_text(talk: AppServerTalk) -> None:
    """What the model thinks is never part of what it says."""
    turn = await talk.say("[[think:secret]][[say:open]]")
    assert (turn.reasoning, turn.text) == ("secret", "open")


async def test_an_empty_answer_has_no_text(talk: AppServerTalk) -> None:
    """Nothing at all is a finished turn, too."""
    turn = await talk.say("[[empty]]")
    assert (turn.stop_reason, turn.text, turn.calls) == ("end_turn", "", [])


async def test_a_long_answer_arrives_whole(talk: AppServerTalk) -> None:
    """No character is lost between the pieces."""
    assert len((await talk.say("[[long:5000]]")).text) == 5000


@pytest.mark.parametrize("status", [400, 401, 429, 500])
async def test_a_providers_error_ends_the_turn(
    talk: AppServerTalk, llm: ScriptedLLM, status: int
) -> None:
    """The server asks once, and its error carries the status."""
    turn = await talk.say(f"[[err:{status}]]")
    assert (turn.stop_reason, len(llm.requests)) == ("error", 1)
    assert f"{status}: " in turn.error


async def test_an_error_after_the_tool_ends_the_turn(talk: AppServerTalk) -> None:
    """The message was sent, the turn failed: both are seen."""
    turn = await talk.say(FRAME + "[[send:hi]][[then]][[err:500]]")
    assert (len(turn.calls), turn.stop_reason) == (1, "error")


async def test_a_dropped_stream_is_tried_again(talk: AppServerTalk, llm: ScriptedLLM) -> None:
    """The server repeats the call by itself; the second answer counts."""
    turn = await talk.say("[[drop*1]][[say:" + "word " * 20 + "]]")
    assert (turn.retries, turn.stop_reason, len(llm.requests)) == (1, "end_turn", 2)
    assert turn.text.split() == ["word"] * 20


async def test_garbage_ends_the_turn_with_an_error(talk: AppServerTalk) -> None:
    """A broken event is an error, not an empty answer."""
    turn = await talk.say("[[garbage]]")
    assert turn.stop_reason == "error"
    assert "malformed" in turn.error


async def test_a_silent_model_keeps_the_turn_open(talk: AppServerTalk) -> None:
    """A model that never answers leaves the client waiting."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(talk.say("[[never]]"), 0.5)


async def test_a_slow_model_delays_its_turn(talk: AppServerTalk) -> None:
    """The wait comes before the first piece."""
    began = monotonic()
    await talk.say("[[sleep:0.4]]", tools=())
    assert monotonic() - began >= 0.4


async def test_directives_of_earlier_messages_are_over(talk: AppServerTalk) -> None:
    """The history above the last message tells the model nothing to do."""
    await talk.say("[[err:500]]")
    assert (await talk.say("hello", tools=())).text == "Hello! Good to see you."
