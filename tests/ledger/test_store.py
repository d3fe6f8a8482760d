"""What every Store does with events; one suite for all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aurora.ledger import EVERYWHERE, Listed, Store
from aurora.model import NO_CONTEXT, Event, State, Turn
from tests.support.clocks import FakeClock
from tests.support.events import make_context, make_event, make_turn
from tests.support.stores import (
    DAY,
    change,
    end,
    make_send,
    reopened,
    retry,
    start,
)

# -- adding and reading


async def test_an_added_event_is_kept_whole(store: Store, event: Event) -> None:
    """Every field, the context too."""
    assert await store.add(event, change(event)) is True
    assert await store.get(event.id) == event
    assert await store.find(event.message_id) == event


async def test_a_field_of_every_kind_is_kept(store: Store, clock: FakeClock) -> None:
    """Also those that are empty in a new event, and text beyond ASCII."""
    event = make_event(
        now=clock.time(),
        guild_id=None,
        parent_id=77,
        reason="try",
        turn_id="turn_9",
        ended_at=0.1 + 0.2,
    )
    event.context["message"]["content"] = "żółw 🐢 \x00 \ud83d 'quoted'"
    await store.add(event, change(event))
    kept = await store.get(event.id)
    assert kept == event
    assert kept.state is State.WAITING


async def test_an_unknown_event_is_none(store: Store) -> None:
    """And no error."""
    assert await store.get("evt_unknown") is None
    assert await store.find(1) is None


async def test_what_is_kept_is_a_copy(store: Store, event: Event) -> None:
    """What was not saved is not kept, and what is returned can be changed freely."""
    await store.add(event, change(event))
    event.reason = "not saved"
    kept = await store.get(event.id)
    assert kept is not None
    assert kept.reason == ""
    kept.reason = "not saved either"
    again = await store.get(event.id)
    assert again is not None
    assert again.reason == ""


# -- running


async def test_starting_keeps_the_turn_and_fills_in_its_contexts(
    store: Store, clock: FakeClock
) -> None:
    """Of the one that speaks and of those before it."""
    events, contexts = [make_event(now=clock.time()) for _ in range(3)], {}
    for one in events:
        await store.add(one, change(one))
        contexts[one.id], one.context = one.context, NO_CONTEXT
    turn = await start(store, make_turn(*events, agent_id="agent-1"), at=clock.time())
    for one in events:
        assert one.context == contexts[one.id]
        kept = await store.get(one.id)
        assert kept is not None
        assert (kept.state, kept.turn_id) == (State.RUNNING, turn.id)
    speaker = replace(events[-1], context=NO_CONTEXT)
    assert await store.turn(turn.id) == replace(turn, events=(speaker,))


async def test_starting_a_forgotten_event_leaves_it_without_context(
    store: Store, event: Event
) -> None:
    """There is nothing that an agent could be told."""
    await store.add(event, change(event))
    event.context = NO_CONTEXT
    await store.forget_user(event.author_id)
    turn = await start(store, event)
    assert event.context is NO_CONTEXT
    assert await store.get(event.id) is None
    assert await store.turn(turn.id) is None


async def test_a_waiting_event_keeps_its_context_in_the_store(store: Store, event: Event) -> None:
    """In memory it has none meanwhile, and that must not be kept."""
    context = event.context
    await store.add(event, change(event))
    event.context = NO_CONTEXT
    turn = await start(store, event)
    turn.not_before = 99.0
    await retry(store, turn)
    kept = await store.get(event.id)
    assert kept is not None
    assert (kept.state, kept.context) == (State.WAITING, context)
    found = await store.turn(turn.id)
    assert found is not None
    assert found.not_before == 99.0


async def test_saving_keeps_every_change_of_events_but_the_context(
    store: Store, event: Event
) -> None:
    """A pause that ends gives them time."""
    await store.add(event, change(event))
    other = make_event(now=event.accepted_at)
    await store.add(other, change(other))
    for one in (event, other):
        one.reason, one.expires_at = "try", one.expires_at + 60
    wanted = replace(event), replace(other)
    event.context = NO_CONTEXT
    other.context = make_context(message_id=3)
    await store.save_events([event, other])
    assert (await store.get(event.id), await store.get(other.id)) == wanted


@pytest.mark.parametrize("state", [state for state in State if state.final])
async def test_a_final_event_keeps_its_state_and_forgets_its_content(
    store: Store, event: Event, state: State
) -> None:
    """Promise 13: no words of anybody stay."""
    await store.add(event, change(event))
    await end(store, event, state, "because")
    kept = await store.get(event.id)
    assert kept is not None
    assert (kept.state, kept.reason, kept.message_id) == (state, "because", event.message_id)
    assert not kept.context


async def test_one_call_moves_many(store: Store, clock: FakeClock) -> None:
    """An answer ends all members of its turn."""
    events = [make_event(now=clock.time()) for _ in range(3)]
    for one in events:
        await store.add(one, change(one))
        one.state, one.reason = State.ANSWERED, "sent"
    await store.move(events, [change(one, "answered") for one in events])
    counts = await store.counts(EVERYWHERE)
    assert counts == {State.ANSWERED: 3}


# -- editing and reviving


async def test_an_edited_event_runs_with_its_new_text(store: Store, event: Event) -> None:
    """Whatever it said when it was accepted."""
    await store.add(event, change(event))
    context = make_context(message_id=event.message_id)
    context["message"]["content"] = "edited"
    await store.edit(event.id, context)
    await start(store, event)
    assert event.context == context


async def test_a_final_event_can_not_be_edited(store: Store, event: Event) -> None:
    """Its content is gone for good; and an unknown one has nothing to edit."""
    await store.add(event, change(event))
    await end(store, event)
    await store.edit(event.id, make_context())
    await store.edit("evt_unknown", make_context())
    kept = await store.get(event.id)
    assert kept is not None
    assert not kept.context


async def test_a_revived_event_waits_again_with_a_context_and_without_notices(
    store: Store, event: Event
) -> None:
    """What was said in the channel stays known; the notice may come again."""
    await store.add(event, change(event))
    await store.record_send(event, make_send("answer"))
    await store.record_send(event, make_send("sorry", by="notice"))
    await end(store, event, State.FAILED, "timeout")
    event.state, event.reason, event.context = State.WAITING, "", make_context()
    event.kind = "reply"
    await store.revive(event, change(event, "queued", detail="revived"))
    assert await store.get(event.id) == event
    assert list(await store.sends(event.id)) == [make_send("answer")]
    assert await reopened(store) == [Turn((replace(event, context=NO_CONTEXT),))]


async def test_a_forgotten_event_can_not_be_revived(store: Store, event: Event) -> None:
    """Nor does anything tell of it."""
    await store.revive(event, change(event))
    assert await store.get(event.id) is None
    assert list(await store.changes()) == []


# -- lists


async def test_recent_events_come_newest_first_without_contexts(
    store: Store, clock: FakeClock
) -> None:
    """No more than are asked for."""
    events = [make_event(now=clock.time()) for _ in range(4)]
    for one in events:
        await store.add(one, change(one))
    found = await store.recent(EVERYWHERE, limit=3)
    wanted = [replace(one, context=NO_CONTEXT) for one in events[:0:-1]]
    assert list(found) == [Listed(one, tries=0, speaks=True) for one in wanted]


@pytest.mark.parametrize(
    ("where", "states", "wanted"),
    [
        (EVERYWHERE, (), ["final", "dm", "there", "here"]),
        (9, (), ["final", "here"]),
        (None, (), ["dm"]),
        (8, (State.WAITING,), ["there"]),
        (EVERYWHERE, (State.ANSWERED, State.FAILED), ["final"]),
        (9, (State.RUNNING,), []),
    ],
)
async def test_recent_events_are_those_of_a_place_and_of_states(
    store: Store, clock: FakeClock, where: Any, states: Any, wanted: list[str]
) -> None:
    """A guild's admins see their guild."""
    for name, guild_id in (("here", 9), ("there", 8), ("dm", None), ("final", 9)):
        one = make_event(now=clock.time(), guild_id=guild_id, id=name)
        await store.add(one, change(one))
        if name == "final":
            await end(store, one)
    assert [one.event.id for one in await store.recent(where, states=states)] == wanted


async def test_events_are_counted_by_state(store: Store, clock: FakeClock) -> None:
    """In a guild, in DMs, and everywhere."""
    events = [make_event(now=clock.time(), guild_id=guild) for guild in (9, 9, 8, None)]
    for one in events:
        await store.add(one, change(one))
    await end(store, events[0], State.FAILED, "timeout")
    assert await store.counts(9) == {State.FAILED: 1, State.WAITING: 1}
    assert await store.counts(None) == {State.WAITING: 1}
    assert await store.counts(EVERYWHERE) == {State.FAILED: 1, State.WAITING: 3}
    assert await store.counts(7) == {}


# -- the next start


async def test_unfinished_events_come_back_in_the_order_of_acceptance(
    store: Store, clock: FakeClock
) -> None:
    """Saving one later does not move it, and the final one is gone."""
    events = [make_event(now=clock.time()) for _ in range(4)]
    for one in events:
        await store.add(one, change(one))
    await start(store, events[0])
    await end(store, events[2])
    await store.save_events([events[1]])
    found = await reopened(store)
    assert [one.speaker.id for one in found] == [events[0].id, events[1].id, events[3].id]
    assert found[1] == Turn((replace(events[1], context=NO_CONTEXT),))
    assert all(one.speaker.context is NO_CONTEXT for one in found)


async def test_what_ran_comes_back_waiting_and_one_crash_older(store: Store, event: Event) -> None:
    """Promise 7: each death counts, and the run is known to have been broken off."""
    await store.add(event, change(event))
    turn, context = make_turn(event), event.context
    for crashes in (1, 2):
        await start(store, turn)
        (turn,) = await reopened(store)
        assert turn.speaker.state is State.WAITING
        assert (turn.interrupted, turn.crashes) == (True, crashes)
    kept = await store.get(event.id)
    assert kept == replace(turn.speaker, context=context)
    assert await reopened(store) == [turn]


async def test_what_waited_comes_back_as_it_was(store: Store, event: Event) -> None:
    """A clean restart is no crash."""
    await store.add(event, change(event))
    assert await reopened(store) == [Turn((replace(event, context=NO_CONTEXT),))]


async def test_the_pace_of_a_channel_survives(store: Store, clock: FakeClock) -> None:
    """Promise 4: the latest start of each, as long as it can matter."""
    events = [make_event(now=clock.time(), channel_id=channel) for channel in (1, 1, 2)]
    for one in events:
        await store.add(one, change(one))
        await start(store, one, at=clock.time())
        await clock.advance(20)
    await store.close()
    backlog = await store.open()
    assert backlog.starts == {1: clock.time() - 40, 2: clock.time() - 20}
    await store.close()
    await clock.advance(20)
    assert (await store.open()).starts == {2: clock.time() - 40}


async def test_an_unfinished_event_is_never_dropped_for_its_age(
    store: Store, clock: FakeClock, event: Event
) -> None:
    """Paused events wait, and do not expire meanwhile (promise 5)."""
    await store.add(event, change(event))
    await clock.advance(30 * DAY)
    other = make_event(now=clock.time())
    await store.add(other, change(other))
    assert [one.speaker.id for one in await reopened(store)] == [event.id, other.id]


async def test_a_send_that_is_begun_anew_comes_last(store: Store) -> None:
    """What was sent between its two tries came before it, as people see it."""
    event = make_event()
    await store.add(event, change(event))
    for key, ids in (
        ("first", ()),
        ("word", (5,)),
        ("first", ()),
        ("first", (6,)),
        ("word", (5,)),
    ):
        assert await store.record_send(event, make_send(key, message_ids=ids))
    assert [one.key for one in await store.sends(event.id)] == ["word", "first"]


async def test_what_is_sent_after_an_event_has_ended_is_known_when_it_runs_again(
    store: Store,
) -> None:
    """Somebody pressed a button later; the next run must not do the same again."""
    event = make_event()
    await store.add(event, change(event))
    event.state = State.EXPIRED
    await store.move([event], [change(event, "expired")])
    await store.record_send(event, make_send("late", message_ids=(5,)))
    event.state = State.RUNNING
    await store.start(make_turn(event), [change(event, "running")])
    assert [one.key for one in await store.sends(event.id)] == ["late"]
