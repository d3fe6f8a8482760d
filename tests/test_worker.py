"""The worker: one end for every event, whatever the agent does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Literal

import pytest

from aurora.agents.protocol import (
    Accepted,
    AgentError,
    AgentInfo,
    ConversationMoved,
    Finished,
    Outcome,
    Reasoning,
    RunEvent,
    ToolCalled,
    ToolHost,
    ToolResult,
    ToolReturned,
    ToolSpec,
    Turn,
)
from aurora.errors import Breakers, ErrorStats, RetryConfig
from aurora.ledger.memory import MemoryStore
from aurora.limits import WorkRules
from aurora.model import Change, Event, Send, State
from aurora.ports import Ports
from aurora.queue import MessageQueue
from aurora.settings import Settings
from aurora.worker import Worker
from tests.clocks import FakeClock
from tests.events import make_event
from tests.test_settings import Keeper

NEVER = object()
"""A script step that never ends."""


class ScriptedBackend:
    """An agent server that plays what a test wrote for each turn, in order; then "Hello."."""

    url = "ws://test"

    def __init__(self, *turns: Sequence[Any]) -> None:
        self.turns = list(turns)
        self.seen: list[Turn] = []
        self.aborted = 0
        self.open_errors: list[AgentError] = []
        self.opened = 0
        self.tools: ToolHost | None = None

    async def ping(self) -> None:
        pass

    async def agent(self, agent_id: str) -> AgentInfo:
        return AgentInfo(agent_id, "Agent")

    async def open_conversation(self, agent_id: str, _title: str) -> str:
        if self.open_errors:
            raise self.open_errors.pop(0)
        self.opened += 1
        return f"{agent_id}-conv-{self.opened}"

    async def run(self, turn: Turn, tools: ToolHost) -> AsyncGenerator[RunEvent, None]:
        self.seen.append(turn)
        script: Sequence[Any] = [Accepted(), done("Hello.")]
        if self.turns:
            script = self.turns.pop(0)
        try:
            for step in script:
                if step is NEVER:
                    self.tools = tools
                    await asyncio.Event().wait()
                elif callable(step):
                    await step(tools)
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step
        except asyncio.CancelledError:
            self.aborted += 1
            raise

    async def close(self) -> None:
        pass


class Tools:
    """The run's tools: `call` is a send to the event's place."""

    def __init__(self, store: MemoryStore, event: Event) -> None:
        self._store = store
        self._event = event
        self.closed: str | None = None

    @property
    def specs(self) -> Sequence[ToolSpec]:
        return [ToolSpec("discord_send", "", {})]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        if self.closed:
            return ToolResult(self.closed, is_error=True)
        channel = int(arguments.get("channelId", self._event.channel_id))
        key = f"{name}:{arguments['message']}"
        send = Send(key, "message", "tool", channel, "hash", None, (1,))
        await self._store.record_send(self._event.id, send)
        return ToolResult("sent")

    async def close(self, reason: str) -> None:
        self.closed = self.closed or reason


class Delivery:
    """Delivery on a list instead of Discord."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken = False
        self.told: set[tuple[int, str]] = set()
        self.delivered: list[str] = []
        self.notices: list[tuple[int, str]] = []
        self.called_off: list[int] = []

    async def settle(self, event: Event, text: str, *, fallback: bool) -> tuple[State, str]:
        await self.gate.wait()
        if await self.answered(event):
            return State.ANSWERED, "sent"
        if text and fallback:
            self.delivered.append(text)
            return State.ANSWERED, "delivered"
        return State.DECLINED, "no_answer"

    async def answered(self, event: Event) -> bool:
        sends = await self._store.sends(event.id)
        return any(send.channel_id == event.channel_id for send in sends)

    async def notice(
        self, event: Event, text: str, *, kind: Literal["outage", "end"] = "end"
    ) -> None:
        if self.broken:
            raise KeyError("a bug")
        assert (event.message_id, kind) not in self.told
        self.told.add((event.message_id, kind))
        self.notices.append((event.message_id, text))

    async def call_off(self, event: Event) -> None:
        self.called_off.append(event.message_id)

    def typing(self, _event: Event) -> AbstractAsyncContextManager[None]:
        return nullcontext()


class Bench:
    """A worker with everything around it, on a clock that stands still."""

    def __init__(self, backend: ScriptedBackend | None) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore(self.clock)
        self.settings = Settings(Keeper({}, {9: {"agent_id": "a", "enabled": True}}))
        self.breakers = Breakers(self.clock, on_change=lambda *_: self.queue.reconsider())
        self.changes: list[Change] = []
        self.queue = MessageQueue(
            self.store, WorkRules(self.settings, self.breakers), self.clock, self.changes.append
        )
        self.delivery = Delivery(self.store)
        self.backend = backend
        self.refusal: str | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.alerts: list[str] = []
        self.stats = ErrorStats(self.clock)
        self.tools: list[Tools] = []
        ports = Ports(lambda: self.backend, self, self.delivery, self.admit, self.alert)
        self.worker = Worker(
            self.queue,
            self.store,
            ports,
            self.settings,
            self.breakers,
            self.stats,
            self.clock,
            RetryConfig(jitter=0.0),
        )
        self.loop: asyncio.Task[None] | None = None

    def open(self, event: Event, _agent_id: str) -> Tools:
        self.tools.append(Tools(self.store, event))
        return self.tools[-1]

    async def admit(self, _event: Event) -> str | None:
        await self.gate.wait()
        return self.refusal

    async def alert(self, text: str) -> None:
        self.alerts.append(text)

    async def start(self) -> None:
        await self.settings.load()
        await self.queue.open()

        async def forever() -> None:
            while True:
                await self.worker.step()

        self.loop = asyncio.create_task(forever())

    async def stop(self) -> None:
        if self.loop is not None:
            self.loop.cancel()
            await asyncio.gather(self.loop, return_exceptions=True)
        await self.worker.stop(0.0)

    async def ask(self, **fields: Any) -> Event:
        event = make_event(now=self.clock.time(), **fields)
        await self.queue.enqueue(event)
        await self.clock.settle()
        return event

    def steps(self, event: Event) -> list[str]:
        return [change.step for change in self.changes if change.event_id == event.id]


@pytest.fixture
async def benches() -> AsyncGenerator[list[Bench], None]:
    made: list[Bench] = []
    yield made
    for bench in made:
        await bench.stop()


async def start(benches: list[Bench], *turns: Sequence[Any]) -> tuple[Bench, ScriptedBackend]:
    backend = ScriptedBackend(*turns)
    bench = Bench(backend)
    benches.append(bench)
    await bench.start()
    return bench, backend


def done(text: str = "") -> Finished:
    return Finished(Outcome.COMPLETED, text)


def send(text: str, channel: int | None = None) -> Any:
    async def act(tools: ToolHost) -> None:
        arguments: dict[str, Any] = {"message": text}
        if channel is not None:
            arguments["channelId"] = str(channel)
        await tools.call("discord_send", arguments)

    return act


async def test_text_is_delivered_and_the_event_answered(benches: list[Bench]) -> None:
    """The commonest agent of all: it writes, and calls no tool."""
    bench, _ = await start(benches)
    event = await bench.ask()
    assert (event.state, event.reason) == (State.ANSWERED, "delivered")
    assert bench.delivery.delivered == ["Hello."]


async def test_a_lane_keeps_its_conversation(benches: list[Bench]) -> None:
    """Opened once; each attempt has an id of its own."""
    bench, backend = await start(benches)
    await bench.settings.set_guild(9, rate_limit_seconds=0.5)
    await bench.ask()
    await bench.clock.advance(1)
    await bench.ask()
    assert backend.opened == 1
    assert {turn.conversation_id for turn in backend.seen} == {"a-conv-1"}
    assert len({turn.input_id for turn in backend.seen}) == 2


async def test_a_moved_conversation_is_used_from_then_on(benches: list[Bench]) -> None:
    """A fork has the history; the lane must not go back to the wedged one."""
    bench, backend = await start(benches, [Accepted(), ConversationMoved("fork"), done("Hi")])
    await bench.ask()
    await bench.clock.advance(3)
    await bench.ask()
    assert backend.seen[1].conversation_id == "fork"


async def test_a_failed_run_is_tried_again_with_a_new_id(benches: list[Bench]) -> None:
    """A provider's 500 that passes costs the person nothing but a moment."""
    bench, backend = await start(benches, [Accepted(), Finished(Outcome.FAILED, detail="500")])
    event = await bench.ask()
    assert bench.steps(event)[-1] == "retrying"
    await bench.clock.advance(3)
    assert event.state is State.ANSWERED
    assert len({turn.input_id for turn in backend.seen}) == 2
    assert bench.delivery.notices == []


async def test_three_failed_attempts_are_the_end_and_one_notice(benches: list[Bench]) -> None:
    """The person hears of it once, in plain words without internals."""
    failure = [Accepted(), Finished(Outcome.FAILED, detail="secret-internal 500")]
    bench, backend = await start(benches, failure, failure, failure)
    event = await bench.ask()
    await bench.clock.advance(60)
    assert (event.state, event.reason) == (State.FAILED, "failed")
    assert len(backend.seen) == 3
    ((_, text),) = bench.delivery.notices
    assert "secret-internal" not in text


async def test_a_run_that_sent_something_is_never_run_again(benches: list[Bench]) -> None:
    """An error after the answer leaves the answer, and nothing else."""
    failure = Finished(Outcome.FAILED, detail="500")
    bench, backend = await start(benches, [Accepted(), send("hi"), failure])
    event = await bench.ask()
    await bench.clock.advance(60)
    assert event.state is State.ANSWERED
    assert len(backend.seen) == 1
    assert bench.delivery.notices == []


async def test_a_failed_run_that_sent_elsewhere_is_not_run_again_either(
    benches: list[Bench],
) -> None:
    """A visible effect in another channel counts; the person is told."""
    failure = Finished(Outcome.FAILED, detail="500")
    bench, backend = await start(benches, [Accepted(), send("hi", channel=77), failure])
    event = await bench.ask()
    await bench.clock.advance(60)
    assert event.state is State.FAILED
    assert len(backend.seen) == 1
    assert len(bench.delivery.notices) == 1


async def test_a_lost_run_is_not_sent_again(benches: list[Bench]) -> None:
    """Nobody knows what it did."""
    bench, backend = await start(benches, [Accepted(), Finished(Outcome.LOST)])
    event = await bench.ask()
    await bench.clock.advance(60)
    assert event.state is State.FAILED
    assert len(backend.seen) == 1
    assert len(bench.delivery.notices) == 1


async def test_an_outage_costs_no_attempt_and_is_said_once(benches: list[Bench]) -> None:
    """Four refusals are more than three attempts, and still the event is answered in the end."""
    refused = [Finished(Outcome.UNREACHABLE, detail="refused")]
    bench, _ = await start(benches, *[refused] * 4)
    event = await bench.ask()
    await bench.clock.advance(60)
    assert (event.state, event.attempts) == (State.ANSWERED, 1)
    assert len(bench.delivery.notices) == 1


async def test_a_blink_of_the_line_is_no_outage(benches: list[Bench]) -> None:
    """An input that never arrived is sent again a second later, without a word."""
    bench, _ = await start(benches, [Finished(Outcome.UNREACHABLE, detail="cut")])
    event = await bench.ask()
    await bench.clock.advance(3)
    assert (event.state, bench.delivery.notices) == (State.ANSWERED, [])


async def test_an_outage_longer_than_the_event_lives_ends_it(benches: list[Bench]) -> None:
    """Expired, with the person told."""
    bench, backend = await start(benches)
    backend.turns = [[Finished(Outcome.UNREACHABLE)]] * 1000
    event = await bench.ask()
    await bench.clock.advance(1000)
    assert event.state is State.EXPIRED
    assert bench.delivery.notices


async def test_a_configuration_error_is_told_to_who_can_mend_it(benches: list[Bench]) -> None:
    """Once, not retried, and no other agent suffers for it."""
    wrong = [Finished(Outcome.CONFIG, detail="404 no such agent")]
    bench, backend = await start(benches, *[wrong] * 6)
    for channel in range(6):
        event = await bench.ask(channel_id=channel, author_id=channel)
        assert (event.state, event.reason) == (State.FAILED, "config")
    assert len(backend.seen) == 6
    assert "404 no such agent" in bench.alerts[0]
    assert bench.breakers.server.snapshot().failures == 0


async def test_after_the_timeout_there_is_one_notice_and_no_late_output(
    benches: list[Bench],
) -> None:
    """The run is aborted, its tools refuse, nothing is retried."""
    bench, backend = await start(benches, [Accepted(), NEVER])
    # Below what the command allows, so that the test is quick.
    await bench.settings.set_guild(9, agent_timeout=0.05)
    event = await bench.ask()
    await asyncio.sleep(0.2)
    assert (event.state, event.reason) == (State.FAILED, "timeout")
    assert backend.aborted == 1
    assert len(bench.delivery.notices) == 1
    assert backend.tools is not None
    late = await backend.tools.call("discord_send", {"message": "late"})
    assert late.is_error


async def test_the_next_message_works_after_an_agent_that_never_ended(
    benches: list[Bench],
) -> None:
    """A lane is not held by a run that was given up."""
    bench, _ = await start(benches, [Accepted(), NEVER])
    await bench.settings.set_guild(9, agent_timeout=0.05)
    await bench.ask()
    await asyncio.sleep(0.2)
    await bench.clock.advance(3)
    assert (await bench.ask()).state is State.ANSWERED


async def test_a_deleted_message_stops_its_run_and_withholds_the_output(
    benches: list[Bench],
) -> None:
    """No answer, no notice: nobody is there to read it."""
    bench, backend = await start(benches, [Accepted(), NEVER])
    event = await bench.ask()
    bench.worker.withhold(event.message_id, "message_deleted")
    await bench.clock.settle()
    assert (event.state, event.reason) == (State.CANCELLED, "message_deleted")
    assert backend.aborted == 1
    assert bench.delivery.notices == []


async def test_a_message_deleted_while_its_right_to_run_is_checked_is_not_answered(
    benches: list[Bench],
) -> None:
    """The event is claimed, its run has not begun: withheld all the same."""
    bench, backend = await start(benches)
    bench.gate.clear()
    event = await bench.ask()
    bench.worker.withhold(event.message_id, "message_deleted")
    bench.gate.set()
    await bench.clock.settle()
    assert (event.state, event.reason) == (State.CANCELLED, "message_deleted")
    assert backend.seen == []


async def test_a_message_deleted_while_its_answer_is_delivered_gets_none(
    benches: list[Bench],
) -> None:
    """Up to the last moment before it is out."""
    bench, _ = await start(benches)
    bench.delivery.gate.clear()
    event = await bench.ask()
    bench.worker.withhold(event.message_id, "message_deleted")
    bench.delivery.gate.set()
    await bench.clock.settle()
    assert (event.state, event.reason) == (State.CANCELLED, "message_deleted")
    assert bench.delivery.delivered == []


async def test_a_crash_after_the_answer_is_no_news_for_the_person(benches: list[Bench]) -> None:
    """They have their answer; the log has the rest."""
    bench, _ = await start(benches, [Accepted(), send("answer"), RuntimeError("bug")])
    event = await bench.ask()
    assert (event.state, event.reason) == (State.ANSWERED, "sent_before_crash")
    assert bench.delivery.notices == []


async def test_a_lane_goes_on_when_even_the_notice_fails(benches: list[Bench]) -> None:
    """The end of an event must not hang on its being told."""
    bench, _ = await start(benches, [Accepted(), Finished(Outcome.LOST)])
    bench.delivery.broken = True
    event = await bench.ask()
    assert event.state is State.FAILED
    await bench.clock.advance(3)
    assert (await bench.ask()).state is State.ANSWERED


async def test_a_server_that_never_takes_the_input_is_an_outage(benches: list[Bench]) -> None:
    """The time limit is the agent's; the event waits for the server and is answered."""
    bench, backend = await start(benches, [NEVER])
    await bench.settings.set_guild(9, agent_timeout=0.05)
    event = await bench.ask()
    await asyncio.sleep(0.2)
    assert (event.misses, event.attempts) == (1, 0)
    await bench.clock.advance(3)
    assert event.state is State.ANSWERED
    assert len(backend.seen) == 2


async def test_what_may_no_longer_run_is_cancelled_with_the_reason(benches: list[Bench]) -> None:
    """Asked again when its turn comes, not only when it was accepted."""
    bench, backend = await start(benches)
    bench.refusal = "cannot_send"
    event = await bench.ask()
    assert (event.state, event.reason) == (State.CANCELLED, "cannot_send")
    assert bench.delivery.called_off == [event.message_id]
    assert backend.seen == []


async def test_without_a_server_an_event_ends_instead_of_waiting_for_ever() -> None:
    """The address was taken away while it waited."""
    bench = Bench(None)
    await bench.start()
    event = await bench.ask()
    assert (event.state, event.reason) == (State.CANCELLED, "not_configured")
    await bench.stop()


async def test_an_error_of_auroras_own_ends_the_event_with_a_notice(benches: list[Bench]) -> None:
    """A bug must not be silence either, and the lane goes on."""
    bench, _ = await start(benches, [RuntimeError("bug")])
    event = await bench.ask()
    assert (event.state, event.reason) == (State.FAILED, "crash")
    assert len(bench.delivery.notices) == 1
    await bench.clock.advance(3)
    assert (await bench.ask()).state is State.ANSWERED


async def test_unload_ends_running_events_and_leaves_no_task(benches: list[Bench]) -> None:
    """After the grace period the run is aborted."""
    bench, backend = await start(benches, [Accepted(), NEVER])
    event = await bench.ask()
    before = asyncio.all_tasks()
    await bench.stop()
    assert (event.state, event.reason) == (State.CANCELLED, "unloaded")
    assert bench.delivery.called_off == [event.message_id]
    assert backend.aborted == 1
    assert len(asyncio.all_tasks()) < len(before)


async def test_a_run_that_had_answered_before_the_unload_is_answered(
    benches: list[Bench],
) -> None:
    """The person has the answer; a sign that none will come would be a lie."""
    bench, _ = await start(benches, [Accepted(), send("hi"), NEVER])
    event = await bench.ask()
    await bench.stop()
    assert (event.state, event.reason) == (State.ANSWERED, "sent_before_unloaded")
    assert bench.delivery.called_off == []


async def test_withholding_all_of_somebody_waits_for_the_end_of_their_runs(
    benches: list[Bench],
) -> None:
    """What is forgotten afterwards is not written again; others' runs go on."""
    bench, backend = await start(benches, [Accepted(), NEVER], [Accepted(), NEVER])
    mine = await bench.ask(author_id=1)
    other = await bench.ask(author_id=2, channel_id=2)
    await bench.worker.withhold_all(lambda event: event.author_id == 1, "forgotten")
    assert (mine.state, mine.reason) == (State.CANCELLED, "forgotten")
    assert (other.state, backend.aborted) == (State.RUNNING, 1)


async def test_an_open_breaker_makes_events_wait_and_they_are_answered_on_recovery(
    benches: list[Bench],
) -> None:
    """Nothing is lost and nothing is sent while it is open."""
    bench, backend = await start(benches, *[[Finished(Outcome.UNREACHABLE)]] * 5)
    events = [await bench.ask(channel_id=n, author_id=n) for n in range(5)]
    sent = len(backend.seen)
    assert bench.breakers.retry_in("a") > 0
    late = await bench.ask(channel_id=50, author_id=50)
    await bench.worker.greet(late)
    assert bench.delivery.notices[-1][0] == late.message_id
    await bench.clock.advance(30)
    assert len(backend.seen) == sent
    await bench.clock.advance(120)
    assert {event.state for event in (*events, late)} == {State.ANSWERED}


async def test_conversation_look_ups_are_retried_and_their_failure_classified(
    benches: list[Bench],
) -> None:
    """Creating a conversation twice harms nobody, so a hiccup there is not an event's end."""
    bench, backend = await start(benches)
    backend.open_errors = [AgentError(Outcome.UNREACHABLE, "refused")]
    event = await bench.ask()
    await bench.clock.advance(5)
    assert event.state is State.ANSWERED
    backend.open_errors = [AgentError(Outcome.CONFIG, "no such agent")]
    other = await bench.ask(channel_id=2)
    assert (other.state, other.reason) == (State.FAILED, "config")


async def test_the_log_tells_of_tools_and_reasoning_and_never_of_content(
    benches: list[Bench], caplog: pytest.LogCaptureFixture
) -> None:
    """A name that the model made up may hold anything, so it is content too."""
    caplog.set_level(logging.INFO)
    bench, _ = await start(
        benches,
        [
            Accepted(),
            Reasoning("private thought"),
            Reasoning("another one"),
            ToolCalled("1", "discord_send"),
            ToolReturned("1", is_error=False),
            ToolCalled("2", "what ada said"),
            ToolReturned("2", is_error=True),
            done("private answer"),
        ],
    )
    await bench.ask()
    told = [record.getMessage().split(": ", 1)[1] for record in caplog.records]
    assert told == [
        "the agent is reasoning",
        "the agent calls discord_send",
        "the call succeeded",
        "the agent calls an unknown tool",
        "the call failed",
    ]


async def test_a_message_that_always_fails_counts_once_against_its_agent(
    benches: list[Bench],
) -> None:
    """One person's odd message, tried three times, must not take the agent from everybody."""
    failure = [Accepted(), Finished(Outcome.FAILED, detail="500")]
    bench, _ = await start(benches, *[failure] * 6)
    for channel in range(2):
        await bench.ask(channel_id=channel)
        await bench.clock.advance(30)
    assert bench.breakers.agent("a").snapshot().failures == 2
