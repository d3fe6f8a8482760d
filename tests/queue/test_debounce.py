"""A thought in three messages is one turn: a lane waits until its first speaker is quiet."""

from __future__ import annotations

from typing import Any

import pytest

from aurora.model import Event
from aurora.queue.limits import WorkRules
from aurora.settings import Settings
from tests.support.events import make_event
from tests.support.keepers import Keeper
from tests.support.queues import QueueBench


@pytest.fixture
async def bench() -> QueueBench:
    """A queue that waits for two quiet seconds."""
    made = QueueBench()
    made.rules.quiet, made.rules.together = 2.0, 5
    await made.queue.open()
    return made


async def write(bench: QueueBench, **changes: Any) -> Event:
    """Write a message now."""
    event = make_event(now=bench.clock.time(), **changes)
    await bench.accept(event)
    return event


async def test_a_thought_in_three_messages_is_one_turn(bench: QueueBench) -> None:
    """The lane waits from the last of them on."""
    thought = []
    for _ in range(3):
        thought.append(await write(bench))
        assert await bench.claim_all() == []
        await bench.clock.advance(1.5)
    assert await bench.claim_all() == []
    await bench.clock.advance(0.5)
    (turn,) = await bench.claim_all()
    assert bench.turn(turn).events == tuple(thought)


async def test_who_never_stops_is_answered_all_the_same(bench: QueueBench) -> None:
    """After three quiet moments' time from the first message on."""
    for _ in range(4):
        await write(bench)
        assert await bench.claim_all() == []
        await bench.clock.advance(1.5)
    (turn,) = await bench.claim_all()
    assert len(bench.turn(turn).events) == 4


async def test_a_word_of_somebody_else_ends_the_wait(bench: QueueBench) -> None:
    """Nothing that comes could be answered together with the first any more."""
    first = await write(bench, author_id=1)
    assert await bench.claim_all() == []
    await write(bench, author_id=2)
    assert await bench.claim_all() == [first]


async def test_a_full_turn_waits_for_nothing(bench: QueueBench) -> None:
    """No more than five are answered together."""
    events = [await write(bench) for _ in range(5)]
    (turn,) = await bench.claim_all()
    assert bench.turn(turn).events == tuple(events)


async def test_a_restart_neither_forgets_nor_repeats_the_wait(bench: QueueBench) -> None:
    """The moment is counted from when the message was accepted."""
    event = await write(bench)
    await bench.clock.advance(1.5)
    await bench.reopen()
    assert await bench.claim_all() == []
    await bench.clock.advance(0.5)
    (turn,) = await bench.claim_all()
    assert turn.id == event.id


async def test_a_turn_that_runs_again_waits_only_for_that(bench: QueueBench) -> None:
    """Nobody joins it, and it has waited once."""
    await write(bench)
    await bench.clock.advance(2.0)
    (turn,) = await bench.claim_all()
    await bench.retry(turn, 0.0)
    assert await bench.claim_all() == [turn]


async def test_the_channels_pace_holds_beside_it(bench: QueueBench) -> None:
    """Whichever is later."""
    bench.rules.seconds[9] = 10.0
    await write(bench, guild_id=9)
    await bench.clock.advance(2.0)
    (turn,) = await bench.claim_all()
    await bench.finish(turn)
    await write(bench, guild_id=9)
    await bench.clock.advance(5.0)
    assert await bench.claim_all() == []
    await bench.clock.advance(5.0)
    assert len(await bench.claim_all()) == 1


async def test_where_each_message_runs_alone_nobody_waits() -> None:
    """`coalesce off` leaves nothing to wait for."""
    kept = {9: {"debounce_seconds": 3.0}, 8: {"debounce_seconds": 3.0, "coalesce_messages": False}}
    settings = Settings(Keeper({}, kept))
    await settings.load()
    rules = WorkRules(settings, None)  # type: ignore[arg-type]  # it is not asked
    waits = [rules.debounce(make_event(guild_id=one)) for one in (9, 8, 7, None)]
    assert waits == [3.0, 0.0, 0.0, 0.0]
