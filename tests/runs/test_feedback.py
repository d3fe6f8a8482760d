"""Feedback: what it does to the confidence in an agent, and what the agent learns of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aurora.ledger.memory import MemoryStore
from aurora.model import Event, Judgement
from aurora.runs.feedback import BAD, FIRST, GOOD, LEAST, MOST, Feedback, confidence_after
from tests.support.clocks import FakeClock
from tests.support.events import make_event, make_turn
from tests.support.stores import change, start

ADA, BO = 7, 8


def thinks(good: bool) -> Judgement:
    """Return what somebody thinks of an answer."""
    return Judgement("evt", ADA, "agent-1", "channel:1", good, own=True, at=0.0)


@given(st.lists(st.booleans(), max_size=60))
def test_confidence_goes_up_by_15_and_down_by_20_between_10_and_100(signs: list[bool]) -> None:
    """Each judgement from where the ones before it have led."""
    assert confidence_after([]) == FIRST == 80
    before = confidence_after(map(thinks, signs))
    assert LEAST <= before <= MOST
    assert confidence_after(map(thinks, [*signs, True])) == min(before + 15, 100)
    assert confidence_after(map(thinks, [*signs, False])) == max(before - 20, 10)
    assert (GOOD, BAD) == (15, -20)


async def answered(store: MemoryStore, message_id: int) -> Event:
    """Keep an event that an agent has answered."""
    event = make_event(message_id=message_id, author_id=ADA)
    await store.add(event, change(event))
    turn = make_turn(event, agent_id="agent-1")
    await start(store, turn)
    return event


async def test_the_last_judgement_of_who_asked_counts_and_taking_it_back_undoes_it() -> None:
    """However often they change their mind; others change nothing."""
    clock = FakeClock()
    store = MemoryStore(clock)
    feedback = Feedback(store, clock)
    event = await answered(store, 100)
    for good in (True, False) * 25:
        await feedback.judge(event, ADA, good=good)
    await feedback.judge(event, BO, good=True)
    assert await feedback.confidence("agent-1", event.lane) == 60
    await feedback.take_back(event, ADA, good=True)
    assert await feedback.confidence("agent-1", event.lane) == 60
    await feedback.take_back(event, ADA, good=False)
    assert await feedback.confidence("agent-1", event.lane) == FIRST
    assert await feedback.confidence("agent-1", "channel:99") == FIRST


async def test_an_agent_learns_once_what_who_asked_thinks_of_its_last_answer() -> None:
    """Also of an Aurora after the one that heard of it."""
    clock = FakeClock()
    store = MemoryStore(clock)
    feedback = Feedback(store, clock)
    event = await answered(store, 100)
    assert await feedback.news("agent-1", event.lane) is None
    await feedback.judge(event, BO, good=True)
    assert await feedback.news("agent-1", event.lane) is None
    await feedback.judge(event, ADA, good=False)
    later = Feedback(store, clock)
    await later.start()
    assert await later.news("agent-1", event.lane) is False
    await later.tell("agent-1", event.lane)
    assert await later.news("agent-1", event.lane) is None
