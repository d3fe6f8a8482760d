"""What an agent does in an attempt, noted in the ledger as it happens."""

from __future__ import annotations

from ..agents.protocol import Reasoning, RunEvent, Text, ToolCalled, ToolHost, ToolReturned
from ..clock import Clock
from ..ledger import Store
from ..model import Step, StepKind, Turn

MOST_STEPS = 200
"""How many steps of an attempt are kept."""


class Steps:
    """Notes what the agent does in the ledger, without a word of it."""

    def __init__(self, store: Store, clock: Clock, turn: Turn, tools: ToolHost) -> None:
        self._store = store
        self._clock = clock
        self._turn = turn
        self._offered = {spec.name for spec in tools.specs}
        self._called: dict[str, str] = {}
        self._last: object = None
        self._left = MOST_STEPS

    async def saw(self, step: RunEvent) -> None:
        """Note calls with their ends, each text, and that the agent thinks."""
        last, self._last = self._last, step
        match step:
            case ToolCalled():
                tool = step.name if step.name in self._offered else ""
                self._called[step.call_id] = tool
                await self._note("call", tool)
            case ToolReturned():
                tool = self._called.pop(step.call_id, "")
                await self._note("error" if step.is_error else "return", tool)
            case Text():
                if not isinstance(last, Text) or last.message_id != step.message_id:
                    await self._note("text")
            case Reasoning():
                if not isinstance(last, Reasoning):
                    await self._note("reasoning")
            case _:
                # What a server tells of itself cuts no text in two.
                self._last = last

    async def _note(self, kind: StepKind, tool: str = "") -> None:
        if self._left > 0:
            self._left -= 1
            turn, at = self._turn, self._clock.time()
            await self._store.note_step(Step(turn.id, turn.attempts, at, kind, tool))
