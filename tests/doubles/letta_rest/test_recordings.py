"""The double answers as the real server did: every recording, frame by frame."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import aiohttp
import pytest

from doubles import recordings
from doubles.letta_rest import LettaRest
from tests.support.doubles.recorded_model import RecordedModel
from tests.support.doubles.replaying import Replay

# The recorded waits are played this many times faster.
SCALE = 0.1
KEEPALIVE = 5 * SCALE
TIMED = frozenset({"keepalive_pings", "cancel_during_llm_wait", "server_crash"})
SPECIAL = frozenset({"auth", "no_redis", "models_list", "agents_list"})
# The double has no context window, and no route for it.
NOT_COVERED = frozenset({"compaction"})
ALL = sorted({*recordings.names("rest")} - NOT_COVERED)

# These create what they use.
OWN_AGENTS = frozenset({"agent_create"})
OWN_CONVERSATIONS = frozenset({"conversations"})
WHO = {
    "server_tool_approval": "fixture-agent-approval",
    "client_tool_parallel": "fixture-agent-parallel",
    "client_tool_parallel_nontoken": "fixture-agent-parallel",
    "client_tool_parallel_partial": "fixture-agent-parallel",
    "client_and_server_tool_parallel": "fixture-agent-parallel",
    "client_and_server_tool_parallel_nontoken": "fixture-agent-parallel",
}
_SOMEBODY = re.compile(r"(?:agent|conv)-(?!0{8})[0-9a-f-]{36}")

Boot = Callable[..., Awaitable[Replay]]


@pytest.fixture
async def boot() -> AsyncIterator[Boot]:
    """Start a double as the recorded server was set up, with the recorded model behind it."""
    model = RecordedModel(SCALE)
    await model.start()
    running: list[LettaRest] = []

    async def start(name: str, **options: Any) -> Replay:
        options = {"token": None, "keepalive": KEEPALIVE if name in TIMED else 20, **options}
        rest = LettaRest(model.provider, backoff=0.01, **options)
        await rest.start()
        running.append(rest)
        replay = Replay(name, rest, model)
        await _people(replay)
        return replay

    yield start
    for rest in running:
        await rest.stop()
    await model.stop()
    assert [crash for rest in running for crash in rest.crashes] == []


async def _people(replay: Replay) -> None:
    """Create the agents and conversations that the recording takes for granted."""
    scenario = replay.recording["scenario"]
    agents = {
        name: replay.rest.create_agent(
            name,
            tools=["conversation_search"],
            parallel_tool_calls=name == "fixture-agent-parallel",
            tags=["aurora"],
            system="You are a fixture agent.",
            persona="I answer on Discord.",
        )
        for name in ("fixture-agent", "fixture-agent-parallel", "fixture-agent-approval")
    }
    agent_id = agents[WHO.get(scenario, "fixture-agent")]
    requests = json.dumps([exchange.request for exchange in replay.exchanges])
    for recorded in dict.fromkeys(_SOMEBODY.findall(requests)):
        if recorded.startswith("agent-"):
            if scenario not in OWN_AGENTS:
                replay.comparison.know(recorded, agent_id)
        elif scenario not in OWN_CONVERSATIONS:
            replay.comparison.know(recorded, await converse(replay, agent_id))


async def converse(replay: Replay, agent_id: str) -> str:
    """Create a conversation and return its id."""
    url = f"{replay.rest.url}/v1/conversations/?agent_id={agent_id}"
    async with aiohttp.ClientSession() as session, session.post(url, json={}) as response:
        created: str = (await response.json())["id"]
        return created


async def say(replay: Replay, conversation: str, body: dict[str, Any]) -> str:
    """Send something outside the recording and return the whole stream."""
    url = f"{replay.rest.url}/v1/conversations/{conversation}/messages"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        return await response.text()


def conversation_of(replay: Replay) -> str:
    """Name the double's conversation that stands for the recorded one."""
    (found,) = [live for live in replay.comparison.live.values() if live.startswith("conv-")]
    return found


def _agent_of(replay: Replay) -> str:
    (agent,) = [a for a in replay.rest.store.agents.values() if a.name == "fixture-agent"]
    return agent.id


async def _earlier_turns(replay: Replay, texts: list[str]) -> None:
    for text in texts:
        message = {"role": "user", "content": text}
        await say(replay, conversation_of(replay), {"messages": [message]})


async def main_thread(replay: Replay) -> None:
    """The agent was spoken to twice in its main thread."""
    for _ in range(2):
        body = {"messages": [{"role": "user", "content": "hello"}]}
        await say(replay, _agent_of(replay), body)


async def cancelled_late(replay: Replay) -> None:
    """The third piece was on its way to the client when the cancel came."""

    async def three_pieces() -> None:
        await replay.exchanges[0].has(4)

    replay.before[2] = three_pieces


async def paging(replay: Replay) -> None:
    """Three turns came before."""
    await _earlier_turns(replay, [f"[[say:answer {n}]]" for n in (1, 2, 3)])


async def two_runs(replay: Replay) -> None:
    """One run is over, one is active."""
    await _earlier_turns(replay, ["[[say:Hello!]]"])
    await replay.model.idle.wait()
    active = _earlier_turns(replay, ["[[sleep:3]] [[say:later]]"])
    task = asyncio.create_task(active)
    await replay.model.busy.wait()

    async def over() -> None:
        await task

    replay.before[2] = over


async def used_otids(replay: Replay) -> None:
    """The otids were used before, elsewhere: Redis knows them, Postgres has forgotten."""
    elsewhere = await converse(replay, _agent_of(replay))
    for exchange in replay.exchanges:
        body = exchange.request.get("json")
        if body and body.get("background"):
            await say(replay, elsewhere, body)
    replay.rest.store.runs.clear()


async def crash(replay: Replay) -> None:
    """The server is killed in the middle of the first stream, and comes back later."""
    (first, *_) = replay.exchanges

    async def kill() -> None:
        await first.has(4)
        await replay.rest.kill()

    replay.before |= {2: kill, 3: partial(replay.rest.restart, startup=0.0)}


async def last_run(replay: Replay) -> None:
    """The agent had a run before, in another conversation."""
    elsewhere = await converse(replay, _agent_of(replay))
    await say(replay, elsewhere, {"messages": [{"role": "user", "content": "hello"}]})


SETUPS: dict[str, Callable[[Replay], Awaitable[None]]] = {
    "messages_paging": paging,
    "runs": two_runs,
    "otid_replay": used_otids,
    "background_resume": used_otids,
    "server_crash": crash,
    "cancel_nothing": last_run,
    "cancel_background": cancelled_late,
    "pending_approval_then_message": main_thread,
}


@pytest.mark.parametrize("name", [name for name in ALL if name not in SPECIAL])
async def test_the_double_answers_as_recorded(boot: Boot, name: str) -> None:
    """Same status, same frames, same fields, same values, ids that correspond."""
    replay = await boot(name)
    if name in SETUPS:
        await SETUPS[name](replay)
    await replay.play()


async def test_a_password_is_asked_for_as_recorded(boot: Boot) -> None:
    """Without it, with a wrong one and with a wrong scheme: 401; health is open."""
    replay = await boot("auth", token="fixture-password")
    await replay.play()


async def test_without_redis_nothing_is_locked_as_recorded(boot: Boot) -> None:
    """Background is refused, and two runs in one conversation mix their messages."""
    replay = await boot("no_redis", redis=False)
    await replay.play()


async def test_models_are_listed_as_recorded(boot: Boot) -> None:
    """The recorded provider had a second model, which ours has not."""
    replay = await boot("models_list")
    listed = replay.exchanges[0].response["json"]
    replay.exchanges[0].response["json"] = [m for m in listed if m["name"] != "fake-chat"]
    await replay.play()


async def test_agents_are_listed_as_recorded(boot: Boot) -> None:
    """The agent that may call in parallel had its own model settings, which ours has not."""
    replay = await boot("agents_list")
    (_, parallel, usual) = replay.exchanges[4].response["json"]
    parallel["model_settings"] = usual["model_settings"]
    parallel["llm_config"] = {**usual["llm_config"], "parallel_tool_calls": True}
    await replay.play()
