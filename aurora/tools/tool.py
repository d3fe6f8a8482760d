"""What a tool is made of, and what it gets to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import discord

from ..agents.memory import Memory
from ..agents.protocol import ToolResult, ToolSpec
from ..chat.deeds import Deeds
from ..chat.places import Place
from ..chat.sender import Sender
from ..clock import Clock
from ..guard.budget import Budget
from ..guard.looking import Guard
from ..guard.policy import WIDER, Act, Denied, Target
from ..guard.remembering import MemoryGuard
from ..ledger import Store
from ..model import Event, Turn
from ..reasons import AuroraError, Reason
from ..settings import GuildSettings
from .arguments import Arguments
from .attachments import Files
from .offers import Offers

_MEMORY_ACTS = frozenset({Act.MEMORY_LIST, Act.MEMORY_READ, Act.MEMORY_WRITE, Act.MEMORY_DELETE})
"""What is done to no channel, but to an agent's memory."""


class ToolError(AuroraError):
    """A tool did not do what it was asked to; the text tells the agent why.

    `reason` names it for the ledger, where it is one by which an event may end.
    """

    def __init__(self, text: str, reason: Reason | None = None) -> None:
        super().__init__(text)
        self.reason = reason


class WiderAudience(ToolError):  # noqa: N818 - named for what is there
    """A text would reach people who may not read where it is from; the asker may decide it."""

    def __init__(self, place: Place) -> None:
        super().__init__(WIDER.text, WIDER.code)
        self.place = place


@dataclass(slots=True)
class Progress:
    """What has become of a run so far.

    `sent` are the keys of its sends, `held_up` those of which the agent was told that they are not
    all out. Where the agent's server has begun the run anew, `before` are those from before that.
    """

    sent: list[str] = field(default_factory=list)
    held_up: list[str] = field(default_factory=list)
    before: frozenset[str] = frozenset()


class Scope(NamedTuple):
    """One run and all that its tools may use."""

    bot: discord.Client
    store: Store
    sender: Sender
    deeds: Deeds
    guard: Guard
    clock: Clock
    offers: Offers
    turn: Turn
    agent_id: str
    memory: Memory | None
    budget: Budget
    files: Files
    memory_guard: MemoryGuard
    settings: GuildSettings
    ensure_open: Callable[[], None]
    progress: Progress

    @property
    def event(self) -> Event:
        """Return the event that speaks for the turn."""
        return self.turn.speaker

    async def permit(self, act: Act, target: Target) -> Place | discord.DMChannel | None:
        """Return the channel an act is about, if the run may do this; raise ToolError."""
        answer = await self.guard.ask(self.turn, act, target)
        if isinstance(answer, Denied) and answer.place is not None and act is Act.SEND:
            raise WiderAudience(answer.place)
        if isinstance(answer, Denied):
            raise ToolError(answer.text, answer.code)
        if act in _MEMORY_ACTS:
            await self.permit_memory(act, target.path)
        # The run may have been ended while Discord was asked.
        self.ensure_open()
        return answer.place

    async def permit_memory(self, act: Act, path: str | None) -> None:
        """Raise ToolError unless the run may do this with a file of its agent's memory now."""
        if path is None:
            denied = await self.memory_guard.may_list(self.event)
        else:
            denied = await self.memory_guard.denial(self.event, self.agent_id, act, path)
        if denied is not None:
            raise ToolError(denied.text, denied.code)
        self.ensure_open()


class Call(NamedTuple):
    """One call of a tool that may be done: its arguments, and the channel that it is about.

    `held_up` are the sends of which its agent knew that they were not out when it made the call.
    """

    scope: Scope
    arguments: Arguments
    place: Place | discord.DMChannel | None
    held_up: tuple[str, ...] = ()

    @property
    def channel(self) -> Place | discord.DMChannel:
        """Return the channel of a tool whose target always names one."""
        if self.place is None:
            raise ToolError("This call is about no channel.")
        return self.place


class Tool(NamedTuple):
    """A tool and what it does.

    `act` and `target` say what the guard is asked, before `run` does it. `alters` makes its calls
    wait for each other; `answers` says that people see what it does, `gathers` that its agent gets
    to know something by it: what was sent before such a call was not yet the answer. What is done
    `here` is about the place where the agent was asked, which its arguments do not name; what
    `ends` is the last thing that the run does.
    """

    spec: ToolSpec
    act: Act
    target: Callable[[Arguments], Target]
    run: Callable[[Call], Awaitable[str | ToolResult]]
    alters: bool = False
    answers: bool = False
    gathers: bool = False
    here: bool = False
    ends: bool = False
