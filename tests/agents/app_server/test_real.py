"""Turns on the real App Server with the scripted model behind it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from aurora.agents.app_server import AppServer, MemoryRefused, requests
from aurora.agents.protocol import (
    Accepted,
    ConversationKey,
    Finished,
    ModelCalled,
    Text,
    ToolReturned,
)
from aurora.reasons import AgentError, Outcome
from doubles.llm import Call, Step
from tests.support.agents.hosts import CALL, Tools, end_of_run, given, moved, play
from tests.support.agents.servers import SharedServer

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_the_agent_is_found_by_its_id(world: SharedServer, backend: AppServer) -> None:
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


async def test_a_text_turn_completes(world: SharedServer, backend: AppServer, opened: str) -> None:
    """Accepted first, the text whole at the end."""
    events = await play(backend, given(world.agent, opened, "[[say:hello there]]"))
    assert isinstance(events[0], Accepted)
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "hello there")


async def test_a_tool_turn_calls_the_host(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """The model reads what the host returned, then ends its turn with text."""
    tools = Tools()
    text = f"[[say:let me see]]{CALL}[[after:all done]]"
    events = await play(backend, given(world.agent, opened, text), tools)
    assert tools.calls == [("discord_send", {"message": "hi"})]
    assert end_of_run(events).text == "all done"
    assert "sent message 3003" in json.dumps(world.llm.requests[-1])


async def test_only_the_hosts_tools_are_on_offer(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """No shell, no file tool, whatever the server has."""
    await play(backend, given(world.agent, opened, "[[say:x]]"), Tools("discord_send", "other"))
    offered = [tool["function"]["name"] for tool in world.llm.requests[-1]["tools"]]
    assert sorted(offered) == ["discord_send", "other"]


async def test_the_model_is_told_of_no_skills(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """It could load none, for nothing offers it a file; listed they cost a sixth of each call."""
    await play(backend, given(world.agent, opened, "[[say:x]]"))
    system, *_ = world.llm.requests[-1]["messages"]
    assert system["role"] == "system"
    assert "available_skills" not in json.dumps(system)


async def test_a_call_of_bash_fails_and_the_turn_goes_on(
    world: SharedServer, backend: AppServer, opened: str, tmp_path: Path
) -> None:
    """A model that makes a tool up is told so."""
    mark = tmp_path / "mark"
    text = f'[[tool:Bash {{"command":"touch {mark}"}}]][[after:no shell]]'
    events = await play(backend, given(world.agent, opened, text))
    assert [event.is_error for event in events if isinstance(event, ToolReturned)] == [True]
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "no shell")
    assert not mark.exists()


async def test_without_its_list_of_tools_an_input_still_gets_no_shell(
    world: SharedServer,
    backend: AppServer,
    opened: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Strict mode is the second lock: each built-in tool is asked for, and denied."""
    message = requests.message

    def unlocked(*args: Any) -> dict[str, Any]:
        frame = message(*args)
        for key in ("client_toolset", "client_tool_allowlist", "exclude_interactive_tools"):
            del frame["payload"][key]
        return frame

    monkeypatch.setattr(requests, "message", unlocked)
    mark, told = tmp_path / "mark", '"description":"x"'
    for command in (f"touch {mark}", "echo hi"):
        text = f'[[tool:Bash {{"command":"{command}",{told}}}]][[after:no shell]]'
        events = await play(backend, given(world.agent, opened, text))
        offered = [one["function"]["name"] for one in world.llm.requests[-1]["tools"]]
        assert "Bash" in offered
        assert [one.is_error for one in events if isinstance(one, ToolReturned)] == [True]
        assert end_of_run(events) == Finished(Outcome.COMPLETED, "no shell")
    assert not mark.exists()


async def test_a_conversation_is_archived_and_one_that_is_gone_is_no_error(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """The server deletes none; for a person who is to be forgotten that is what there is."""
    await play(backend, given(world.agent, opened, "[[say:x]]"))
    await backend.forget_conversation(ConversationKey(world.agent, opened))
    await backend.forget_conversation(ConversationKey(world.agent, "local-conv-nobody"))
    listed = {"type": "conversation_list", "query": {"agent_id": world.agent}}
    answer = await backend._link.ask(listed)
    archived = {one["id"]: one["archived"] for one in answer["conversations"]}
    assert archived[opened] is True


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(401, Outcome.CONFIG), (429, Outcome.OVERLOADED), (500, Outcome.FAILED)],
)
async def test_a_provider_error_ends_the_run_and_the_next_works(
    world: SharedServer, backend: AppServer, opened: str, status: int, outcome: Outcome
) -> None:
    """The conversation is not harmed."""
    last = end_of_run(await play(backend, given(world.agent, opened, f"[[err:{status}]]")))
    assert (last.outcome, last.text) == (outcome, "")
    after = await play(backend, given(world.agent, opened, "[[say:works]]"))
    assert end_of_run(after).text == "works"


async def test_a_stream_dropped_once_counts_once(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """The server tries again by itself and says everything a second time."""
    words = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    text = f"[[drop*1]][[slow:0.02]][[say:{words}]]"
    events = await play(backend, given(world.agent, opened, text))
    assert len({event.message_id for event in events if isinstance(event, Text)}) == 2
    assert end_of_run(events).text == words


async def test_a_run_waits_for_the_one_before_it(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """One input at a time, or the server would make one turn of two."""
    first = given(world.agent, opened, "[[sleep:0.4]][[say:first]]")
    second = given(world.agent, opened, "[[say:second]]")
    results = await asyncio.gather(play(backend, first), play(backend, second))
    assert [end_of_run(events).text for events in results] == ["first", "second"]


async def test_conversations_run_in_parallel(world: SharedServer, backend: AppServer) -> None:
    """A slow one holds up no other."""
    slow, fast = [await backend.open_conversation(world.agent, name) for name in ("a", "b")]
    waiting = asyncio.create_task(
        play(backend, given(world.agent, slow, "[[sleep:1]][[say:slow]]"))
    )
    await asyncio.sleep(0.1)
    assert end_of_run(await play(backend, given(world.agent, fast, "[[say:fast]]"))).text == "fast"
    assert not waiting.done()
    assert end_of_run(await waiting).text == "slow"


async def test_a_refused_change_restores_the_file(world: SharedServer, backend: AppServer) -> None:
    """The old text is back, and later writes work."""
    old = await backend.memory_read(world.agent, "persona.md")
    with pytest.raises(MemoryRefused):
        await backend.memory_write(world.agent, "persona.md", "no frontmatter")
    assert await backend.memory_read(world.agent, "persona.md") == old
    await backend.memory_write(world.agent, "MEMORY.md", "# Memory\nand again\n")


async def test_no_subagent_runs_in_26_turns(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """Reflection, left on, would start at the 25th."""
    world.llm.requests.clear()
    for number in range(26):
        await play(backend, given(world.agent, opened, f"[[say:{number}]]"))
    assert len(world.llm.requests) == 26


async def test_a_deleted_conversation_is_replaced(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """A lane must not be stuck for ever on an id that the server forgot."""
    one = given(world.agent, f"{opened}999", "[[say:new]]")
    events = await play(backend, one._replace(title="discord:1:2"))
    (found,) = moved(events)
    assert end_of_run(events) == Finished(Outcome.COMPLETED, "new")
    answer = await world.server.request("conversation_retrieve", conversation_id=found)
    assert answer["conversation"]["summary"] == "discord:1:2"


async def test_a_closed_backend_refuses_plainly(world: SharedServer) -> None:
    """It does not open a socket again."""
    backend = world.backend()
    await backend.close()
    with pytest.raises(AgentError, match="closed"):
        await backend.agent(world.agent)
    (last,) = await play(backend, given(world.agent, "local-conv-1", "x"))
    assert isinstance(last, Finished)
    assert last.outcome is Outcome.UNREACHABLE


async def test_each_call_of_the_model_is_told_of_once(
    world: SharedServer, backend: AppServer, opened: str
) -> None:
    """However many tools one of them calls."""
    call = Call.to("discord_send", message="hi")
    other = Call.to("discord_send", message="ho")
    world.llm.script("work on", Step(calls=(call,)), Step(calls=(call, other)), Step(text="Done."))
    before = len(world.llm.requests)
    events = await play(backend, given(world.agent, opened, "work on"), Tools())
    asked = len(world.llm.requests) - before
    assert sum(isinstance(one, ModelCalled) for one in events) == asked == 3
