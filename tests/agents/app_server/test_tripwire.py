"""What an App Server runs without being offered it: denied, and if that fails, tripped over."""

from __future__ import annotations

import pytest

from aurora.agents.app_server import AppServer
from aurora.agents.protocol import Finished, Input, RunEvent, ToolReturned
from aurora.agents.runs import NOT_OFFERED
from aurora.reasons import Outcome
from aurora.words import servers as w
from tests.support.agents.hosts import Tools, end_of_run, given, play
from tests.support.agents.recorded_server import RecordedServer


async def replay(server: RecordedServer, tools: Tools) -> list[RunEvent]:
    """Run one turn in the recorded conversation."""
    backend = AppServer(server.url)
    one = given(server.agent_id, server.conversation_id, "hello")
    try:
        return await play(backend, one, tools)
    finally:
        await backend.close()


async def test_a_builtin_tool_that_ran_ends_the_run_and_aborts_it() -> None:
    """Recorded where the list of tools was left out: the server ran Bash and asked nobody."""
    async with RecordedServer("builtin_tool_without_asking") as server:
        server.script = [one for one in server.script if one["frame"]["type"] != "turn_finished"]
        events = await replay(server, Tools())
        aborts = server.of_type("abort_message")
    assert end_of_run(events) == Finished(Outcome.TRIPPED, detail=w.TRIPPED(tool="Bash"))
    assert [abort["runtime"]["conversation_id"] for abort in aborts] == [server.conversation_id]


async def test_nothing_that_the_agent_says_afterwards_is_heard() -> None:
    """What a shell printed must not be passed on as an answer."""
    async with RecordedServer("builtin_tool_without_asking") as server:
        events = await replay(server, Tools())
    assert end_of_run(events).text == ""
    assert not [event for event in events if isinstance(event, ToolReturned)]


async def test_a_builtin_tool_of_the_same_name_is_tripped_over_too() -> None:
    """The result counts that Aurora gave, not the name."""
    async with RecordedServer("builtin_tool_without_asking") as server:
        events = await replay(server, Tools("Bash"))
    assert end_of_run(events).outcome is Outcome.TRIPPED


async def test_in_strict_mode_a_builtin_tool_is_asked_for_and_denied() -> None:
    """The second lock, were the first one lost; its error is no reason to stop the agent."""
    async with RecordedServer("builtin_tool_strict") as server:
        events = await replay(server, Tools())
        answers = [one["payload"] for one in server.of_type("input")]
    verdict = next(one["decision"] for one in answers if one["kind"] == "approval_response")
    assert verdict == {"behavior": "deny", "message": NOT_OFFERED}
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "Done.")


async def test_in_strict_mode_auroras_tools_are_asked_for_and_work() -> None:
    """One question more, and the call comes to Aurora."""
    tools = Tools("discord_send", "discord_add_reaction")
    async with RecordedServer("external_tool_strict") as server:
        events = await replay(server, tools)
    assert [name for name, _ in tools.calls] == ["discord_send"]
    assert [event.is_error for event in events if isinstance(event, ToolReturned)] == [False]
    assert end_of_run(events).outcome is Outcome.COMPLETED


async def test_a_server_that_does_not_say_which_call_it_is_stops_no_agent() -> None:
    """Then the name has to do."""
    async with RecordedServer("external_tool_strict") as server:
        for one in server.script:
            if one["frame"]["type"] == "external_tool_call_request":
                del one["frame"]["tool_call_id"]
        events = await replay(server, Tools("discord_send", "discord_add_reaction"))
    assert end_of_run(events).outcome is Outcome.COMPLETED


@pytest.mark.parametrize("subtype", ["", "run_command", None])
async def test_no_other_question_than_for_a_call_is_allowed(subtype: str | None) -> None:
    """Whatever a later server may ask leave for, under the name of a tool of Aurora's."""
    async with RecordedServer("external_tool_strict") as server:
        for one in server.script:
            if one["frame"]["type"] == "control_request":
                one["frame"]["request"]["subtype"] = subtype
        # There the recorded client allowed it.
        server.script = [one for one in server.script if not _allows(one["frame"])]
        backend = AppServer(server.url)
        asking = backend.run(Input(server.agent_id, server.conversation_id, "hello", "i"), Tools())
        events = asking.__aiter__()
        verdict = None
        while verdict is None:
            await anext(events)
            verdict = next((one for one in server.of_type("input") if _is_verdict(one)), None)
        await asking.aclose()
        await backend.close()
    assert verdict["payload"]["decision"]["behavior"] == "deny"


def _is_verdict(frame: dict[str, object]) -> bool:
    payload = frame.get("payload")
    return isinstance(payload, dict) and payload.get("kind") == "approval_response"


def _allows(frame: dict[str, object]) -> bool:
    return frame["type"] == "input" and _is_verdict(frame)
