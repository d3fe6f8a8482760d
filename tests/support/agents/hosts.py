"""Tool hosts and inputs for the tests of agent servers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from aurora.agents.protocol import (
    AgentBackend,
    ConversationMoved,
    Finished,
    Input,
    RunEvent,
    ToolResult,
    ToolSpec,
)

_IDS = itertools.count(1)
_TEXT = {"type": "string"}
CALL = '[[tool:discord_send {"message":"hi"}]]'
"""What lets a scripted model call a tool."""


class Tools:
    """A ToolHost that notes its calls; `delay` is in seconds, `fails` raises instead."""

    def __init__(self, *names: str, delay: float = 0.0, fails: bool = False) -> None:
        self.names = names or ("discord_send",)
        self.delay = delay
        self.fails = fails
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.called = asyncio.Event()

    @property
    def specs(self) -> Sequence[ToolSpec]:
        schema = {"type": "object", "properties": {"message": _TEXT}}
        return [ToolSpec(name, f"The tool {name}.", schema) for name in self.names]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        self.calls.append((name, dict(arguments)))
        self.called.set()
        await asyncio.sleep(self.delay)
        if self.fails:
            raise RuntimeError("secret words of a user")
        return ToolResult("sent message 3003")


def given(agent_id: str, conversation_id: str, text: str) -> Input:
    """Make an input with an id that was never used."""
    return Input(agent_id, conversation_id, text, f"input-{next(_IDS)}")


async def play(backend: AgentBackend, one: Input, tools: Tools | None = None) -> list[RunEvent]:
    """Give an agent an input and return all events of its run."""
    return [event async for event in backend.run(one, tools or Tools())]


def end_of_run(events: list[RunEvent]) -> Finished:
    """Return the last event, which must be the only Finished."""
    assert [type(event) for event in events].count(Finished) == 1
    last = events[-1]
    assert isinstance(last, Finished)
    return last


def moved(events: list[RunEvent]) -> list[str]:
    """Return the conversations a run moved to."""
    return [event.conversation_id for event in events if isinstance(event, ConversationMoved)]
