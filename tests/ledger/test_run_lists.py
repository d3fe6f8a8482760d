"""What somebody has asked, and what a short name stands for; in every store."""

from __future__ import annotations

from aurora.ids import ids_of_task, new_event_id, task_id
from aurora.ledger import EVERYWHERE, Store
from aurora.model import Event, State
from tests.support.clocks import FakeClock
from tests.support.events import make_event
from tests.support.stores import change, end, start

ADA, BOB = 7, 8


async def asked(store: Store, clock: FakeClock, state: State, **more: object) -> Event:
    """Keep what somebody asked, and what became of it."""
    await clock.advance(1)
    event = make_event(now=clock.time(), id=new_event_id(clock.time()), **more)  # type: ignore[arg-type]
    await store.add(event, change(event))
    if state is not State.WAITING:
        turn = await start(store, event)
        if state.final:
            await end(store, turn, state)
    return event


async def test_a_person_sees_their_own_newest_first_and_all_of_them_counted(
    store: Store, clock: FakeClock
) -> None:
    """Whatever state it is in, and nothing of anybody else's."""
    states = (State.ANSWERED, State.FAILED, State.ANSWERED, State.RUNNING, State.WAITING)
    mine = [await asked(store, clock, one, author_id=ADA) for one in states]
    await asked(store, clock, State.ANSWERED, author_id=BOB)
    await asked(store, clock, State.WAITING, author_id=BOB)
    found = await store.of_author(ADA, EVERYWHERE, limit=4)
    assert [one.event.id for one in found.latest] == [one.id for one in mine[:0:-1]]
    assert found.counts == {
        State.ANSWERED: 2, State.FAILED: 1, State.RUNNING: 1, State.WAITING: 1
    }  # fmt: skip
    assert not found.more


async def test_only_what_was_asked_in_a_place_is_listed_there(
    store: Store, clock: FakeClock
) -> None:
    """What somebody asks elsewhere is not for the people here."""
    here = await asked(store, clock, State.ANSWERED, author_id=ADA)
    there = await asked(store, clock, State.ANSWERED, author_id=ADA, guild_id=10)
    dm = await asked(store, clock, State.WAITING, author_id=ADA, guild_id=None)
    for where, event in ((9, here), (10, there), (None, dm)):
        found = await store.of_author(ADA, where)
        assert [one.event.id for one in found.latest] == [event.id]
        assert sum(found.counts.values()) == 1


async def test_a_state_can_be_asked_for_and_the_counts_stay_those_of_all(
    store: Store, clock: FakeClock
) -> None:
    """The overview stands above each list."""
    await asked(store, clock, State.ANSWERED, author_id=ADA)
    failed = await asked(store, clock, State.FAILED, author_id=ADA)
    found = await store.of_author(ADA, EVERYWHERE, states=[State.FAILED])
    assert [one.event.id for one in found.latest] == [failed.id]
    assert sum(found.counts.values()) == 2
    waiting = await store.of_author(ADA, EVERYWHERE, states=[State.WAITING])
    assert list(waiting.latest) == []


async def test_what_waits_again_or_was_forgotten_is_no_longer_among_the_ended(
    store: Store, clock: FakeClock
) -> None:
    """An index that remembered it would show it twice, or for ever."""
    event = await asked(store, clock, State.FAILED, author_id=ADA)
    assert (await store.of_author(ADA, EVERYWHERE)).counts == {State.FAILED: 1}
    event.state, event.reason = State.WAITING, ""
    await store.revive(event, change(event))
    found = await store.of_author(ADA, EVERYWHERE)
    assert [one.event.state for one in found.latest] == [State.WAITING]
    assert found.counts == {State.WAITING: 1}
    await store.forget_user(ADA)
    found = await store.of_author(ADA, EVERYWHERE)
    assert (list(found.latest), sum(found.counts.values())) == ([], 0)


async def test_an_event_is_found_by_its_short_name(store: Store, clock: FakeClock) -> None:
    """By nothing that had to be kept for it, and without what was written."""
    events = [await asked(store, clock, State.ANSWERED) for _ in range(3)]
    (found,) = await store.beginning(ids_of_task(task_id(events[1].id)) or "")
    assert found.id == events[1].id
    assert not found.context
    assert list(await store.beginning("evt_00000000-0000-7000-8000-")) == []


async def test_two_of_one_short_name_are_both_told(store: Store, clock: FakeClock) -> None:
    """So that nobody cancels another's by chance."""
    start_of = "evt_01977420-c400-7000-8000-00000000000"
    for number in range(3):
        event = make_event(now=clock.time(), id=f"{start_of}{number}")
        await store.add(event, change(event))
    assert len(await store.beginning(ids_of_task(task_id(f"{start_of}0")) or "")) == 2
