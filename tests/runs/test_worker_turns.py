"""Turns of several messages: one answer for all, and each can still be taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from aurora.agents.protocol import Accepted, Finished
from aurora.model import Event, State
from aurora.reasons import Outcome, Reason
from aurora.runs.cancelling import Running, Show, messages
from tests.support.events import make_event
from tests.support.scripts import (
    NEVER,
    ScriptedBackend,
    by_tool,
    done,
)
from tests.support.squares import ELSEWHERE
from tests.support.workers import Bench


async def start(
    benches: list[Bench], *turns: Sequence[Any], messages: int = 3, seconds: float = 60.0
) -> tuple[Bench, ScriptedBackend, list[Event]]:
    """Let one person ask several times while nobody is at work, and start the worker."""
    backend = ScriptedBackend(*turns)
    bench = Bench(backend)
    benches.append(bench)
    events = [make_event() for _ in range(messages)]
    for event in events:
        event.context["message"]["content"] = f"words of {event.message_id}"
    await bench.prepare()
    await bench.settings.set_guild(9, agent_timeout=seconds)
    await bench.accept(*events)
    bench.run()
    await bench.clock.settle()
    return bench, backend, events


def ends(events: Sequence[Event]) -> list[tuple[State, str]]:
    """Return how events stand."""
    return [(event.state, event.reason) for event in events]


async def test_one_answer_ends_all_the_messages_of_a_turn(benches: list[Bench]) -> None:
    """The agent reads all of them in one prompt, and answers once."""
    bench, backend, events = await start(benches)
    assert ends(events) == [(State.ANSWERED, "delivered")] * 3
    ((text),) = [turn.text for turn in backend.seen]
    assert all(f"words of {event.message_id}" in text for event in events)
    assert bench.square.delivered == ["Hello."]
    assert bench.square.posts[0].event_id == events[-1].id


async def test_a_deleted_message_leaves_its_turn(benches: list[Bench]) -> None:
    """It ends at once; the others' run goes on."""
    bench, backend, (first, second, third) = await start(benches, [Accepted(), NEVER])
    bench.delete(first)
    await bench.clock.settle()
    assert ends([first]) == [(State.CANCELLED, "message_deleted")]
    assert ends([second, third]) == [(State.RUNNING, "")] * 2
    assert backend.aborted == 0
    assert (await bench.kept(first)).state is State.CANCELLED


async def test_a_message_deleted_before_the_turn_starts_is_not_read(
    benches: list[Bench],
) -> None:
    """The turn was taken, and is being written down."""
    bench, backend, _ = await start(benches, messages=0)
    kept, writing, gate = bench.store.start, asyncio.Event(), asyncio.Event()

    async def slow(*arguments: Any) -> None:
        writing.set()
        await gate.wait()
        await kept(*arguments)

    bench.store.start = slow  # a disk that takes its time
    # The two arrive before the worker looks again.
    events = [make_event(), make_event()]
    await asyncio.gather(*map(bench.accept, events))
    await bench.clock.settle()
    assert writing.is_set()
    bench.delete(events[0])
    gate.set()
    await bench.clock.settle()
    assert ends(events) == [(State.CANCELLED, "message_deleted"), (State.ANSWERED, "delivered")]
    assert str(events[0].message_id) not in backend.seen[0].text


async def test_without_the_speaking_message_the_turn_is_over(benches: list[Bench]) -> None:
    """The answer would have replied to it; the others see that nothing will come."""
    bench, backend, events = await start(benches, [Accepted(), NEVER])
    bench.delete(events[-1])
    await bench.clock.settle()
    assert ends(events) == [(State.CANCELLED, "message_deleted")] * 3
    assert bench.square.called_off == [events[0].id, events[1].id]
    assert backend.aborted == 1


async def test_a_turn_that_ends_on_its_way_back_is_shown_to_the_others(
    benches: list[Bench],
) -> None:
    """What it has done is known only under the name of the message that is gone."""
    bench, _, events = await start(benches, [Accepted(), RuntimeError("a bug")])
    for _ in range(50):
        if events[0].turn_id and (await bench.tried(events[0])).interrupted:
            break
        await asyncio.sleep(0)
    assert {event.state for event in events} == {State.WAITING}
    await bench.cancelling.cancel(
        messages({events[-1].message_id}), Reason.MENTION_REMOVED, show=Show.OTHERS
    )
    await bench.clock.settle()
    assert ends(events) == [(State.CANCELLED, "mention_removed")] * 3
    assert bench.square.called_off == [events[0].id, events[1].id]


async def test_a_message_deleted_while_its_turn_is_put_back_ends_it(benches: list[Bench]) -> None:
    """Nobody could cancel it then; the others see that nothing will come."""
    bench, backend, events = await start(benches, messages=0)
    backend.turns = [[Accepted(), RuntimeError("a bug")]]
    kept, writing, gate = bench.store.move, asyncio.Event(), asyncio.Event()

    async def slow(*arguments: Any) -> None:
        writing.set()
        await gate.wait()
        await kept(*arguments)

    bench.store.move = slow  # a disk that takes its time
    events = [make_event(), make_event()]
    await asyncio.gather(*map(bench.accept, events))
    await bench.clock.settle()
    assert writing.is_set()
    bench.delete(events[-1])
    gate.set()
    await bench.clock.settle()
    assert ends(events) == [(State.CANCELLED, "message_deleted")] * 2
    assert bench.square.called_off == [events[0].id]


async def test_of_messages_deleted_together_none_is_marked(benches: list[Bench]) -> None:
    """There is nothing left to put a mark on."""
    bench, _, events = await start(benches, [Accepted(), NEVER])
    bench.delete(*events)
    await bench.clock.settle()
    assert ends(events) == [(State.CANCELLED, "message_deleted")] * 3
    assert bench.square.called_off == []


async def test_a_turn_is_tried_again_with_all_its_messages(benches: list[Bench]) -> None:
    """What failed was the turn."""
    bench, backend, events = await start(
        benches, [Accepted(), Finished(Outcome.FAILED, detail="500")]
    )
    assert {event.state for event in events} == {State.WAITING}
    await bench.clock.advance(3)
    assert ends(events) == [(State.ANSWERED, "delivered")] * 3
    assert all(f"words of {event.message_id}" in backend.seen[1].text for event in events)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ([Accepted(), Finished(Outcome.CONFIG)], "config"),
        ([Accepted(), Finished(Outcome.CANCELLED)], "cancelled"),
        ([Accepted(), NEVER], "timeout"),
        ([by_tool("There.", ELSEWHERE), Finished(Outcome.LOST)], "lost"),
    ],
)
async def test_an_end_without_an_answer_is_shown_on_each_message(
    benches: list[Bench], script: list[Any], reason: str
) -> None:
    """In words on the message that the answer would have replied to, by a mark on the others."""
    bench, _, events = await start(benches, script, seconds=5)
    # The run that never ends has a time limit.
    await bench.clock.advance(6)
    await asyncio.gather(*bench.worker._tasks)
    assert {event.reason for event in events} == {reason}
    shown = {(post.event_id, post.by) for post in bench.square.posts if post.by != "tool"}
    assert shown == {
        (events[0].id, "mark"),
        (events[1].id, "mark"),
        (events[2].id, "notice"),
    }


async def test_silence_is_shown_on_each_message(benches: list[Bench]) -> None:
    """Of three questions that the agent has nothing to say to none looks forgotten."""
    bench, _, events = await start(benches, [Accepted(), done("")])
    assert ends(events) == [(State.DECLINED, "no_answer")] * 3
    marks = [(post.event_id, post.text) for post in bench.square.posts]
    assert sorted(marks) == [(event.id, "💤") for event in events]


async def test_withholding_all_of_somebody_ends_the_turn(benches: list[Bench]) -> None:
    """Every message in it is theirs."""
    bench, _, events = await start(benches, [Accepted(), NEVER])
    await bench.cancelling.cancel(
        lambda event: event.author_id == 7, Reason.FORGOTTEN, running=Running.STOP
    )
    assert ends(events) == [(State.CANCELLED, "forgotten")] * 3
    assert bench.square.posts == []


async def test_a_turn_left_by_an_unload_comes_back_as_it_was(benches: list[Bench]) -> None:
    """Who is in it never changes."""
    bench, _, events = await start(benches, [Accepted(), NEVER])
    await bench.stop()
    later = make_event()
    await bench.accept(later)
    backend = ScriptedBackend()
    after = await bench.again(backend)
    benches.append(after)
    await bench.clock.advance(2)
    text = backend.seen[0].text
    assert all(f"words of {event.message_id}" in text for event in events)
    assert str(later.message_id) not in text
    kept = [await after.kept(event) for event in events]
    assert ends(kept) == [(State.ANSWERED, "delivered")] * 3
