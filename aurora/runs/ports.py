"""What the worker needs of the world, so that it needs no Discord."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol, runtime_checkable

from ..agents.protocol import AgentBackend, ToolCalled, ToolHost
from ..model import Event, State
from ..reasons import Reason
from ..words import Phrase


class Trace(StrEnum):
    """What of a turn is to be seen in Discord; of several the first that applies."""

    ANSWER = "answer"
    DOUBT = "doubt"  # something was sent, and whether it arrived can't be found out
    ELSEWHERE = "elsewhere"  # only what is no answer: a message or a reaction somewhere else
    END = "end"  # the person was told that there will be no answer
    NOTHING = "nothing"


class RunTools(ToolHost, Protocol):
    """The tools of one run, which can be shut."""

    async def close(self, reason: str) -> None:
        """Refuse every later call, and return when none is under way."""
        ...


@runtime_checkable
class Watcher(Protocol):
    """Tools of a run whose agent acts in Discord with tools of its own."""

    async def watch(self, call: ToolCalled) -> None:
        """Note what the agent does with a tool of its own."""
        ...


class Toolbox(Protocol):
    """Where a run's tools come from."""

    def open(self, event: Event, agent_id: str) -> RunTools:
        """Return the tools of a run for this event."""
        ...


class Delivery(Protocol):
    """What the worker asks of delivery; see delivery.py."""

    async def settle(self, event: Event, text: str, *, fallback: bool) -> tuple[State, Reason]:
        """See to it that the answer is in Discord; return the final state and its reason."""
        ...

    async def trace(self, event: Event) -> Trace:
        """Find out what of the turn is to be seen in Discord."""
        ...

    async def notice(
        self, event: Event, text: str, *, kind: Literal["outage", "end"] = "end"
    ) -> None:
        """Tell the person once that something is wrong: that it will be late, or its end."""
        ...

    async def call_off(self, event: Event) -> None:
        """Show the person that nothing will come of their message."""
        ...

    async def doubt(self, event: Event) -> None:
        """Show the person that an answer may not have arrived."""
        ...

    def typing(self, event: Event) -> AbstractAsyncContextManager[None]:
        """Show that somebody is at work."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """What the worker needs of the world outside the queue.

    `admit` returns why a claimed event may no longer run, or None; `alert` tells those who can
    mend a configuration.
    """

    backend: Callable[[], AgentBackend | None]
    toolbox: Toolbox
    delivery: Delivery
    admit: Callable[[Event], Coroutine[Any, Any, Reason | None]]
    alert: Callable[[Phrase], Awaitable[None]]
