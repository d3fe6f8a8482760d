"""One attempt: a turn's prompt goes to its agent, and what the agent does is followed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..agents.protocol import (
    Accepted,
    AgentBackend,
    ConversationMoved,
    Finished,
    Input,
    Reasoning,
    RunEvent,
    RunStarted,
    ServerFound,
    Text,
    ToolCalled,
)
from ..clock import Clock
from ..errors import Permits, RetryConfig, retry_with_backoff
from ..files import Attachment
from ..ids import new_input_id
from ..ledger import Store
from ..model import Said, Turn
from ..prompts import DISCORD_TOOLS, build_prompt
from ..reasons import AgentError, Outcome, Reason, RunBrokenError, StuckError
from ..settings import GuildSettings
from ..words import servers as w
from .agent_time import AgentTime
from .claim import Plan
from .observers import Observer
from .ports import LookAtTools, Ports, RunTools
from .saying import Saying

PATIENT_SECONDS = 300
"""How long a run may take whose asker is called when it is done."""
RUN_OVER = "This run is over; nothing more can be sent."
_STUCK = "This run went round in circles and was ended; nothing more can be sent."
_TIME_OVER = "The time for this run is over; nothing more can be sent."


class Attempted(NamedTuple):
    """What one call of an agent came to.

    `accepted` says that the server took the input, `said` what was written and not sent. A
    `watched` run acts with tools that nobody can shut: lost, it may still go on. What is known of
    a run that an Aurora before this one began is an Attempted too.
    """

    reason: Reason
    finished: Finished
    accepted: bool = True
    watched: bool = False
    said: Said = Said()


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One call of an agent for a turn, from the breakers' permits to its result."""

    turn: Turn
    backend: AgentBackend
    agent_id: str
    tools: RunTools
    own_tools: LookAtTools
    observers: Sequence[Observer]
    permits: Permits
    plan: Plan | None
    settings: GuildSettings
    store: Store
    ports: Ports
    clock: Clock
    retries: RetryConfig
    typing: AbstractAsyncContextManager[object]
    accepted: bool = False
    files: tuple[Attachment, ...] = ()
    judged: bool | None = None
    time: AgentTime = field(init=False)
    saying: Saying = field(init=False)

    async def run(self) -> Attempted:
        """Call the agent, within the time limit; the tools are shut when this returns.

        Raise RunBrokenError if a tool failed through no fault of the agent's.
        """
        name = f"aurora call: {self.turn.speaker.id}"
        self.saying = Saying(self.tools)
        self.time = AgentTime(self.clock, self._seconds, self.backend.ping)
        calling = asyncio.create_task(self.send_to_agent(), name=name)
        timing = asyncio.create_task(self.time.wait(), name=name)
        try:
            async with self.typing:
                ends: set[asyncio.Future[Any]] = {calling, timing, self.tools.broken}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if self.tools.broken.done():
                return await self._break_off(self.tools.broken.result())
            if not calling.done():
                # A send that is under way may arrive; what the agent tries later may not.
                await self.tools.close(_TIME_OVER)
            if not calling.done() and not self.time.is_away:
                finished = Finished(Outcome.CANCELLED, detail=w.NO_ANSWER_IN_TIME)
                return self._attempted(Reason.TIMEOUT, finished)
            finished = calling.result() if calling.done() else self._without_server()
            if finished.outcome is Outcome.LOST and self.time.is_away:
                self.permits.lost_server(accepted=self.accepted)
            if finished.outcome is Outcome.COMPLETED:
                await self._tell_of_unseen()
            return self._attempted(finished.outcome.reason, finished)
        finally:
            for task in (calling, timing):
                task.cancel()
            await asyncio.wait({calling, timing})
            await self.tools.close(RUN_OVER)

    @property
    def _seconds(self) -> float:
        """How long the agent may take; longer for who has said that they can wait."""
        patient = self.turn.speaker.context.get("patient", False)
        return max(self.settings.agent_timeout, PATIENT_SECONDS if patient else 0)

    async def _tell_of_unseen(self) -> None:
        """Tell the person if the agent was answering blindly."""
        if any(one.opened.unseen for one in self.files):
            await self.ports.unseen(self.turn.speaker)

    async def _break_off(self, error: Exception) -> Attempted:
        """Tell how an attempt ends whose tools can't be used any more; raise RunBrokenError."""
        if not isinstance(error, StuckError):
            raise RunBrokenError(error)
        await self.tools.close(_STUCK)
        finished = Finished(Outcome.CANCELLED, detail=error.phrase)
        return self._attempted(Reason.STUCK, finished)

    def _without_server(self) -> Finished:
        """Tell how an attempt ends that was without its server for too long."""
        if self.accepted:
            return Finished(Outcome.LOST, detail=w.LOST_FOR_GOOD)
        return Finished(Outcome.UNREACHABLE, detail=w.INPUT_NOT_TAKEN)

    async def send_to_agent(self) -> Finished:
        """Send the turn to its agent, in its lane's conversation, and wait for the end."""
        turn = self.turn
        input_id = self.plan.input_id if self.plan else new_input_id()
        turn.attempts += 1
        turn.agent_id, turn.input_id = self.agent_id, input_id
        turn.refused = turn.unsaid = ""
        try:
            own = await self.own_tools(self.backend, self.agent_id, watched=self.tools.watched)
            turn.conversation_id = conversation_id = await self._conversation()
            self.files = await self.ports.files(turn)
            self.judged = await self.ports.feedback.news(self.agent_id, turn.lane)
        except AgentError as error:
            return Finished(error.outcome, detail=error.detail)
        # Written before it starts (promise 7): after a crash this is all that is known of it.
        # Where nothing came up that was not foreseen, it was written when its turn started.
        if self.plan != (self.agent_id, conversation_id, input_id):
            await self.store.save_turn(turn)
        given = Input(
            self.agent_id,
            conversation_id,
            self._prompt(),
            input_id,
            self._title,
            own,
            # The loop guard ends a run at one too many, for which a fast server does not wait.
            self.settings.max_steps + 1,
            turn.compacted,
            tuple(one.opened.picture for one in self.files if one.opened.picture is not None),
            turn.using,
        )
        return await self._execute_agent_call(given)

    async def _execute_agent_call(self, given: Input) -> Finished:
        """Run one input and follow it to its end."""
        async with aclosing(self.backend.run(given, self.tools)) as run:
            async for step in run:
                if isinstance(step, Finished):
                    # A send under way would be cut off when the run is left, and then arrive after
                    # it was looked for.
                    await self.tools.close(RUN_OVER)
                    self.turn.compacted |= step.outcome is Outcome.COMPACTED
                    return step
                self.time.saw(step)
                self.saying.saw(step)
                await self._follow(step)
                try:
                    for observer in self.observers:
                        await observer.saw(step)
                except StuckError as stuck:
                    return await self._end_stuck(stuck)
        return Finished(Outcome.LOST, detail=w.STREAM_ENDED)

    async def _end_stuck(self, stuck: StuckError) -> Finished:
        """End a run before it goes on: a call that is under way has no result any more."""
        if not self.tools.broken.done():
            self.tools.broken.set_result(stuck)
        await self.tools.close(_STUCK)
        return Finished(Outcome.CANCELLED, detail=stuck.phrase)

    async def _follow(self, step: RunEvent) -> None:
        """Keep what recovery needs to know of the run."""
        turn = self.turn
        match step:
            case Accepted():
                self.accepted = True
                if self.judged is not None:
                    await self.ports.feedback.tell(self.agent_id, turn.lane)
                self.permits.accepted()
            case Text() | Reasoning() | ToolCalled():
                self.permits.spoke()
            case ServerFound(anew=True):
                self.tools.begin_anew()
            case RunStarted(run_id):
                # For who reads the ledger. Recovery goes by the input's id, so that it can wait
                # for what is written next.
                turn.run_id = run_id
            case ConversationMoved(conversation_id):
                left, turn.conversation_id = turn.conversation_id, conversation_id
                await self.store.save_turn(turn, lazily=True)
                lane = turn.conversation_lane
                # One that was forgotten meanwhile must not come back.
                if await self.store.conversation(self.agent_id, lane) == left:
                    await self.store.set_conversation(self.agent_id, lane, conversation_id)

    async def _conversation(self) -> str:
        """Return the lane's conversation, a new one if there is none that is fit.

        It holds only what everybody in the place may read. Whoever may not read what was said
        there before has one of their own.
        """
        turn, audience = self.turn, self.ports.audience
        turn.apart = await audience.lacks_history(turn.speaker)
        lane = turn.conversation_lane
        known = await self.store.conversation(self.agent_id, lane)
        if known is not None:
            sources = await self.store.sources(self.agent_id, lane)
            if not sources or not await audience.has_outgrown(turn.speaker, sources):
                return known
            self.ports.renewed(turn.speaker)
        opened = await retry_with_backoff(
            lambda: self.backend.open_conversation(self.agent_id, self._title),
            config=self.retries,
            clock=self.clock,
        )
        await self.store.set_conversation(self.agent_id, lane, opened, fresh=True)
        return opened

    @property
    def _title(self) -> str:
        """What the lane's conversation is called on the server."""
        place = self.turn.speaker.context["place"]
        return f"discord:{place['guild_id'] or 'dm'}:{place['channel_id']}"

    def _prompt(self) -> str:
        return build_prompt(
            self.turn.speaker.context,
            earlier=[event.context for event in self.turn.earlier],
            now=self.clock.time(),
            guidance=self.settings.mcp_guidance_enabled,
            # An agent's own tools go by the same names.
            tools=DISCORD_TOOLS if self.tools.watched else {one.name for one in self.tools.specs},
            text_delivered=self.settings.deliver_text,
            files=self.files,
            by_text=self.settings.by_text,
            judged=self.judged,
        )

    def _attempted(self, reason: Reason, finished: Finished) -> Attempted:
        said = self.saying.said(finished.text)
        return Attempted(reason, finished, self.accepted, self.tools.watched, said)
