"""An agent server that plays what a test wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from aurora.agents.protocol import (
    Accepted,
    AgentInfo,
    AgentModel,
    Finished,
    Input,
    RunEvent,
    ToolHost,
)
from aurora.reasons import AgentError, Outcome
from tests.support.lives import Life

NEVER = object()
"""A script step that never ends."""


def done(text: str = "") -> Finished:
    """Return the end of a run that went well."""
    return Finished(Outcome.COMPLETED, text)


def by_tool(text: str, channel: int = 1) -> Any:
    """Return a script step in which the agent sends something by tool."""

    async def act(tools: ToolHost) -> None:
        await tools.call("discord_send", {"channelId": str(channel), "message": text})

    return act


class ScriptedBackend:
    """An agent server that plays what a test wrote for each turn, in order; then "Hello."."""

    url = "ws://test"

    def __init__(self, *turns: Sequence[Any]) -> None:
        self.turns = list(turns)
        self.seen: list[Input] = []
        self.aborted = 0
        self.open_errors: list[AgentError] = []
        self.opened = 0
        self.tools: ToolHost | None = None
        self.life = Life()
        self.away = False
        self.sees: bool | None = True
        self.pinged = 0

    async def ping(self) -> None:
        self.pinged += 1
        if self.away:
            raise AgentError(Outcome.UNREACHABLE, "refused")

    async def agent(self, agent_id: str) -> AgentInfo:
        return AgentInfo(agent_id, "Agent")

    async def model(self, _agent_id: str) -> AgentModel:
        return AgentModel("scripted", sees=self.sees)

    async def open_conversation(self, agent_id: str, _title: str) -> str:
        await self.life.point("open_conversation", AgentError(Outcome.UNREACHABLE, "refused"))
        if self.open_errors:
            raise self.open_errors.pop(0)
        self.opened += 1
        return f"{agent_id}-conv-{self.opened}"

    async def run(self, given: Input, tools: ToolHost) -> AsyncGenerator[RunEvent, None]:
        self.seen.append(given)
        if self.away:
            yield Finished(Outcome.UNREACHABLE, detail="refused")
            return
        await self.life.point("run", RuntimeError("a bug"), after=True)
        script: Sequence[Any] = self.turns.pop(0) if self.turns else self.default()
        try:
            for step in script:
                if step is NEVER:
                    self.tools = tools
                    await asyncio.Event().wait()
                elif callable(step):
                    await step(tools)
                elif isinstance(step, Exception):
                    raise step
                else:
                    if isinstance(step, Finished):
                        self.ended(given, step)
                    await self.life.point("run goes on", RuntimeError("a bug"), after=True)
                    yield step
        except asyncio.CancelledError:
            self.aborted += 1
            raise

    def default(self) -> Sequence[Any]:
        """Return the script of a turn that none was written for."""
        return [Accepted(), done("Hello.")]

    def ended(self, given: Input, finished: Finished) -> None:
        """Note how a run ended; a server without a memory does not."""

    async def close(self) -> None:
        pass


class RememberingBackend(ScriptedBackend):
    """A server that can be asked how a run ended, even if its caller never heard of it."""

    def __init__(self, *turns: Sequence[Any]) -> None:
        super().__init__(*turns)
        self.ends: dict[tuple[str, str, str], Finished] = {}
        self.recalled: list[Input] = []
        self.recall_errors: list[AgentError] = []

    def ended(self, given: Input, finished: Finished) -> None:
        known = finished.outcome not in (Outcome.UNREACHABLE, Outcome.BUSY, Outcome.CONFIG)
        if known:
            self.ends[given.agent_id, given.conversation_id, given.input_id] = finished

    async def recall(self, given: Input) -> Finished | None:
        self.recalled.append(given)
        await self.life.point("recall", AgentError(Outcome.UNREACHABLE, "refused"))
        if self.recall_errors:
            raise self.recall_errors.pop(0)
        return self.ends.get((given.agent_id, given.conversation_id, given.input_id))
