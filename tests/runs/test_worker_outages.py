"""Outages as people see them: one word in each channel that lasts, every answer in the end."""

from __future__ import annotations

from typing import Any

import pytest

from aurora.agents.protocol import Accepted, Finished
from aurora.errors import BreakerState
from aurora.model import Event, State
from aurora.reasons import Outcome, Reason
from aurora.runs.cancelling import Show, messages
from tests.support.events import make_event
from tests.support.scripts import ScriptedBackend, done
from tests.support.workers import Bench, start_bench

REFUSED = [Finished(Outcome.UNREACHABLE, detail="refused")]
FAILED = [Accepted(), Finished(Outcome.LOST)]


async def break_down(bench: Bench, backend: ScriptedBackend) -> list[Event]:
    """Let five messages in five channels meet a server that is down; its breaker opens."""
    backend.away = True
    events = [await bench.ask(channel_id=n, author_id=n) for n in range(5)]
    assert bench.breakers.server.state is BreakerState.OPEN
    return events


async def greet(bench: Bench, **fields: Any) -> Event:
    """Let somebody ask, and be greeted."""
    event = await bench.ask(**fields)
    await bench.notices.greet(event)
    return event


def told(bench: Bench) -> list[int]:
    """Return the channels that were told, in order."""
    return [post.channel_id for post in bench.square.posts if post.key == "notice:outage"]


async def test_an_open_breaker_makes_events_wait_and_they_are_answered_on_recovery(
    benches: list[Bench],
) -> None:
    """Nothing is lost and nothing is sent while it is open."""
    bench, backend = await start_bench(benches)
    events = await break_down(bench, backend)
    sent = len(backend.seen)
    await bench.clock.advance(10)
    late = await greet(bench, channel_id=50, author_id=50)
    assert told(bench)[-1] == 50
    await bench.clock.advance(30)
    assert len(backend.seen) == sent
    backend.away = False
    await bench.clock.advance(15)
    assert {event.state for event in (*events, late)} == {State.ANSWERED}


async def test_a_server_that_is_back_within_seconds_was_never_away(benches: list[Bench]) -> None:
    """A restart of four seconds at twenty questions a second: nobody is told, all are answered."""
    bench, backend = await start_bench(benches)
    await bench.settings.set_guild(9, max_queue_size=100)
    backend.away = True
    events = []
    for number in range(80):
        events.append(await greet(bench, channel_id=number, author_id=number))
        await bench.clock.advance(0.05)
    backend.away = False
    await bench.clock.advance(6)
    assert {event.state for event in events} == {State.ANSWERED}
    assert bench.square.notices == []


@pytest.mark.parametrize(("seconds", "within"), [(4.0, 6.0), (8.0, 6.0), (35.0, 10.0)])
async def test_a_server_that_is_back_is_used_within_seconds(
    benches: list[Bench], seconds: float, within: float
) -> None:
    """Nobody waits out the breaker's minute."""
    bench, backend = await start_bench(benches)
    events = await break_down(bench, backend)
    await bench.clock.advance(seconds)
    backend.away = False
    await bench.clock.advance(within)
    assert bench.breakers.server.state is BreakerState.CLOSED
    assert {event.state for event in events} == {State.ANSWERED}


async def test_a_blink_of_the_line_is_no_outage(benches: list[Bench]) -> None:
    """An input that never arrived is sent again a second later, without a word."""
    bench, _ = await start_bench(benches, REFUSED)
    event = await bench.ask()
    await bench.clock.advance(3)
    assert (event.state, bench.square.notices) == (State.ANSWERED, [])


@pytest.mark.parametrize("seconds", [16.0, 20.0, 25.0])
async def test_who_asks_alone_does_not_wait_out_a_delay_that_grew(
    benches: list[Bench], seconds: float
) -> None:
    """The fifth miss opens the breaker after 15 s, and would be tried again 16 s later."""
    bench, backend = await start_bench(benches)
    backend.away = True
    event = await bench.ask()
    await bench.clock.advance(seconds)
    assert bench.breakers.server.state is BreakerState.OPEN
    backend.away = False
    await bench.clock.advance(7)
    assert event.state is State.ANSWERED


async def test_a_channel_is_told_once_of_an_outage(benches: list[Bench]) -> None:
    """Whoever writes there, and however often it is tried."""
    bench, backend = await start_bench(benches)
    backend.away = True
    for author in range(5):
        await greet(bench, author_id=author)
        await bench.clock.advance(20)
    assert told(bench) == [1]


async def test_probes_that_fail_are_the_same_outage(benches: list[Bench]) -> None:
    """Half-open is no end: the first input that gets through may be the last."""
    bench, backend = await start_bench(benches)
    await break_down(bench, backend)
    await bench.clock.advance(6)
    await greet(bench, channel_id=7, author_id=7)
    backend.away, backend.turns = False, [[Accepted(), done("Hi")], *[REFUSED] * 4]
    await bench.clock.advance(5)
    assert bench.breakers.server.state is BreakerState.OPEN
    assert backend.turns == [REFUSED] * 2
    for channel in (*range(5), 7):
        await greet(bench, channel_id=channel, author_id=channel + 10)
    assert sorted(told(bench)) == sorted(set(told(bench)))


async def test_a_later_outage_is_told_again(benches: list[Bench]) -> None:
    """The one before ended when the breaker closed."""
    bench, backend = await start_bench(benches)
    await break_down(bench, backend)
    await bench.clock.advance(6)
    deleted = await greet(bench, channel_id=7, author_id=7)
    await bench.queue.cancel(lambda event: event is deleted, Reason.MESSAGE_DELETED)
    backend.away = False
    await bench.clock.advance(120)
    assert bench.breakers.server.state is BreakerState.CLOSED
    await break_down(bench, backend)
    await bench.clock.advance(6)
    await greet(bench, channel_id=7, author_id=7)
    assert told(bench).count(7) == 2


async def test_a_channel_out_of_reach_by_itself_is_told_each_time(benches: list[Bench]) -> None:
    """No breaker opens for four misses; the next success is the end of it."""
    answer = [Accepted(), done("Hi")]
    bench, _ = await start_bench(benches, *[REFUSED] * 4, answer, *[REFUSED] * 4, answer)
    for _ in range(2):
        event = await bench.ask()
        await bench.clock.advance(20)
        assert event.state is State.ANSWERED
    assert told(bench) == [1, 1]


async def test_a_channel_is_not_told_before_it_was_out_of_reach_for_five_seconds(
    benches: list[Bench],
) -> None:
    """Three misses in three seconds are a restart."""
    bench, _ = await start_bench(benches, *[REFUSED] * 3)
    event = await bench.ask()
    await bench.clock.advance(20)
    assert (event.state, bench.square.notices) == (State.ANSWERED, [])


async def test_who_waits_when_an_outage_begins_is_told(benches: list[Bench]) -> None:
    """They missed once or were never tried, and would sit there in silence for a minute."""
    bench, backend = await start_bench(benches)
    await break_down(bench, backend)
    await bench.clock.advance(4)
    assert told(bench) == []
    await bench.clock.advance(2)
    assert sorted(told(bench)) == [0, 1, 2, 3, 4]


async def test_an_outage_of_an_agent_is_told_when_it_lasts(benches: list[Bench]) -> None:
    """No ping tells when an agent is well again: its breaker lets nothing through for a minute."""
    bench, _ = await start_bench(benches, *[FAILED] * 15)
    for channel in range(5):
        await bench.ask(channel_id=channel, author_id=channel)
    await bench.clock.advance(4)
    await bench.ask(channel_id=7, author_id=7)
    assert told(bench) == []
    await bench.clock.advance(6)
    assert told(bench) == [7]


async def test_only_those_who_wait_for_the_agent_in_trouble_are_told(
    benches: list[Bench],
) -> None:
    """Another server's agent is well."""
    bench, backend = await start_bench(benches)
    await bench.settings.set_guild(8, agent_id="b", enabled=True)
    backend.turns = [FAILED] * 15
    for channel in range(5):
        await bench.ask(channel_id=channel, author_id=channel)
    await bench.clock.advance(5)
    mine, theirs = make_event(), make_event(guild_id=8, channel_id=80)
    assert bench.breakers.agent("a").state is BreakerState.OPEN
    await bench.accept(mine)
    await bench.clock.advance(5)
    await bench.notices.greet(theirs)
    assert told(bench) == [mine.channel_id]


async def test_another_agents_recovery_is_not_the_end_of_this_outage(
    benches: list[Bench],
) -> None:
    """Nobody is told twice because a neighbour is well again."""
    bench, backend = await start_bench(benches)
    backend.turns = [FAILED] * 15
    for channel in range(5):
        await bench.ask(channel_id=channel, author_id=channel)
    await bench.clock.advance(10)
    await greet(bench, channel_id=7, author_id=7)
    bench.notices.changed("b", BreakerState.OPEN, BreakerState.CLOSED)
    bench.notices.changed(None, BreakerState.OPEN, BreakerState.CLOSED)
    await greet(bench, channel_id=7, author_id=8)
    assert told(bench) == [7]


async def test_nobody_is_greeted_while_all_is_well(benches: list[Bench]) -> None:
    """The commonest case."""
    bench, _ = await start_bench(benches)
    await greet(bench)
    assert bench.square.notices == []


async def test_who_has_an_end_by_the_time_it_is_their_turn_is_told_of_no_outage(
    benches: list[Bench],
) -> None:
    """The channel's next message would not be told, and nothing is kept of this one."""
    bench, backend = await start_bench(benches)
    await break_down(bench, backend)
    event = await bench.ask(channel_id=50, author_id=50)
    await bench.cancelling.cancel(
        messages({event.message_id}), Reason.MESSAGE_DELETED, show=Show.OTHERS
    )
    await bench.clock.advance(6)
    assert 50 not in told(bench)
    await greet(bench, channel_id=50, author_id=51)
    assert told(bench).count(50) == 1


async def test_lanes_are_scheduled_anew_only_for_the_better(benches: list[Bench]) -> None:
    """When a breaker opens each lane learns so when its time comes, not all in one piece."""
    bench, backend = await start_bench(benches)
    looked = []

    def look(guild_ids: object = None) -> None:  # noqa: ARG001 - the queue's signature
        looked.append(bench.breakers.server.state)

    bench.queue.reconsider = look  # type: ignore[method-assign]
    await break_down(bench, backend)
    assert looked == []
    bench.breakers.server.half_open()
    bench.breakers.reset()
    assert looked == [BreakerState.HALF_OPEN, BreakerState.CLOSED]
