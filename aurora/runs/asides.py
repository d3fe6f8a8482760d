"""Asides: what is asked of a model beside a turn, in a conversation that is thrown away.

They have no tools, and count as the turn's own: in its tokens, and in its budget.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

from ..agents.protocol import (
    Accepted,
    AgentBackend,
    ConversationKey,
    Finished,
    Forgetter,
    Input,
    RunEvent,
    ToolCalled,
    ToolResult,
    ToolSpec,
    Usage,
)
from ..ids import new_input_id
from ..model import Turn
from ..reasons import AgentError, Outcome, StuckError
from ..settings import Settings
from ..words import reasons as w
from .background import Background
from .ports import LookAtTools, none_of_its_own

_NONE = "There are no tools here: write your answer as text."


class NoTools:
    """The tools of a run that has none."""

    watched = False

    def __init__(self) -> None:
        self.broken: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """Offer nothing."""
        return ()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:  # noqa: ARG002 - a ToolHost has them
        """Refuse; nothing was offered."""
        return ToolResult(_NONE, is_error=True)

    def gathers(self, name: str) -> bool:  # noqa: ARG002 - as RunTools has it
        """Tell that nothing can be found out."""
        return False

    def speaks_here(self, call: ToolCalled) -> bool:  # noqa: ARG002 - as RunTools has it
        """Tell that nothing is posted."""
        return False

    def begin_anew(self) -> None:
        """Do nothing: nothing was done."""

    async def close(self, reason: str) -> None:
        """Do nothing: nothing is under way."""


class Asides:
    """Asks something beside a turn; each conversation is put away when it has been answered.

    On a server that runs tools of an agent's own those that are allowed stay within its reach.
    """

    def __init__(
        self, settings: Settings, background: Background, own_tools: LookAtTools = none_of_its_own
    ) -> None:
        self._own_tools = own_tools
        self._settings = settings
        self._background = background

    async def ask(
        self,
        turn: Turn,
        backend: AgentBackend,
        key: ConversationKey,
        text: str,
        model: str | None = None,
    ) -> str:
        """Return the answer; raise AgentError, or StuckError where the turn's budget is spent."""
        own: frozenset[str] = frozenset()
        meter = _Meter(turn, self._settings.guild(turn.speaker.guild_id).budget_tokens)
        try:
            if key.agent_id:
                own = await self._own_tools(backend, key.agent_id, watched=False)
            given = Input(*key, text, new_input_id(), own_tools=own, max_steps=2, model=model)
            async with aclosing(backend.run(given, NoTools())) as run:
                async for step in run:
                    if isinstance(step, Finished):
                        return _answer(step)
                    meter.saw(step)
        finally:
            self._put_away(backend, key)
        raise AgentError(Outcome.LOST, "")

    def _put_away(self, backend: AgentBackend, key: ConversationKey) -> None:
        async def forget(server: Forgetter) -> None:
            with suppress(AgentError):
                await server.forget_conversation(key)

        if isinstance(backend, Forgetter):
            self._background.start(forget(backend), "throws a conversation away")


class _Meter:
    """Counts what an aside costs its turn; what the server has not told is owed."""

    def __init__(self, turn: Turn, most: int) -> None:
        self._turn = turn
        self._most = most

    def saw(self, step: RunEvent) -> None:
        """Count a step."""
        turn = self._turn
        if isinstance(step, Accepted):
            turn.unmetered += 1
        elif isinstance(step, Usage):
            turn.unmetered = max(0, turn.unmetered - step.calls)
            turn.prompt_tokens += step.prompt_tokens
            turn.completion_tokens += step.completion_tokens
            turn.cached_tokens += step.cached_tokens
            turn.aside += step.completion_tokens + step.prompt_tokens
            if turn.aside > self._most:
                raise StuckError(w.OVER_LIMIT(what="tokens"))


def _answer(finished: Finished) -> str:
    if finished.outcome is not Outcome.COMPLETED:
        raise AgentError(finished.outcome, finished.detail)
    return finished.text
