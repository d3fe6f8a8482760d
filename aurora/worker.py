"""The worker: claims an event, runs its agent, and brings the event to its end."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass
from typing import Protocol

from .agents.protocol import (
    Accepted,
    AgentBackend,
    AgentError,
    ConversationMoved,
    Finished,
    Outcome,
    Reasoning,
    RunEvent,
    RunStarted,
    ToolCalled,
    ToolHost,
    ToolReturned,
    Turn,
)
from .clock import Clock
from .errors import (
    VERDICTS,
    Breakers,
    Cause,
    ErrorStats,
    Permits,
    RetryConfig,
    Verdict,
    retry_delay,
    retry_with_backoff,
)
from .ledger import Store
from .model import Event, State
from .prompts import build_prompt
from .queue import MessageQueue
from .settings import Settings

log = logging.getLogger("red.aurora.worker")

UNLOADED = "unloaded"
_OUTAGE = (
    "I can't reach my agent right now. I will answer as soon as it is back; if that takes longer "
    "than a quarter of an hour, please ask again."
)
_TOO_LATE = "I could not get to this in time. Please ask again if you still want an answer."


class RunTools(ToolHost, Protocol):
    """The tools of one run, which can be shut."""

    async def close(self, reason: str) -> None:
        """Refuse every later call, and return when none is under way."""
        ...


class Toolbox(Protocol):
    """Where a run's tools come from."""

    def open(self, event: Event, agent_id: str) -> RunTools:
        """Return the tools of a run for this event."""
        ...


class Delivery(Protocol):
    """What the worker asks of delivery; see delivery.py."""

    async def settle(self, event: Event, text: str, *, fallback: bool) -> tuple[State, str]:
        """See to it that the answer is in Discord; return the final state and its reason."""
        ...

    async def answered(self, event: Event) -> bool:
        """Tell whether an answer is in Discord."""
        ...

    async def notice(self, event: Event, text: str) -> None:
        """Tell the person once that something is wrong."""
        ...

    async def call_off(self, event: Event) -> None:
        """Show the person that nothing will come of their message."""
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
    admit: Callable[[Event], Awaitable[str | None]]
    alert: Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class _Run:
    event: Event
    tools: RunTools
    call: asyncio.Task[Finished]
    task: asyncio.Task[None] | None
    withheld: str | None = None
    reasoned: bool = False


class Worker:
    """Runs events, each in a task of its own; the queue's limits say how many."""

    def __init__(
        self,
        queue: MessageQueue,
        store: Store,
        ports: Ports,
        settings: Settings,
        breakers: Breakers,
        stats: ErrorStats,
        clock: Clock,
        retries: RetryConfig | None = None,
    ) -> None:
        self._queue = queue
        self._store = store
        self._ports = ports
        self._settings = settings
        self._breakers = breakers
        self._stats = stats
        self._clock = clock
        self._retries = retries or RetryConfig()
        self._tasks: set[asyncio.Task[None]] = set()
        self._runs: dict[int, _Run] = {}
        self._told_of_outage: set[int] = set()

    async def step(self) -> None:
        """Wait for an event that may run, and start its run."""
        event = await self._queue.claim()
        self._spawn(self.process(event), f"aurora: {event.id}")

    async def process(self, event: Event) -> None:
        """Bring a claimed event to its end, or back into the queue."""
        try:
            await self._process(event)
        except asyncio.CancelledError:
            if event.state is State.RUNNING:
                await self._break_off(event)
            raise
        except Exception as error:
            log.exception("Event %s: an error of Aurora's own", event.id, exc_info=error)
            await self._give_up(event, "crash", type(error).__name__)

    async def greet(self, event: Event) -> None:
        """Tell the author of a new event if an outage is going to keep it waiting."""
        agent_id = self._settings.agent_for(event.guild_id)
        if agent_id is not None and self._breakers.retry_in(agent_id) > 0:
            await self._tell_of_outage(event)

    def withhold(self, message_id: int, reason: str) -> None:
        """Stop the run of a message and let none of its output through."""
        run = self._runs.get(message_id)
        if run is not None and run.withheld is None:
            run.withheld = reason
            run.call.cancel()

    async def withhold_all(self, wanted: Callable[[Event], bool], reason: str) -> None:
        """Withhold the runs of all events that are wanted, and return when they have ended."""
        runs = [run for run in self._runs.values() if wanted(run.event)]
        for run in runs:
            self.withhold(run.event.message_id, reason)
        if tasks := {run.task for run in runs if run.task is not None}:
            await asyncio.wait(tasks)

    async def stop(self, grace: float) -> None:
        """Give running turns `grace` seconds to end, then abort them."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _process(self, event: Event) -> None:
        if (reason := await self._ports.admit(event)) is not None:
            await self._cancel(event, reason)
            return
        if self._clock.time() >= event.expires_at:
            await self._ports.delivery.notice(event, _TOO_LATE)
            await self._queue.finish(event, State.EXPIRED, "waited_too_long")
            return
        backend = self._ports.backend()
        agent_id = self._settings.agent_for(event.guild_id)
        if backend is None or agent_id is None:
            await self._cancel(event, "not_configured")
            return
        permits = self._breakers.acquire(agent_id)
        if permits is None:
            await self._queue.retry(event, 0.0)
            return
        with permits:
            await self._attempt(event, backend, agent_id, permits)

    async def _attempt(
        self, event: Event, backend: AgentBackend, agent_id: str, permits: Permits
    ) -> None:
        started = self._clock.monotonic()
        settings = self._settings.guild(event.guild_id)
        tools = self._ports.toolbox.open(event, agent_id)
        typing = (
            self._ports.delivery.typing(event)
            if settings.enable_typing_indicator
            else nullcontext()
        )
        call = asyncio.create_task(
            self.send_to_agent(event, backend, agent_id, tools, permits), name=f"call: {event.id}"
        )
        run = self._runs[event.message_id] = _Run(
            event, tools, call, asyncio.current_task()
        )
        try:
            async with typing:
                await asyncio.wait({call}, timeout=settings.agent_timeout)
            cause, finished = await self._ending(run)
            await tools.close("This run is over; nothing more can be sent.")
        finally:
            del self._runs[event.message_id]
            call.cancel()
        verdict = VERDICTS[cause]
        permits.settle(verdict)
        duration = self._clock.monotonic() - started
        if run.withheld is not None:
            await self._queue.finish(event, State.CANCELLED, run.withheld)
            return
        self._stats.record(verdict.error, guild_id=event.guild_id, duration=duration)
        await self._conclude(event, cause, finished)

    async def _ending(self, run: _Run) -> tuple[Cause, Finished]:
        """Tell how a call ended; one that did not end in time is aborted."""
        if not run.call.done():
            await run.tools.close("The time for this run is over; nothing more can be sent.")
            run.call.cancel()
            await asyncio.wait({run.call})
            return "timeout", Finished(Outcome.CANCELLED, detail="no answer in time")
        if run.call.cancelled():
            return Outcome.CANCELLED, Finished(Outcome.CANCELLED, detail=run.withheld or "")
        finished = run.call.result()
        return finished.outcome, finished

    async def send_to_agent(
        self,
        event: Event,
        backend: AgentBackend,
        agent_id: str,
        tools: ToolHost,
        permits: Permits,
    ) -> Finished:
        """Send one attempt of an event to its agent, in its lane's conversation."""
        event.attempts += 1
        event.agent_id, event.input_id = agent_id, str(uuid.uuid4())
        try:
            event.conversation_id = await self._conversation(event, backend, agent_id)
        except AgentError as error:
            return Finished(error.outcome, detail=error.detail)
        # Written before it starts (promise 7): after a crash this is all that is known of it.
        await self._store.save(event)
        settings = self._settings.guild(event.guild_id)
        text = build_prompt(
            event.context,
            now=self._clock.time(),
            guidance=settings.mcp_guidance_enabled,
            tools=[spec.name for spec in tools.specs],
            text_delivered=settings.deliver_text,
        )
        turn = Turn(agent_id, event.conversation_id, text, event.input_id)
        return await self._execute_agent_call(event, backend, turn, tools, permits)

    async def _execute_agent_call(
        self,
        event: Event,
        backend: AgentBackend,
        turn: Turn,
        tools: ToolHost,
        permits: Permits,
    ) -> Finished:
        """Run one turn and follow it to its end."""
        async with aclosing(backend.run(turn, tools)) as run:
            async for step in run:
                if isinstance(step, Finished):
                    return step
                await self._follow(event, turn, step, permits)
        return Finished(Outcome.LOST, detail="the server's stream ended without a result")

    async def _follow(self, event: Event, turn: Turn, step: RunEvent, permits: Permits) -> None:
        run = self._runs[event.message_id]
        match step:
            case Accepted():
                permits.accepted()
                self._told_of_outage.clear()
            case RunStarted(run_id):
                event.run_id = run_id
                await self._store.save(event)
            case ConversationMoved(conversation_id):
                event.conversation_id = conversation_id
                await self._store.set_conversation(turn.agent_id, event.lane, conversation_id)
            case ToolCalled(_, name):
                offered = any(spec.name == name for spec in run.tools.specs)
                # A name that the model made up may hold anything.
                shown = name if offered else "an unknown tool"
                log.info("Event %s: the agent calls %s", event.id, shown)
                self._queue.tell(event, "tool", shown)
            case ToolReturned(_, is_error):
                log.info("Event %s: the call %s", event.id, "failed" if is_error else "succeeded")
            case Reasoning() if not run.reasoned:
                run.reasoned = True
                log.info("Event %s: the agent is reasoning", event.id)

    async def _conversation(self, event: Event, backend: AgentBackend, agent_id: str) -> str:
        """Return the lane's conversation, a new one if there is none yet."""
        known = await self._store.conversation(agent_id, event.lane)
        if known is not None:
            return known
        place = event.context["place"]
        title = f"discord:{place['guild_id'] or 'dm'}:{place['channel_id']}"
        opened = await retry_with_backoff(
            lambda: backend.open_conversation(agent_id, title),
            config=self._retries,
            clock=self._clock,
        )
        await self._store.set_conversation(agent_id, event.lane, opened)
        return opened

    async def _conclude(self, event: Event, cause: Cause, finished: Finished) -> None:
        """Deliver, try again later, or give up."""
        delivery, verdict = self._ports.delivery, VERDICTS[cause]
        if cause is Outcome.COMPLETED:
            fallback = self._settings.guild(event.guild_id).deliver_text
            state, reason = await delivery.settle(event, finished.text, fallback=fallback)
            await self._queue.finish(event, state, reason)
        elif await delivery.answered(event):
            await self._queue.finish(event, State.ANSWERED, f"sent_before_{cause}")
        elif (delay := await self._delay(event, verdict, finished)) is not None:
            # A line that was cut is there again at the second try; only an outage is worth a word.
            if cause is Outcome.UNREACHABLE and event.misses > 1:
                await self._tell_of_outage(event)
            await self._queue.retry(event, delay)
        else:
            await self._give_up(event, cause, finished.detail)

    async def _delay(self, event: Event, verdict: Verdict, finished: Finished) -> float | None:
        """Return the seconds until the event may be tried again, None if it may not."""
        if verdict.returns_attempt:
            event.attempts, event.misses = event.attempts - 1, event.misses + 1
        sends = await self._store.sends(event.id)
        delay = retry_delay(
            verdict,
            event.misses if verdict.returns_attempt else event.attempts,
            config=self._retries,
            visible=any(send.by != "notice" for send in sends),
            retry_after=finished.retry_after,
        )
        if delay is None or self._clock.time() + delay >= event.expires_at:
            return None
        return delay

    async def _break_off(self, event: Event) -> None:
        """End an event whose run was aborted by the unload."""
        if await self._ports.delivery.answered(event):
            await self._queue.finish(event, State.ANSWERED, f"sent_before_{UNLOADED}")
        else:
            await self._cancel(event, UNLOADED)

    async def _cancel(self, event: Event, reason: str) -> None:
        await self._queue.finish(event, State.CANCELLED, reason)
        await self._ports.delivery.call_off(event)

    async def _give_up(self, event: Event, cause: Cause, detail: str) -> None:
        verdict = VERDICTS[cause]
        log.warning("Event %s: %s", event.id, verdict.tell_admin(detail))
        if verdict.alert:
            await self._ports.alert(verdict.tell_admin(detail))
        await self._ports.delivery.notice(event, verdict.user)
        await self._queue.finish(event, verdict.state, str(cause))

    async def _tell_of_outage(self, event: Event) -> None:
        """Tell a channel, once per outage, that its answers will be late."""
        if event.channel_id not in self._told_of_outage:
            self._told_of_outage.add(event.channel_id)
            await self._ports.delivery.notice(event, _OUTAGE)
