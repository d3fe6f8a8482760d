"""What runs need of the world outside the queue, so that they need no Discord."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from ..agents.protocol import AgentBackend, RunEvent, ToolCalled, ToolHost
from ..files import Attachment
from ..model import Event, Said, Trace, Turn
from ..model.progress import Progress
from ..reasons import Reason
from ..words import Phrase


class RunTools(ToolHost, Protocol):
    """The tools of one run, which can be shut.

    Where the run is `watched` nothing is offered: its agent acts in Discord with its own tools.
    `broken` is done, with the reason, once a call has ended the run: the ledger does not work, or
    Discord has not brought the server yet, or (StuckError) the agent is far over its budget. That
    call never returns.
    """

    watched: bool
    broken: asyncio.Future[Exception]

    def gathers(self, name: str) -> bool:
        """Tell whether an agent gets to know something by a tool."""
        ...

    def speaks_here(self, call: ToolCalled) -> bool:
        """Tell whether a call posts something where the agent was asked."""
        ...

    def begin_anew(self) -> None:
        """Note that the agent's server begins the run anew: its agent knows of nothing."""
        ...

    async def close(self, reason: str) -> None:
        """Refuse every later call, and return when none is under way."""
        ...


class Toolbox(Protocol):
    """Where a run's tools come from."""

    def open(self, turn: Turn, agent_id: str) -> RunTools:
        """Return the tools of a run for this turn."""
        ...


class Typing(Protocol):
    """Shows typing while inside, and follows the run to know when; see chat/typing.py."""

    async def __aenter__(self) -> object:
        """Begin."""
        ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None:
        """End."""
        ...

    async def saw(self, step: RunEvent) -> None:
        """Hear of a step of the run."""
        ...


class Lines(Protocol):
    """The progress lines of events; see chat/progress.py. Nothing here is waited for."""

    def has(self, event: Event) -> bool:
        """Tell whether an event has a line already."""
        ...

    def show(self, event: Event, progress: Progress) -> None:
        """Show how far an event is."""
        ...

    def remove(self, event: Event) -> None:
        """Take an event's line away, if it has one."""
        ...


class NoLines:
    """Shows nobody anything."""

    def has(self, _event: Event) -> bool:
        """Have none."""
        return False

    def show(self, _event: Event, _progress: Progress) -> None:
        """Show nothing."""

    def remove(self, _event: Event) -> None:
        """Have nothing to take away."""


class Delivery(Protocol):
    """What runs ask of delivery; see chat/delivery.py."""

    async def settle(self, turn: Turn, said: Said, *, fallback: bool) -> Reason | None:
        """See to it that the answer is in Discord; return by what reason the turn ends, if now."""
        ...

    async def trace(self, turn: Turn) -> Trace:
        """Find out what of the turn is to be seen in Discord."""
        ...

    async def show_unfinished(self, turn: Turn) -> None:
        """Show that the agent had begun to add something to its answer."""
        ...

    async def show_ends(self, turn: Turn, reason: Reason) -> None:
        """Show the person, on each message, that there will be no answer."""
        ...

    async def show_stuck(self, turn: Turn, why: Phrase | str, way: str) -> None:
        """Show that a turn got stuck, and what there is to try; `way` is a WayOn."""
        ...

    async def call_off(self, event: Event) -> None:
        """Show the person that nothing will come of their message."""
        ...

    async def show_stopped(self, turn: Turn, user_id: int) -> None:
        """Show, on each message of a turn, that somebody has stopped it, and say who."""
        ...

    def typing(self, event: Event, tools: RunTools) -> Typing:
        """Show that somebody is at work, until the answer is out."""
        ...


class Audience(Protocol):
    """What runs ask of a lane's audience; see guard/conversations.py.

    Both raise RunBrokenError if Discord did not say.
    """

    async def lacks_history(self, event: Event) -> bool:
        """Tell whether who asks may not read what was said before in the place."""
        ...

    async def has_outgrown(self, event: Event, sources: Mapping[int, str]) -> bool:
        """Tell whether somebody in the place may not read one of the places read into it."""
        ...


class LookAtTools(Protocol):
    """How a run learns which of its agent's own tools may run beside it."""

    async def __call__(
        self, backend: AgentBackend, agent_id: str, /, *, watched: bool
    ) -> frozenset[str]:
        """Return their names; raise AgentError if it has one that nobody has allowed."""
        ...


async def none_of_its_own(
    _backend: AgentBackend,
    _agent_id: str,
    *,
    watched: bool,  # noqa: ARG001 - as LookAtTools has it
) -> frozenset[str]:
    """Let none of an agent's own tools run."""
    return frozenset()


async def _no_files(_turn: Turn) -> tuple[Attachment, ...]:
    return ()


async def _tell_nobody(_event: Event) -> None:
    pass


class Judged(Protocol):
    """What an agent learns of what people think of its answers; see runs/feedback.py."""

    async def news(self, agent_id: str, lane: str) -> bool | None:
        """Return whether the last answer was good, if the agent has not been told; else None."""
        ...

    async def tell(self, agent_id: str, lane: str) -> None:
        """Keep that the agent has been told."""
        ...


class NotJudged:
    """Nobody thinks anything."""

    async def news(self, _agent_id: str, _lane: str) -> bool | None:
        """Know of nothing."""
        return None

    async def tell(self, _agent_id: str, _lane: str) -> None:
        """Keep nothing."""


class Ports(NamedTuple):
    """What runs need of the world outside the queue.

    `welcome` returns why a claimed event may no longer run, or None. `late` hears of a turn that
    has to wait since its agent can't be reached. `alert` tells those who can mend a configuration,
    and `renewed` that a place has a new conversation, since more people come to read it.
    `own_tools` names those of an agent's own tools that may run, as OwnTools.admit does. `files`
    opens what came with a turn's messages, and raises AgentError; `unseen` tells a person that
    their pictures were not seen. `lines` show how far a run is, and `feedback` knows what people
    think of answers.
    """

    backend: Callable[[], AgentBackend | None]
    toolbox: Toolbox
    delivery: Delivery
    welcome: Callable[[Event], Coroutine[Any, Any, Reason | None]]
    late: Callable[[Turn, str], Awaitable[None]]
    alert: Callable[[Phrase], Awaitable[None]]
    audience: Audience
    renewed: Callable[[Event], None]
    own_tools: LookAtTools = none_of_its_own
    files: Callable[[Turn], Awaitable[tuple[Attachment, ...]]] = _no_files
    unseen: Callable[[Event], Awaitable[None]] = _tell_nobody
    lines: Lines = NoLines()
    feedback: Judged = NotJudged()
