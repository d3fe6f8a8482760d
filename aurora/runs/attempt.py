"""One attempt: an event's prompt goes to its agent, and what the agent does is followed."""

from __future__ import annotations

import logging
import uuid
from contextlib import aclosing
from dataclasses import dataclass

from ..agents.protocol import (
    Accepted,
    AgentBackend,
    AgentError,
    ConversationMoved,
    Finished,
    Input,
    Outcome,
    Reasoning,
    RunEvent,
    RunStarted,
    ToolCalled,
    ToolReturned,
    Usage,
)
from ..clock import Clock
from ..errors import Permits, RetryConfig, retry_with_backoff
from ..ledger import Store
from ..model import Event
from ..prompts import DISCORD_TOOLS, build_prompt
from ..queue import MessageQueue
from ..settings import GuildSettings
from .ports import RunTools, Watcher

log = logging.getLogger("red.aurora.worker")

RUN_OVER = "This run is over; nothing more can be sent."


@dataclass(slots=True, kw_only=True)
class AgentCall:
    """A call of an agent for one attempt of an event; `accepted` once the server took it."""

    event: Event
    backend: AgentBackend
    agent_id: str
    tools: RunTools
    permits: Permits
    settings: GuildSettings
    queue: MessageQueue
    store: Store
    clock: Clock
    retries: RetryConfig
    accepted: bool = False
    reasoned: bool = False

    async def send_to_agent(self) -> Finished:
        """Send the event to its agent, in its lane's conversation, and wait for the end."""
        event = self.event
        event.attempts += 1
        event.agent_id, event.input_id = self.agent_id, str(uuid.uuid4())
        try:
            event.conversation_id = await self._conversation()
        except AgentError as error:
            return Finished(error.outcome, detail=error.detail)
        # Written before it starts (promise 7): after a crash this is all that is known of it.
        await self.store.save(event)
        offered = {spec.name for spec in self.tools.specs}
        text = build_prompt(
            event.context,
            earlier=[one.context for one in event.earlier],
            now=self.clock.time(),
            guidance=self.settings.mcp_guidance_enabled,
            # The agent's own tools go by the same names.
            tools=DISCORD_TOOLS if isinstance(self.tools, Watcher) else offered,
            text_delivered=self.settings.deliver_text,
        )
        return await self._execute_agent_call(
            Input(self.agent_id, event.conversation_id, text, event.input_id)
        )

    async def _execute_agent_call(self, turn: Input) -> Finished:
        """Run one turn and follow it to its end."""
        async with aclosing(self.backend.run(turn, self.tools)) as run:
            async for step in run:
                if isinstance(step, Finished):
                    # A send under way would be cut off when the run is left, and then arrive after
                    # it was looked for.
                    await self.tools.close(RUN_OVER)
                    return step
                await self._follow(step)
        return Finished(Outcome.LOST, detail="the server's stream ended without a result")

    async def _follow(self, step: RunEvent) -> None:
        event = self.event
        match step:
            case Accepted():
                self.accepted = True
                self.permits.accepted()
            case RunStarted(run_id):
                event.run_id = run_id
                await self.store.save(event)
            case Usage(prompt_tokens, completion_tokens):
                event.prompt_tokens += prompt_tokens
                event.completion_tokens += completion_tokens
            case ConversationMoved(conversation_id):
                event.conversation_id = conversation_id
                await self.store.set_conversation(self.agent_id, event.lane, conversation_id)
            case ToolCalled(_, name):
                offered = any(spec.name == name for spec in self.tools.specs)
                # A name that the model made up may hold anything.
                shown = name if offered else "an unknown tool"
                log.info("Event %s: the agent calls %s", event.id, shown)
                self.queue.tell(event, "tool", shown)
                if not offered and isinstance(self.tools, Watcher):
                    await self.tools.watch(step)
            case ToolReturned(_, is_error):
                log.info("Event %s: the call %s", event.id, "failed" if is_error else "succeeded")
            case Reasoning() if not self.reasoned:
                self.reasoned = True
                log.info("Event %s: the agent is reasoning", event.id)

    async def _conversation(self) -> str:
        """Return the lane's conversation, a new one if there is none yet."""
        lane = self.event.lane
        known = await self.store.conversation(self.agent_id, lane)
        if known is not None:
            return known
        place = self.event.context["place"]
        title = f"discord:{place['guild_id'] or 'dm'}:{place['channel_id']}"
        opened = await retry_with_backoff(
            lambda: self.backend.open_conversation(self.agent_id, title),
            config=self.retries,
            clock=self.clock,
        )
        await self.store.set_conversation(self.agent_id, lane, opened)
        return opened
