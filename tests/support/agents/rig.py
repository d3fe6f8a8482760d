"""A REST server with a scripted model, and the backend in front of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

from aurora.agents.protocol import (
    Input,
    RunEvent,
    RunStarted,
    Text,
)
from aurora.agents.rest import LettaRest
from doubles import letta_rest
from doubles.llm import ScriptedLLM
from tests.support.agents.hosts import Tools, given, play

Load = Callable[[], ModuleType]
"""What the backend calls to get the SDK."""
# Some dozen pieces as the model streams them.
WORDS = " ".join(f"word{number}" for number in range(40))


class Rig:
    """One server, one agent and one conversation; more are easily made."""

    def __init__(
        self, llm: ScriptedLLM, server: letta_rest.LettaRest, backend: LettaRest, agent_id: str
    ) -> None:
        self.llm = llm
        self.server = server
        self.backend = backend
        self.agent_id = agent_id
        self.conversation_id = ""

    def given(self, text: str) -> Input:
        """Make a turn in the usual conversation."""
        return given(self.agent_id, self.conversation_id, text)

    async def play(self, text: str, tools: Tools | None = None) -> list[RunEvent]:
        """Run a turn to its end."""
        return await play(self.backend, self.given(text), tools)

    def posted(self, part: str) -> list[Any]:
        """Return the bodies of all POST requests whose path ends so."""
        return [
            body
            for method, path, body in self.server.requests
            if method == "POST" and path.partition("?")[0].endswith(part)
        ]

    def fault(self, **what: Any) -> None:
        """Let something go wrong with the next message that is sent."""
        what.setdefault("path", f"{self.conversation_id}/messages")
        what.setdefault("method", "POST")
        self.server.faults.append(letta_rest.Fault(**what))

    async def stored(self) -> list[str]:
        """Return what the model is shown of the people's messages so far."""
        await self.play("[[say:what was said?]]")
        messages = self.llm.requests[-1]["messages"]
        said = [one["content"] for one in messages if one["role"] == "user"]
        return [one if isinstance(one, str) else one[0]["text"] for one in said]


@asynccontextmanager
async def rig(
    load: Load,
    *,
    redis: bool = True,
    patience: float = 0.5,
    stall_limit: float = 1.0,
    reconnect_limit: float = 5.0,
    quiet_limit: float = 5.0,
) -> AsyncIterator[Rig]:
    """Start all of it; the double must not have met anything it could not do."""
    llm = ScriptedLLM()
    await llm.start()
    server = letta_rest.LettaRest(llm.provider, redis=redis, keepalive=0.2, backoff=0.01)
    await server.start()
    backend = LettaRest(
        server.url,
        server.token,
        load=load,
        direct=True,
        patience=patience,
        stall_limit=stall_limit,
        reconnect_limit=reconnect_limit,
        quiet_limit=quiet_limit,
        drain_limit=3.0,
    )
    agent_id = server.create_agent("one", parallel_tool_calls=True, tools=["conversation_search"])
    town = Rig(llm, server, backend, agent_id)
    town.conversation_id = await backend.open_conversation(agent_id, "discord:1:2")
    try:
        yield town
    finally:
        await backend.close()
        await server.stop()
        await llm.stop()
    assert not server.crashes, server.crashes


async def run_until(town: Rig, one: Input, tools: Tools, reached: asyncio.Event) -> None:
    """Run a turn and leave it when `reached` is set."""
    playing = asyncio.create_task(play(town.backend, one, tools))
    await reached.wait()
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)


async def leave_after(town: Rig, one: Input, kind: type[RunStarted] | type[Text]) -> str:
    """Run a turn and leave it at the first event of a kind; return the run's id."""
    run_id, run = "", town.backend.run(one, Tools())
    async for event in run:
        if isinstance(event, RunStarted):
            run_id = event.run_id
        if isinstance(event, kind):
            break
    await run.aclose()
    return run_id
