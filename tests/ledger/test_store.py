"""What every Store does; one suite for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from aurora.ledger import Store
from aurora.ledger.memory import MemoryStore
from aurora.model import Event, Send, State
from tests.clocks import FakeClock
from tests.events import make_event

DAY = 24 * 3600.0
STORES: dict[str, Callable[[FakeClock], Store]] = {"memory": MemoryStore}


@pytest.fixture
def clock() -> FakeClock:
    """The time that the store goes by."""
    return FakeClock()


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, clock: FakeClock) -> AsyncIterator[Store]:
    """An empty, open store of each kind."""
    made = STORES[request.param](clock)
    assert list(await made.open()) == []
    yield made
    await made.close()


@pytest.fixture
def event(clock: FakeClock) -> Event:
    """An event of this moment."""
    return make_event(now=clock.time())


def send(key: str = "answer", **changes: object) -> Send:
    """Return a send."""
    fields = {"key": key, "kind": "message", "by": "tool", "channel_id": 1, "text_hash": "abc"}
    return Send(**(fields | changes))  # type: ignore[arg-type]


async def reopened(store: Store) -> list[str]:
    """Return the ids of what is unfinished, as the next start finds it."""
    return [event.id for event in await store.open()]


# -- events


async def test_an_added_event_is_kept_whole(store: Store, event: Event) -> None:
    """Every field, the context too."""
    assert await store.add(event) is True
    assert await store.get(event.id) == event


async def test_an_unknown_event_is_none(store: Store) -> None:
    """And no error."""
    assert await store.get("evt_unknown") is None


async def test_what_is_kept_is_a_copy(store: Store, event: Event) -> None:
    """What was not saved is not kept, and what is returned can be changed freely."""
    await store.add(event)
    event.attempts = 5
    kept = await store.get(event.id)
    assert kept is not None
    assert kept.attempts == 0
    kept.attempts = 7
    again = await store.get(event.id)
    assert again is not None
    assert again.attempts == 0


async def test_unfinished_events_come_back_in_the_order_of_acceptance(
    store: Store, clock: FakeClock
) -> None:
    """Saving one later does not move it, and the final one is gone."""
    events = [make_event(now=clock.time()) for _ in range(4)]
    for one in events:
        await store.add(one)
    events[0].state = State.RUNNING
    await store.save(events[0])
    await store.finish(events[2], State.ANSWERED, "sent")
    assert await reopened(store) == [events[0].id, events[1].id, events[3].id]


async def test_saving_keeps_every_change(store: Store, event: Event) -> None:
    """What the worker learns on the way."""
    await store.add(event)
    event.state, event.reason, event.attempts, event.misses = State.RUNNING, "try", 2, 3
    event.not_before, event.agent_id, event.conversation_id = 12.5, "agent-1", "conv-1"
    event.run_id, event.input_id = "run-1", "input-1"
    event.context["message"]["content"] = "edited"
    await store.save(event)
    assert await store.get(event.id) == event


@pytest.mark.parametrize("state", [state for state in State if state.final])
async def test_a_final_event_keeps_its_state_and_forgets_its_content(
    store: Store, event: Event, state: State
) -> None:
    """Promise 13: no words of anybody stay."""
    await store.add(event)
    await store.finish(event, state, "because")
    kept = await store.get(event.id)
    assert kept is not None
    assert (kept.state, kept.reason, kept.message_id) == (state, "because", event.message_id)
    assert not kept.context
    assert (event.state, event.reason) == (state, "because")


# -- dedupe


async def test_a_message_is_accepted_once(store: Store, event: Event) -> None:
    """Promise 2; the first event stays as it is."""
    await store.add(event)
    again = make_event(message_id=event.message_id, now=event.accepted_at, id="evt_again")
    assert await store.add(again) is False
    assert await store.get("evt_again") is None
    assert await store.get(event.id) == event


async def test_dedupe_outlives_the_answer_for_seven_days(
    store: Store, clock: FakeClock, event: Event
) -> None:
    """A gateway replays, an admin restores: still no second answer."""
    await store.add(event)
    await store.finish(event, State.ANSWERED, "sent")
    await clock.advance(7 * DAY - 1)
    again = make_event(message_id=event.message_id, now=clock.time(), id="evt_again")
    assert await store.add(again) is False


async def test_after_more_than_seven_days_nothing_is_left(
    store: Store, clock: FakeClock, event: Event
) -> None:
    """Event and sends are dropped with the next event, whoever wrote it."""
    await store.add(event)
    await store.record_send(event.id, send())
    await store.finish(event, State.ANSWERED, "sent")
    await clock.advance(7 * DAY + 1)
    await store.add(make_event(now=clock.time()))
    assert await store.get(event.id) is None
    assert list(await store.sends(event.id)) == []
    again = make_event(message_id=event.message_id, now=clock.time(), id="evt_again")
    assert await store.add(again) is True


async def test_an_unfinished_event_is_never_dropped_for_its_age(
    store: Store, clock: FakeClock, event: Event
) -> None:
    """Paused events wait, and do not expire meanwhile (promise 5)."""
    await store.add(event)
    await clock.advance(30 * DAY)
    await store.add(make_event(now=clock.time()))
    assert event.id in await reopened(store)


# -- refusals


async def test_a_refusal_is_remembered_for_a_day(store: Store, clock: FakeClock) -> None:
    """Long enough for `why`, and no longer."""
    assert await store.refusal(1) is None
    await store.refuse(1, "ineligible")
    await clock.advance(DAY - 1)
    assert await store.refusal(1) == "ineligible"
    await clock.advance(2)
    assert await store.refusal(1) is None


async def test_the_last_refusal_of_a_message_counts(store: Store, clock: FakeClock) -> None:
    """Seen twice, and its day begins anew."""
    await store.refuse(1, "not_enabled")
    await clock.advance(DAY - 1)
    await store.refuse(1, "ineligible")
    await store.refuse(2, "bot")
    await clock.advance(DAY - 1)
    assert await store.refusal(1) == "ineligible"


# -- conversations


async def test_a_lane_has_a_conversation_with_each_agent(store: Store) -> None:
    """And can be pointed to another."""
    assert await store.conversation("agent-1", "channel:1") is None
    await store.set_conversation("agent-1", "channel:1", "conv-a")
    await store.set_conversation("agent-2", "channel:1", "conv-b")
    await store.set_conversation("agent-1", "channel:2", "conv-c")
    await store.set_conversation("agent-1", "channel:1", "conv-d")
    assert await store.conversation("agent-1", "channel:1") == "conv-d"
    assert await store.conversation("agent-2", "channel:1") == "conv-b"
    assert await store.conversation("agent-1", "channel:2") == "conv-c"


# -- sends


async def test_sends_come_back_whole_and_oldest_first(store: Store, event: Event) -> None:
    """Every field of each."""
    await store.add(event)
    sends = [
        send("one", by="delivery", reply_to=7, message_ids=(8, 9)),
        send("two", kind="reaction", channel_id=2, text_hash="def"),
        send("a third", by="notice"),
    ]
    for one in sends:
        await store.record_send(event.id, one)
    assert list(await store.sends(event.id)) == sends


async def test_a_send_with_the_same_key_is_replaced_where_it_stands(
    store: Store, event: Event
) -> None:
    """First under way, then with the ids of what was sent."""
    await store.add(event)
    await store.record_send(event.id, send("one"))
    await store.record_send(event.id, send("two"))
    await store.record_send(event.id, send("one", message_ids=(8,)))
    assert list(await store.sends(event.id)) == [send("one", message_ids=(8,)), send("two")]


async def test_events_do_not_share_sends(store: Store, clock: FakeClock) -> None:
    """The same key in two events is two sends."""
    first, second = make_event(now=clock.time()), make_event(now=clock.time())
    for one in (first, second):
        await store.add(one)
    await store.record_send(first.id, send(text_hash="of the first"))
    assert list(await store.sends(second.id)) == []


async def test_sends_outlive_the_end_of_their_event(store: Store, event: Event) -> None:
    """A tool call that the server repeats after a restart must still be recognised."""
    await store.add(event)
    await store.record_send(event.id, send())
    await store.finish(event, State.ANSWERED, "sent")
    assert list(await store.sends(event.id)) == [send()]


# -- people


async def test_forgetting_a_person_drops_all_of_theirs_and_nothing_else(
    store: Store, clock: FakeClock
) -> None:
    """Waiting and final events and their sends; others' stay."""
    waiting, final = (make_event(author_id=7, now=clock.time()) for _ in range(2))
    other = make_event(author_id=8, now=clock.time())
    for one in (waiting, final, other):
        await store.add(one)
        await store.record_send(one.id, send())
    await store.finish(final, State.ANSWERED, "sent")
    await store.forget_user(7)
    for one in (waiting, final):
        assert await store.get(one.id) is None
        assert list(await store.sends(one.id)) == []
    assert await store.get(other.id) == other
    assert list(await store.sends(other.id)) == [send()]
    assert await reopened(store) == [other.id]


async def test_forgetting_somebody_unknown_does_nothing(store: Store, event: Event) -> None:
    """Red asks for everybody who leaves Discord."""
    await store.add(event)
    await store.forget_user(999)
    assert await store.get(event.id) == event


async def test_a_forgotten_event_does_not_come_back_with_its_run(
    store: Store, event: Event
) -> None:
    """What still runs when its author is forgotten must leave nothing when it ends."""
    await store.add(event)
    await store.forget_user(event.author_id)
    await store.save(event)
    await store.record_send(event.id, send())
    await store.finish(event, State.ANSWERED, "sent")
    assert await store.get(event.id) is None
    assert list(await store.sends(event.id)) == []
