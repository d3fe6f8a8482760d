"""A provider that limits its agent: one word in each channel, and every answer in the end."""

from __future__ import annotations

from typing import Any

import pytest

from aurora.agents.protocol import Accepted, Finished, Text
from aurora.model import Event, State
from aurora.queue import EXPIRY_SECONDS
from aurora.reasons import AgentError, Outcome
from tests.support.scripts import NEVER, ScriptedBackend, done
from tests.support.workers import Bench, start_bench

LIMITED = [Accepted(), Finished(Outcome.OVERLOADED, detail="429")]
LIMITED_AT_THE_DOOR = [Finished(Outcome.OVERLOADED, detail="429")]
ANSWER = [Accepted(), done("Hi.")]

BOTH = pytest.mark.parametrize("limited", [LIMITED, LIMITED_AT_THE_DOOR], ids=["run", "door"])


async def ask(bench: Bench, number: int, **fields: Any) -> Event:
    """Let somebody ask in a channel of their own, and be greeted."""
    event = await bench.ask(channel_id=number, author_id=number, **fields)
    await bench.notices.greet(event)
    return event


def told(bench: Bench) -> list[int]:
    """Return the channels that were told that it takes longer, in order."""
    return [post.channel_id for post in bench.square.posts if post.key == "notice:outage"]


def for_ever(backend: ScriptedBackend, script: list[Any]) -> None:
    """Let each turn from now on play the same."""
    backend.default = lambda: script  # type: ignore[method-assign]


@BOTH
async def test_a_limit_for_ever_is_told_once_in_each_channel(
    benches: list[Bench], limited: list[Any]
) -> None:
    """After a quarter of a minute, in words of its own; who comes later is told at once."""
    bench, backend = await start_bench(benches)
    for_ever(backend, limited)
    for number in range(3):
        await ask(bench, number)
    await bench.clock.advance(14)
    assert told(bench) == []
    await bench.clock.advance(7)
    assert sorted(told(bench)) == [0, 1, 2]
    await ask(bench, 7)
    await bench.clock.advance(300)
    assert sorted(told(bench)) == [0, 1, 2, 7]
    assert all("asked for too much" in words for words in bench.square.notices)


@BOTH
async def test_a_limit_for_ever_is_tried_seldom(benches: list[Bench], limited: list[Any]) -> None:
    """By one turn at a time, however many wait: asking is what is limited."""
    bench, backend = await start_bench(benches)
    for_ever(backend, limited)
    for number in range(10):
        await ask(bench, number)
    begun = len(backend.seen)
    await bench.clock.advance(120)
    assert begun == 1
    assert len(backend.seen) - begun == 5


async def test_when_it_is_over_all_are_answered(benches: list[Bench]) -> None:
    """The first word of the one that tries is enough; it may think for long after it."""
    bench, backend = await start_bench(benches)
    for_ever(backend, LIMITED)
    events = [await ask(bench, number) for number in range(10)]
    await bench.clock.advance(30)
    for_ever(backend, ANSWER)
    backend.turns = [[Accepted(), Text("m", "Let me see"), NEVER]]
    await bench.clock.advance(15)
    assert [event.state for event in events].count(State.ANSWERED) == 9
    assert not bench.breakers.is_limited("a")


async def test_a_limit_counts_against_nobody(benches: list[Bench]) -> None:
    """Neither the server nor the agent has failed, and other agents go on."""
    bench, backend = await start_bench(benches)
    await bench.settings.set_guild(8, agent_id="b", enabled=True)
    backend.turns = [LIMITED]
    await ask(bench, 1)
    other = await ask(bench, 2, guild_id=8)
    assert other.state is State.ANSWERED
    for _ in range(8):
        for_ever(backend, LIMITED)
        await bench.clock.advance(60)
    shown = bench.breakers.snapshot()
    assert (shown[None].failures, shown["a"].failures) == (0, 0)
    assert not bench.breakers.is_open("a")


async def test_who_waits_for_a_limit_expires_with_a_word(benches: list[Bench]) -> None:
    """Nobody waits for ever, and nobody in silence."""
    bench, backend = await start_bench(benches)
    for_ever(backend, LIMITED)
    events = [await ask(bench, number) for number in range(3)]
    await bench.clock.advance(EXPIRY_SECONDS - 30)
    assert {event.state for event in events} == {State.WAITING}
    await bench.clock.advance(60)
    assert {event.state for event in events} == {State.EXPIRED}
    ends = [post.event_id for post in bench.square.posts if post.key == "notice:end"]
    assert sorted(ends) == [event.id for event in events]


async def test_what_the_provider_asks_for_is_what_all_wait(benches: list[Bench]) -> None:
    """Not only the one that it was said to."""
    asked = [Accepted(), Finished(Outcome.OVERLOADED, detail="429", retry_after=40.0)]
    bench, backend = await start_bench(benches, asked)
    events = [await ask(bench, number) for number in range(4)]
    await bench.clock.advance(39)
    assert len(backend.seen) == 1
    await bench.clock.advance(3)
    assert {event.state for event in events} == {State.ANSWERED}


async def test_a_limit_of_seconds_costs_no_word(benches: list[Bench]) -> None:
    """Most limits are over before anybody wonders."""
    bench, _ = await start_bench(benches, LIMITED, LIMITED)
    event = await ask(bench, 1)
    await bench.clock.advance(12)
    assert (event.state, bench.square.notices) == (State.ANSWERED, [])


async def test_a_conversation_that_is_limited_is_the_same(benches: list[Bench]) -> None:
    """A server may refuse what comes before the first input."""
    bench, backend = await start_bench(benches)
    backend.open_errors = [AgentError(Outcome.OVERLOADED, "429")] * 3
    event = await ask(bench, 1)
    await bench.clock.advance(4)
    assert bench.breakers.is_limited("a")
    await bench.clock.advance(10)
    assert event.state is State.ANSWERED


async def test_a_server_that_goes_away_in_a_limit_is_told_once(benches: list[Bench]) -> None:
    """Who waits knows already that it takes longer."""
    bench, backend = await start_bench(benches)
    for_ever(backend, LIMITED)
    await ask(bench, 1)
    await bench.clock.advance(21)
    backend.away = True
    await bench.clock.advance(200)
    assert told(bench) == [1]
