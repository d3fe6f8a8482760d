"""Ends a run whose agent goes round in circles, as seen in its stream.

What an agent does in Discord has its own bounds: `guard/budget.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..agents.protocol import (
    ModelCalled,
    RunEvent,
    ServerFound,
    ToolCalled,
    ToolHost,
    ToolReturned,
    Usage,
)
from ..model import Turn
from ..reasons import StuckError
from ..settings import Settings
from ..words import reasons as w

SAME_ERRORS = 3
"""How many calls of the model in a row may lead to the same error of a tool."""
SAME_CALLS = 5
"""How often in a row the same call may be made."""
NOTHING_NEW = 5
"""How many calls in a row may repeat earlier ones, in whatever order."""


class LoopGuard:
    """Observes one attempt; StuckError ends it."""

    def __init__(self, settings: Settings, turn: Turn, _tools: ToolHost) -> None:
        self._settings = settings.guild(turn.speaker.guild_id)
        self._steps = 0
        self._tokens = turn.aside
        self._prompt: int | None = None
        self._call: tuple[str, Mapping[str, Any]] | None = None
        self._calls = self._repeats = 0
        self._made: set[int] = set()
        self._names: dict[str, str] = {}
        self._error: tuple[str, int] | None = None
        self._errors = 0
        self._erred_at = 0

    async def saw(self, step: RunEvent) -> None:
        """Count a step; raise StuckError where it is one too many."""
        match step:
            case ModelCalled():
                self._steps += 1
                if self._steps > (most := self._settings.max_steps):
                    raise StuckError(w.OVER_STEPS(count=most))
            case ServerFound(anew=True):
                # What it did before its server was restarted, it does once more.
                self._steps = self._calls = self._repeats = self._errors = 0
                self._call = self._error = None
                self._made.clear()
            case Usage():
                self._pay(step)
            case ToolCalled():
                self._called(step)
            case ToolReturned():
                self._returned(step)

    def _pay(self, usage: Usage) -> None:
        """Count what the model writes, and what its prompt grows by.

        The standing prompt, which each call has again, is not counted. Where several calls are
        summed up, their mean stands for each.
        """
        prompt = usage.prompt_tokens // usage.calls
        # One that shrinks was compacted: what it grows by after that counts again.
        grown = 0 if self._prompt is None else max(0, prompt - self._prompt)
        self._prompt = prompt
        self._tokens += usage.completion_tokens + grown
        if self._tokens > self._settings.budget_tokens:
            raise StuckError(w.OVER_LIMIT(what="tokens"))

    def _called(self, call: ToolCalled) -> None:
        self._names[call.call_id] = call.name
        same = (call.name, call.arguments)
        self._calls = self._calls + 1 if same == self._call else 1
        self._call = same
        if self._calls >= SAME_CALLS:
            raise StuckError(w.SAME_CALL(count=SAME_CALLS))
        known = hash(repr(same))
        self._repeats = self._repeats + 1 if known in self._made else 0
        self._made.add(known)
        if self._repeats >= NOTHING_NEW:
            raise StuckError(w.NOTHING_NEW(count=NOTHING_NEW))

    def _returned(self, end: ToolReturned) -> None:
        name = self._names.pop(end.call_id, "")
        if not end.is_error:
            self._error = None
            return
        same = (name, end.fault)
        if same != self._error:
            self._errors = 0
        elif self._steps == self._erred_at:
            # Calls made at once: the agent has read of none of their errors yet.
            return
        self._error, self._erred_at = same, self._steps
        self._errors += 1
        if self._errors >= SAME_ERRORS:
            raise StuckError(w.SAME_ERROR(count=SAME_ERRORS))
