"""A second chance: what is tried again, what is not, and for which reason."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from aurora.model import Event, State, Trace, Turn
from aurora.reasons import Reason
from aurora.runs.retrying import Reread, Retries
from tests.support.events import make_event
from tests.support.queues import QueueBench

_ENDS = {
    State.FAILED: Reason.FAILED,
    State.EXPIRED: Reason.WAITED_TOO_LONG,
    State.CANCELLED: Reason.CLEARED,
    State.ANSWERED: Reason.SENT,
    State.DECLINED: Reason.NO_ANSWER,
}


class Desk:
    """A queue whose ended events can be tried again; what Discord says is decided here."""

    def __init__(self) -> None:
        bench = QueueBench()
        self.clock, self.queue = bench.clock, bench.queue
        self.traces: dict[str, Trace] = {}
        self.read: Reread | Reason = Reason.MESSAGE_GONE
        self.retries = Retries(bench.store, bench.queue, self._trace, self._reread)

    async def _trace(self, turn: Turn) -> Trace:
        return self.traces.get(turn.speaker.id, Trace.NOTHING)

    async def _reread(self, _event: Event) -> Reread | Reason:
        return self.read

    async def ended(self, state: State, message_id: int = 1) -> Event:
        """Accept an event and let it end."""
        event = make_event(message_id=message_id, now=self.clock.time())
        assert await self.queue.enqueue(event) == "accepted"
        turn = await self.queue.take()
        await self.queue.start(turn)
        await self.queue.finish(turn, _ENDS[state])
        return event


@pytest.fixture
async def desk() -> Desk:
    """A desk whose queue is open."""
    desk = Desk()
    await desk.queue.open()
    return desk


@pytest.mark.parametrize("state", [State.FAILED, State.EXPIRED, State.CANCELLED])
async def test_what_ended_without_an_answer_waits_again(desk: Desk, state: State) -> None:
    """With what its message says now."""
    event = await desk.ended(state)
    fresh = make_event().context
    desk.read = Reread("reply", fresh)
    assert await desk.retries.retry(event) is None
    assert (event.state, event.kind) == (State.WAITING, "reply")
    assert desk.queue.waiting() == [event]
    assert await desk.retries.retry(event) == State.WAITING


@pytest.mark.parametrize("state", [State.ANSWERED, State.DECLINED])
async def test_what_got_its_answer_gets_no_second(desk: Desk, state: State) -> None:
    """Nor does what the agent chose not to answer."""
    assert await desk.retries.retry(await desk.ended(state)) == state


@pytest.mark.parametrize("seen", [Trace.ANSWER, Trace.LATER, Trace.DOUBT, Trace.INTERIM])
@pytest.mark.parametrize("speaker", [False, True])
async def test_what_had_a_visible_effect_is_not_tried_again(
    desk: Desk, seen: Trace, speaker: bool
) -> None:
    """Its own, or that of the turn it was in (promise 6)."""
    event = await desk.ended(State.FAILED)
    acted = event
    if speaker:
        acted = await desk.ended(State.FAILED, 2)
        event.turn_id = acted.turn_id
    desk.traces[acted.id] = seen
    assert await desk.retries.retry(event) == seen
    assert desk.queue.waiting() == []


async def test_a_message_that_may_not_be_answered_now_keeps_its_end(desk: Desk) -> None:
    """As when it is gone."""
    event = await desk.ended(State.FAILED)
    assert await desk.retries.retry(event) == "message_gone"
    assert event.state is State.FAILED


async def test_a_message_is_tried_again_once_however_many_ask_for_it(desk: Desk) -> None:
    """In two servers at once, as an owner may: or it would be answered twice."""
    event = await desk.ended(State.FAILED)
    desk.read = Reread("reply", make_event().context)
    said = await asyncio.gather(*(desk.retries.retry(replace(event)) for _ in range(3)))
    assert sorted(map(str, said)) == ["None", "duplicate", "duplicate"]
    assert len(desk.queue.waiting()) == 1


async def test_a_queue_that_is_shut_takes_nothing_again(desk: Desk) -> None:
    """And says so."""
    event = await desk.ended(State.FAILED)
    desk.read = Reread("mention", event.context)
    desk.queue.shut()
    assert await desk.retries.retry(event) == "shut"
