"""The worker: one end for every event, whatever the agent does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from aurora.agents.protocol import (
    Accepted,
    ConversationMoved,
    Finished,
    Input,
    Reasoning,
    RunEvent,
    ToolCalled,
    ToolHost,
    ToolResult,
    ToolReturned,
    Usage,
)
from aurora.model import Event, State
from aurora.queue import Enqueued
from aurora.reasons import AgentError, Outcome, Reason
from aurora.runs.agent_time import AWAY_SECONDS
from aurora.runs.cancelling import Running
from tests.support.events import make_event
from tests.support.scripts import NEVER, ScriptedBackend, by_tool, done
from tests.support.squares import ELSEWHERE
from tests.support.workers import Bench, start_bench


async def a_bug(*_arguments: object) -> None:
    """Stumble, as delivery does nowhere that is known."""
    raise KeyError("a bug")


async def test_text_is_delivered_and_the_event_answered(benches: list[Bench]) -> None:
    """The commonest agent of all: it writes, and calls no tool."""
    bench, _ = await start_bench(benches)
    event = await bench.ask()
    assert (event.state, event.reason) == (State.ANSWERED, "delivered")
    assert bench.square.delivered == ["Hello."]


async def test_a_lane_keeps_its_conversation(benches: list[Bench]) -> None:
    """Opened once; each attempt has an id of its own."""
    bench, backend = await start_bench(benches)
    await bench.settings.set_guild(9, rate_limit_seconds=0.5)
    await bench.ask()
    await bench.clock.advance(1)
    await bench.ask()
    assert backend.opened == 1
    assert {turn.conversation_id for turn in backend.seen} == {"a-conv-1"}
    assert len({turn.input_id for turn in backend.seen}) == 2


async def test_a_moved_conversation_is_used_from_then_on(benches: list[Bench]) -> None:
    """A fork has the history; the lane must not go back to the wedged one."""
    bench, backend = await start_bench(
        benches, [Accepted(), ConversationMoved("fork"), done("Hi")]
    )
    await bench.ask()
    await bench.clock.advance(3)
    await bench.ask()
    assert backend.seen[1].conversation_id == "fork"


async def test_a_failed_run_is_tried_again_with_a_new_id(benches: list[Bench]) -> None:
    """A provider's 500 that passes costs the person nothing but a moment."""
    bench, backend = await start_bench(
        benches, [Accepted(), Finished(Outcome.FAILED, detail="500")]
    )
    event = await bench.ask()
    assert bench.steps(event)[-1] == "retrying"
    await bench.clock.advance(3)
    assert event.state is State.ANSWERED
    assert len({turn.input_id for turn in backend.seen}) == 2
    assert bench.square.notices == []


async def test_three_failed_attempts_are_the_end_and_one_notice(benches: list[Bench]) -> None:
    """The person hears of it once, in plain words without internals."""
    failure = [Accepted(), Finished(Outcome.FAILED, detail="secret-internal 500")]
    bench, backend = await start_bench(benches, failure, failure, failure)
    event = await bench.ask()
    await bench.clock.advance(60)
    assert (event.state, event.reason) == (State.FAILED, "failed")
    assert len(backend.seen) == 3
    (text,) = bench.square.notices
    assert "secret-internal" not in text


async def test_a_run_that_sent_something_is_never_run_again(benches: list[Bench]) -> None:
    """An error after the answer leaves the answer, and nothing else."""
    failure = Finished(Outcome.FAILED, detail="500")
    bench, backend = await start_bench(benches, [Accepted(), by_tool("hi"), failure])
    event = await bench.ask()
    await bench.clock.advance(60)
    assert event.state is State.ANSWERED
    assert len(backend.seen) == 1
    assert bench.square.notices == []


async def test_a_failed_run_that_sent_elsewhere_is_not_run_again_either(
    benches: list[Bench],
) -> None:
    """A visible effect in another channel counts; the person is told."""
    failure = Finished(Outcome.FAILED, detail="500")
    bench, backend = await start_bench(
        benches, [Accepted(), by_tool("hi", channel=ELSEWHERE), failure]
    )
    event = await bench.ask()
    await bench.clock.advance(60)
    assert event.state is State.FAILED
    assert len(backend.seen) == 1
    assert len(bench.square.notices) == 1


async def test_a_lost_run_is_sent_again_if_nothing_was_to_be_seen_of_it(
    benches: list[Bench],
) -> None:
    """An outage in mid-turn costs nobody an answer (promise 7)."""
    bench, backend = await start_bench(benches, [Accepted(), Finished(Outcome.LOST)])
    event = await bench.ask()
    await bench.clock.advance(60)
    assert (event.state, (await bench.tried(event)).attempts) == (State.ANSWERED, 2)
    assert len({turn.input_id for turn in backend.seen}) == 2


async def test_a_run_that_is_lost_three_times_is_given_up(benches: list[Bench]) -> None:
    """It may be what the server stumbles over."""
    bench, backend = await start_bench(benches, *[[Accepted(), Finished(Outcome.LOST)]] * 3)
    event = await bench.ask()
    await bench.clock.advance(60)
    assert (event.state, event.reason) == (State.FAILED, "lost")
    assert len(backend.seen) == 3
    assert len(bench.square.notices) == 1


async def test_a_lost_run_that_sent_something_elsewhere_is_not_sent_again(
    benches: list[Bench],
) -> None:
    """It would be sent twice (promise 6)."""
    bench, backend = await start_bench(
        benches, [Accepted(), by_tool("psst", channel=ELSEWHERE), Finished(Outcome.LOST)]
    )
    event = await bench.ask()
    await bench.clock.advance(60)
    assert (event.state, event.reason) == (State.FAILED, "lost")
    assert len(backend.seen) == 1


async def test_an_outage_costs_no_attempt(benches: list[Bench]) -> None:
    """Four refusals are more than three attempts, and still the event is answered in the end."""
    refused = [Finished(Outcome.UNREACHABLE, detail="refused")]
    bench, _ = await start_bench(benches, *[refused] * 4)
    event = await bench.ask()
    await bench.clock.advance(60)
    turn = await bench.tried(event)
    assert (event.state, turn.attempts, turn.misses) == (State.ANSWERED, 1, 4)


async def test_an_outage_longer_than_the_event_lives_ends_it(benches: list[Bench]) -> None:
    """Expired, with the person told."""
    bench, backend = await start_bench(benches)
    backend.turns = [[Finished(Outcome.UNREACHABLE)]] * 1000
    event = await bench.ask()
    await bench.clock.advance(1000)
    assert event.state is State.EXPIRED
    assert bench.square.notices


async def test_a_configuration_error_is_told_to_who_can_mend_it(benches: list[Bench]) -> None:
    """Once, not retried, and no other agent suffers for it."""
    wrong = [Finished(Outcome.CONFIG, detail="404 no such agent")]
    bench, backend = await start_bench(benches, *[wrong] * 6)
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
    bench, backend = await start_bench(benches, [Accepted(), NEVER])
    event = await bench.ask()
    await bench.clock.advance(59)
    assert event.state is State.RUNNING
    await bench.clock.advance(2)
    assert (event.state, event.reason) == (State.FAILED, "timeout")
    assert backend.aborted == 1
    assert len(bench.square.notices) == 1
    assert backend.tools is not None
    late = await backend.tools.call("discord_send", {"channelId": "1", "message": "late"})
    assert late.is_error


async def test_the_next_message_works_after_an_agent_that_never_ended(
    benches: list[Bench],
) -> None:
    """A lane is not held by a run that was given up."""
    bench, _ = await start_bench(benches, [Accepted(), NEVER])
    await bench.ask()
    await bench.clock.advance(63)
    assert (await bench.ask()).state is State.ANSWERED


async def test_a_deleted_message_stops_its_run_and_withholds_the_output(
    benches: list[Bench],
) -> None:
    """No answer, no notice: nobody is there to read it."""
    bench, backend = await start_bench(benches, [Accepted(), NEVER])
    event = await bench.ask()
    bench.delete(event)
    await bench.clock.settle()
    assert (event.state, event.reason) == (State.CANCELLED, "message_deleted")
    assert backend.aborted == 1
    assert bench.square.notices == []


async def test_a_message_deleted_while_its_right_to_run_is_checked_is_not_answered(
    benches: list[Bench],
) -> None:
    """The event is claimed, its run has not begun: withheld all the same."""
    bench, backend = await start_bench(benches)
    bench.gate.clear()
    event = await bench.ask()
    bench.delete(event)
    bench.gate.set()
    await bench.clock.settle()
    assert (event.state, event.reason) == (State.CANCELLED, "message_deleted")
    assert backend.seen == []


async def test_a_message_deleted_while_its_answer_is_delivered_gets_none(
    benches: list[Bench],
) -> None:
    """Up to the last moment before it is out."""
    bench, _ = await start_bench(benches)
    bench.port.gate.clear()
    event = await bench.ask()
    bench.delete(event)
    bench.port.gate.set()
    await bench.clock.settle()
    assert (event.state, event.reason) == (State.CANCELLED, "message_deleted")
    assert bench.square.delivered == []


async def test_a_crash_after_the_answer_is_no_news_for_the_person(benches: list[Bench]) -> None:
    """They have their answer; the log has the rest."""
    bench, backend = await start_bench(
        benches, [Accepted(), by_tool("answer"), RuntimeError("bug")]
    )
    event = await bench.ask()
    await bench.clock.advance(3)
    assert (event.state, event.reason) == (State.ANSWERED, "sent_before_crash")
    assert (bench.square.notices, len(backend.seen)) == ([], 1)


async def test_a_lane_goes_on_when_an_end_can_not_be_told(benches: list[Bench]) -> None:
    """The end of an event must not hang on its being told."""
    bench, _ = await start_bench(benches, [Accepted(), Finished(Outcome.CONFIG)])
    bench.square.local.faults.add("*", "/messages", status=403, code=50013, times=2)
    event = await bench.ask()
    assert (event.state, bench.square.posts) == (State.FAILED, [])
    await bench.clock.advance(3)
    assert (await bench.ask()).state is State.ANSWERED


async def test_a_lane_goes_on_when_telling_an_end_is_a_bug(benches: list[Bench]) -> None:
    """Delivery says that it never raises."""
    bench, _ = await start_bench(benches, [Accepted(), Finished(Outcome.CONFIG)])
    bench.delivery.show_end = a_bug  # type: ignore[assignment, method-assign]
    event = await bench.ask()
    assert event.state is State.FAILED
    await bench.clock.advance(3)
    assert (await bench.ask()).state is State.ANSWERED


async def test_a_server_that_never_takes_the_input_is_an_outage(benches: list[Bench]) -> None:
    """The time limit is the agent's; the event waits for the server and is answered."""
    bench, backend = await start_bench(benches, [NEVER])
    event = await bench.ask()
    await bench.clock.advance(AWAY_SECONDS)
    turn = await bench.tried(event)
    assert (turn.misses, turn.attempts) == (1, 0)
    await bench.clock.advance(3)
    assert event.state is State.ANSWERED
    assert len(backend.seen) == 2


async def test_what_may_no_longer_run_is_cancelled_with_the_reason(benches: list[Bench]) -> None:
    """Asked again when its turn comes, not only when it was accepted."""
    bench, backend = await start_bench(benches)
    bench.refusal = Reason.CANNOT_SEND
    event = await bench.ask()
    assert (event.state, event.reason) == (State.CANCELLED, "cannot_send")
    assert bench.square.called_off == [event.id]
    assert backend.seen == []


async def test_without_a_server_an_event_ends_instead_of_waiting_for_ever() -> None:
    """The address was taken away while it waited."""
    bench = Bench(None)
    await bench.start()
    event = await bench.ask()
    assert (event.state, event.reason) == (State.CANCELLED, "not_configured")
    await bench.stop()


async def test_a_passing_error_of_auroras_own_costs_a_moment(benches: list[Bench]) -> None:
    """What went out before is asked first; nothing did, so it runs again."""
    bench, backend = await start_bench(benches, [Accepted(), RuntimeError("bug")])
    event = await bench.ask()
    assert event.state is State.WAITING
    await bench.clock.advance(3)
    turn = await bench.tried(event)
    assert (event.state, turn.crashes, turn.attempts) == (State.ANSWERED, 1, 1)
    assert (bench.square.notices, len(backend.seen)) == ([], 2)
    assert bench.stats.summary().by_type == {"InternalError": 1}


async def test_an_event_on_which_aurora_always_fails_is_a_dead_letter(
    benches: list[Bench],
) -> None:
    """Three times is enough; the person is told and the lane goes on."""
    bench, backend = await start_bench(benches, *[[Accepted(), RuntimeError("bug")]] * 3)
    poison, behind = make_event(author_id=1), make_event(author_id=2)
    await bench.accept(poison, behind)
    await bench.clock.advance(60)
    assert (poison.state, poison.reason) == (State.FAILED, "poison")
    assert len(bench.square.notices) == 1
    assert len(backend.seen) == 4
    assert behind.state is State.ANSWERED


async def test_crashes_do_not_use_up_the_attempts_of_failed_runs(benches: list[Bench]) -> None:
    """Two of Aurora's own, then two of the agent's: the third attempt answers."""
    crash, failure = RuntimeError("bug"), Finished(Outcome.FAILED, detail="500")
    turns = [[Accepted(), one] for one in (crash, failure, crash, failure)]
    bench, _ = await start_bench(benches, *turns)
    event = await bench.ask()
    await bench.clock.advance(60)
    turn = await bench.tried(event)
    assert (event.state, turn.crashes, turn.attempts) == (State.ANSWERED, 2, 3)


async def test_an_event_whose_sends_cannot_even_be_looked_up_ends(benches: list[Bench]) -> None:
    """Aurora stumbles over the look itself, and must not do so for ever."""
    bench, _ = await start_bench(benches, [Accepted(), Finished(Outcome.LOST)])
    bench.delivery.trace = a_bug  # type: ignore[assignment, method-assign]
    event = await bench.ask()
    await bench.clock.advance(60)
    assert (event.state, event.reason) == (State.FAILED, "poison")
    assert len(bench.square.notices) == 1


async def test_withholding_all_of_somebody_waits_for_the_end_of_their_runs(
    benches: list[Bench],
) -> None:
    """What is forgotten afterwards is not written again; others' runs go on."""
    bench, backend = await start_bench(benches, [Accepted(), NEVER], [Accepted(), NEVER])
    mine = await bench.ask(author_id=1)
    other = await bench.ask(author_id=2, channel_id=2)
    await bench.cancelling.cancel(
        lambda event: event.author_id == 1, Reason.FORGOTTEN, running=Running.STOP
    )
    assert (mine.state, mine.reason) == (State.CANCELLED, "forgotten")
    assert (other.state, backend.aborted) == (State.RUNNING, 1)


async def test_conversation_look_ups_are_retried_and_their_failure_classified(
    benches: list[Bench],
) -> None:
    """Creating a conversation twice harms nobody, so a hiccup there is not an event's end."""
    bench, backend = await start_bench(benches)
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
    bench, _ = await start_bench(
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
    bench, _ = await start_bench(benches, *[failure] * 6)
    for channel in range(2):
        await bench.ask(channel_id=channel)
        await bench.clock.advance(30)
    assert bench.breakers.agent("a").snapshot().failures == 2


async def test_tokens_are_summed_over_steps_and_attempts(benches: list[Bench]) -> None:
    """What an event has cost, kept with its end."""
    failed = [Accepted(), Usage(10, 1), Finished(Outcome.FAILED, detail="500")]
    bench, _ = await start_bench(
        benches, failed, [Accepted(), Usage(20, 2), Usage(30, 3), done("Hi")]
    )
    event = await bench.ask()
    await bench.clock.advance(3)
    kept = await bench.tried(event)
    assert (kept.prompt_tokens, kept.completion_tokens) == (60, 6)


async def test_a_message_deleted_on_its_way_back_into_the_queue_is_not_run_again(
    benches: list[Bench],
) -> None:
    """While its retry is written down, nobody but the worker could stop it."""
    bench, backend = await start_bench(benches)
    move, writing, gate = bench.store.move, asyncio.Event(), asyncio.Event()

    async def slow(*arguments: Any) -> None:
        writing.set()
        await gate.wait()
        await move(*arguments)

    async def slow_down(_tools: Any) -> None:
        bench.store.move = slow  # a disk that takes its time

    backend.turns = [[Accepted(), slow_down, Finished(Outcome.FAILED, detail="500")]]
    event = await bench.ask()
    assert writing.is_set()
    bench.delete(event)
    gate.set()
    await bench.clock.advance(3)
    assert (event.state, event.reason) == (State.CANCELLED, "message_deleted")
    assert len(backend.seen) == 1


async def test_an_event_is_not_expired_by_a_pause_that_came_while_it_ran(
    benches: list[Bench],
) -> None:
    """Its run failed at the end of its time; the pause gives it more."""
    bench, backend = await start_bench(benches)
    backend.turns = [[NEVER]]
    event = await bench.ask()
    await bench.settings.set_guild(9, paused_since=bench.clock.time())
    await bench.clock.advance(900)
    assert (event.state, bench.square.notices) == (State.WAITING, [])
    await bench.settings.set_guild(9, paused_since=None)
    await bench.queue.lengthen(lambda _event: True, 900)
    await bench.clock.advance(3)
    assert event.state is State.ANSWERED


async def test_a_cancellation_from_inside_a_run_is_a_crash_like_any_other(
    benches: list[Bench],
) -> None:
    """A library that cancels the task it is called from must not take the lane with it."""

    async def cancel(_tools: Any) -> None:
        raise asyncio.CancelledError

    bench, _ = await start_bench(benches, [Accepted(), cancel])
    event = await bench.ask()
    await bench.clock.advance(3)
    assert (event.state, (await bench.tried(event)).crashes) == (State.ANSWERED, 1)


async def test_a_send_under_way_when_a_run_is_lost_is_let_through(benches: list[Bench]) -> None:
    """Cut off, it could arrive after it was looked for, and the next run would answer again."""
    bench, _ = await start_bench(benches)
    sending: list[asyncio.Future[ToolResult]] = []
    # Discord has it, and shows it in a moment, whether anybody waits for that or not.
    bench.port.lag = lambda: bench.clock.wait(asyncio.Event(), 0.5)

    class Cutting(ScriptedBackend):
        """A server's door that cuts off the calls of a run that is left."""

        async def run(self, given: Input, tools: ToolHost) -> AsyncGenerator[RunEvent, None]:
            self.seen.append(given)
            yield Accepted()
            arguments = {"channelId": "1", "message": f"answer {len(self.seen)}"}
            call = tools.call("discord_send", arguments)
            sending.append(asyncio.ensure_future(call))
            await asyncio.sleep(0)
            try:
                yield Finished(Outcome.LOST)
            finally:
                sending[-1].cancel()

    bench.backend = backend = Cutting()
    event = await bench.ask()
    await bench.clock.advance(60)
    assert (event.state, event.reason) == (State.ANSWERED, "sent_before_lost")
    assert (len(backend.seen), bench.square.of("tool")) == (1, ["answer 1"])


async def test_a_lost_run_of_an_agent_with_tools_of_its_own_is_not_sent_again(
    benches: list[Bench],
) -> None:
    """It may still go on, and answer where nobody can stop it."""
    bench, backend = await start_bench(benches, [Accepted(), Finished(Outcome.LOST)])
    bench.watched = True
    event = await bench.ask()
    await bench.clock.advance(60)
    assert (event.state, event.reason) == (State.FAILED, "lost")
    assert (len(backend.seen), len(bench.square.notices)) == (1, 1)


async def test_an_event_revived_while_its_end_is_shown_can_still_be_withheld(
    benches: list[Bench],
) -> None:
    """It is taken again before Discord has taken the mark of its first end."""
    bench, _ = await start_bench(benches, [Accepted(), NEVER])
    bench.refusal = Reason.NOT_ENABLED
    shown, mark = asyncio.Event(), bench.delivery.call_off

    async def slowly(event: Event) -> None:
        await shown.wait()
        await mark(event)

    bench.delivery.call_off = slowly  # type: ignore[method-assign]  # a Discord that takes its time
    event = await bench.ask()
    assert event.state is State.CANCELLED
    bench.refusal = None
    again = await bench.kept(event)
    again.context = make_event(message_id=event.message_id).context
    assert await bench.queue.revive(again) is Enqueued.ACCEPTED
    await bench.clock.advance(3)
    assert again.state is State.RUNNING
    shown.set()
    await bench.clock.settle()
    bench.delete(again)
    await bench.clock.settle()
    assert (again.state, again.reason) == (State.CANCELLED, "message_deleted")
