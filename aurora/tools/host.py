"""The tools of a run: offered, called one after the other, and shut when the run is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import discord

from ..agents.memory import Memory
from ..agents.protocol import ToolCalled, ToolResult, ToolSpec
from ..chat.deeds import Deeds
from ..chat.failures import FAILURES, GuildNotHereError, explain
from ..chat.sender import Sender
from ..clock import Clock
from ..guard.acts import POSTING
from ..guard.budget import Budget
from ..guard.looking import Guard
from ..guard.remembering import MemoryGuard
from ..ledger import LedgerError, Store
from ..model import Turn
from ..reasons import Reason, StuckError
from ..settings import GuildSettings
from .arguments import Arguments, BadArgument
from .attachments import Files
from .choice import tools_for
from .offering import offer
from .offers import Offers
from .seen import closing_line, gathers
from .tool import Call, Progress, Scope, Tool, ToolError, WiderAudience

log = logging.getLogger("red.aurora.tools")

_ENDS_THE_RUN = (LedgerError, GuildNotHereError, StuckError)
_ASKED = "You have asked, and your turn is over. Call no more tools: NO_REPLY ends it."
_BROKEN = "Aurora can do nothing more in this run."


class Toolbox:
    """Makes the tools of each run.

    `memory` returns what may be the agents' memory at the moment: the backend in use. Memory
    tools are offered if it is a Memory; `memory_guard` decides about their calls. `settings`
    returns those of a guild.
    """

    def __init__(
        self,
        bot: discord.Client,
        store: Store,
        sender: Sender,
        guard: Guard,
        clock: Clock,
        memory: Callable[[], object] = lambda: None,
        offers: Offers | None = None,
        settings: Callable[[int | None], GuildSettings] = lambda _guild_id: GuildSettings(),
        memory_guard: MemoryGuard | None = None,
        files: Files | None = None,
    ) -> None:
        self._bot = bot
        self._store = store
        self._sender = sender
        self._deeds = Deeds(store, sender)
        self._guard = guard
        self._clock = clock
        self._memory = memory
        self._offers = offers or Offers(store, sender, guard, clock)
        self._settings = settings
        self._memory_guard = memory_guard or MemoryGuard(store, guard)
        self._files = files or Files(bot, guard)

    def open(self, turn: Turn, agent_id: str) -> RunTools:
        """Return the tools of a run for this turn, by this agent."""
        found = self._memory()
        memory = found if isinstance(found, Memory) else None
        speaker = turn.speaker
        settings = self._settings(speaker.guild_id)
        tools = list(tools_for(speaker, settings, memory=memory is not None))
        budget = Budget(settings, speaker.channel_id)

        def scope(ensure_open: Callable[[], None]) -> Scope:
            return Scope(
                bot=self._bot,
                store=self._store,
                sender=self._sender,
                deeds=self._deeds,
                guard=self._guard,
                clock=self._clock,
                offers=self._offers,
                turn=turn,
                agent_id=agent_id,
                memory=memory,
                budget=budget,
                files=self._files,
                memory_guard=self._memory_guard,
                settings=settings,
                ensure_open=ensure_open,
                progress=Progress(),
            )

        return RunTools(tools, scope)


class RunTools:
    """The ToolHost of one run."""

    watched = False

    def __init__(
        self, tools: Sequence[Tool], scope: Callable[[Callable[[], None]], Scope]
    ) -> None:
        self.broken: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._tools = {tool.spec.name: tool for tool in tools}
        self._scope = scope(self._ensure_open)
        self._alone = asyncio.Lock()
        self._closed: str | None = None
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """List the tools on offer."""
        return [tool.spec for tool in self._tools.values()]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Run a tool; a refusal or a failure is a result with `is_error`, never an exception.

        If the ledger fails, or the server is not there, or the agent is stuck, the run is
        `broken`: this call has no result, nor has what is under way. What the agent meant to say
        is not kept, nor is it the agent's to say it again: told that its answer had failed, it
        might end with a "Done." that would be given for the answer.
        """
        begun = not self.broken.done()
        try:
            result = await self._call(name, arguments)
            if not (begun and self.broken.done()):
                return result
        except _ENDS_THE_RUN as error:
            self._closed = self._closed or _BROKEN
            if not self.broken.done():
                self.broken.set_result(error)
        # Until whoever runs the agent has left the run, and cancels its calls.
        never: asyncio.Future[ToolResult] = asyncio.get_running_loop().create_future()
        return await never

    def gathers(self, name: str) -> bool:
        """Tell whether an agent gets to know something by a tool."""
        return name in self._tools and self._tools[name].gathers

    def speaks_here(self, call: ToolCalled) -> bool:
        """Tell whether a call posts something where the agent was asked."""
        tool = self._tools.get(call.name)
        if tool is None or tool.act not in POSTING:
            return False
        where = Arguments(call.arguments).snowflake_or_none("channelId")
        return tool.here or where == self._scope.event.channel_id

    def begin_anew(self) -> None:
        """Note that the agent's server begins the run anew: its agent knows of nothing."""
        self._scope.progress.before = frozenset(self._scope.progress.sent)

    async def _call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        tool = self._tools.get(name)
        if tool is None:
            return ToolResult(
                f"There is no tool {name}. You have: {', '.join(self._tools)}.", True
            )
        held_up = tuple(self._scope.progress.held_up)
        self._under_way += 1
        self._idle.clear()
        try:
            # Two equal sends at once would each find that nothing was sent yet.
            async with self._alone if tool.alters else nullcontext():
                result = await self._result(tool, arguments, held_up)
                if tool.ends and not result.is_error:
                    self._closed = self._closed or _ASKED
                if self._closed is not None:
                    return result
                line = await closing_line(self._scope, tool)
                return result._replace(text=result.text + line)
        except _ENDS_THE_RUN:
            raise
        except Exception:
            log.exception("Tool %s failed for event %s", name, self._scope.event.id)
            return ToolResult(f"{name} failed because of a mistake in Aurora.", True)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def _result(
        self, tool: Tool, arguments: Mapping[str, Any], held_up: tuple[str, ...]
    ) -> ToolResult:
        try:
            done = await self._do(tool, Arguments(arguments), held_up)
            return done if isinstance(done, ToolResult) else ToolResult(done)
        except _ENDS_THE_RUN:
            raise
        except ToolError as refusal:
            self._note(tool, refusal.reason)
            return ToolResult(str(refusal), True)
        except BadArgument as refusal:
            self._note(tool, Reason.MISUSED)
            return ToolResult(str(refusal), True)
        except FAILURES as error:
            failure = explain(error)
            self._note(tool, failure.reason)
            return ToolResult(f"{tool.spec.name} failed. {failure}", True)

    async def _do(
        self, tool: Tool, arguments: Arguments, held_up: tuple[str, ...]
    ) -> str | ToolResult:
        """Do a call: its arguments are read, the budget pays for it, the guard permits it."""
        self._ensure_open()
        target = tool.target(arguments)
        if tool.here:
            target = target._replace(channel_id=self._scope.event.channel_id)
        budget = self._scope.budget
        if (spent := budget.spend(tool.act, target)) is not None:
            raise ToolError(spent)
        try:
            place = await self._scope.permit(tool.act, target)
        except WiderAudience as refused:
            if tool.here:
                raise
            return await offer(self._scope, refused, arguments.text("message"))
        except ToolError as refusal:
            if refusal.reason is Reason.UNKNOWN_CHANNEL:
                budget.led_nowhere(target)
            raise
        if tool.gathers:
            await gathers(self._scope.store, self._scope.event)
        return await tool.run(Call(self._scope, arguments, place, held_up))

    async def close(self, reason: str) -> None:
        """Refuse every later call with this reason, and return when none is under way."""
        self._closed = self._closed or reason
        await self._idle.wait()

    def _note(self, tool: Tool, reason: Reason | None) -> None:
        """Keep why an answer did not get out: if nothing else does, the turn ends by it."""
        if tool.answers and reason is not None:
            self._scope.turn.refused = reason

    def _ensure_open(self) -> None:
        if self._closed is not None:
            raise ToolError(self._closed)
