"""What every Store keeps beside the events, and for how long; one suite for all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aurora.ledger import EVERYWHERE, Store
from aurora.model import NO_CONTEXT, Ballot, Event, Offer, Owed, Sent, State, own_lane
from tests.support.clocks import FakeClock
from tests.support.events import make_event, make_turn
from tests.support.stores import (
    DAY,
    change,
    end,
    make_send,
    reopened,
    retry,
    start,
)

# -- who asked


async def test_the_turns_of_the_last_hour_are_told_at_the_next_start(
    store: Store, clock: FakeClock
) -> None:
    """Each once, at the time of its first message, oldest first; what never ran by its lane."""
    old = make_event(now=clock.time() - 3601)
    both = [make_event(now=clock.time() - 90 + n, author_id=8) for n in range(2)]
    waiting = [make_event(now=clock.time() - 60 + n, guild_id=None) for n in range(2)]
    ahead = make_event(now=clock.time() + 60)
    for event in (old, *both, *waiting, ahead):
        await store.add(event, change(event))
    turn = make_turn(*both)
    for event in both:
        event.turn_id = turn.id
    await end(store, await start(store, turn))
    await store.close()
    backlog = await store.open()
    assert list(backlog.asked) == [
        (9, 8, clock.time() - 90),
        (None, waiting[0].author_id, clock.time() - 60),
    ]


# -- changes


async def test_each_step_of_an_event_is_told_once_and_in_order(store: Store, event: Event) -> None:
    """Promise 7's outbox: what happened, and which change caused which."""
    await store.add(event, change(event))
    turn = await start(store, make_turn(event, agent_id="agent-1", attempts=1))
    await end(store, turn)
    told = list(await store.changes())
    types = [one["event_type"] for one in told]
    assert types == [f"aurora.message.{step}" for step in ("queued", "running", "answered")]
    assert [one["metadata"]["causation_id"] for one in told] == [
        None,
        told[0]["event_id"],
        told[1]["event_id"],
    ]
    assert told[2]["event_id"] == event.cause
    assert told[0]["metadata"]["agent_id"] is None
    assert told[1]["payload"] == {
        "id": event.id,
        "message_id": str(event.message_id),
        "channel_id": "1",
        "guild_id": "9",
        "detail": "",
        "turn_id": turn.id,
        "attempts": 1,
    }
    assert [one["metadata"]["partition_key"] for one in told] == [event.lane] * 3


async def test_changes_are_read_on_from_where_one_stopped(store: Store, clock: FakeClock) -> None:
    """The sequence grows, and goes on growing after a restart."""
    for _ in range(5):
        one = make_event(now=clock.time())
        await store.add(one, change(one))
    first = list(await store.changes(limit=2))
    rest = list(await store.changes(first[-1]["metadata"]["sequence"]))
    assert (len(first), len(rest)) == (2, 3)
    await reopened(store)
    last = make_event(now=clock.time())
    await store.add(last, change(last))
    (new,) = await store.changes(rest[-1]["metadata"]["sequence"])
    assert new["payload"]["id"] == last.id
    assert [*first, *rest, new] == list(await store.changes())


async def test_a_change_is_the_same_whenever_it_is_read(store: Store, event: Event) -> None:
    """Whatever becomes of its event, also for a DM."""
    event.guild_id = None
    await store.add(event, change(event, at=1_750_000_000.123456, detail="détail"))
    before = list(await store.changes())
    assert before[0]["timestamp"] == "2025-06-15T15:06:40.123456Z"
    event.channel_id, event.author_id = 2, 8
    turn = await start(store, make_turn(event, agent_id="agent-2", attempts=4))
    await end(store, turn)
    assert list(await store.changes(limit=1)) == before


async def test_a_sequence_number_is_never_given_twice(store: Store, clock: FakeClock) -> None:
    """A consumer that has read the last change would miss the next one."""
    kept, dropped = (make_event(now=clock.time(), author_id=author) for author in (7, 8))
    for one in (kept, dropped):
        await store.add(one, change(one))
    last = (await store.changes())[-1]["metadata"]["sequence"]
    await store.forget_user(8)
    await reopened(store)
    again = make_event(now=clock.time())
    await store.add(again, change(again))
    assert (await store.changes(last))[0]["payload"]["id"] == again.id


async def test_saving_tells_nobody(store: Store, event: Event) -> None:
    """A change is a change of state."""
    await store.add(event, change(event))
    turn = await start(store, event)
    await store.save_events([event])
    await store.save_turn(turn)
    assert len(await store.changes()) == 2


async def test_a_change_kept_twice_is_there_once(store: Store, event: Event) -> None:
    """Its id is made once; a caller who doesn't know whether it was kept may ask again."""
    await store.add(event, change(event))
    event.state = State.ANSWERED
    answered = change(event, "answered")
    for _ in range(2):
        await store.move([event], [answered])
    assert [one["event_id"] for one in await store.changes(1)] == [answered.id]


# -- dedupe and age


async def test_a_message_is_accepted_once(store: Store, event: Event) -> None:
    """Promise 2; the first event stays as it is, and nobody is told of a second."""
    await store.add(event, change(event))
    again = make_event(message_id=event.message_id, now=event.accepted_at, id="evt_again")
    assert await store.add(again, change(again)) is False
    assert await store.get("evt_again") is None
    assert await store.get(event.id) == event
    assert len(await store.changes()) == 1


async def test_an_anchor_is_kept_and_known_for_what_it_stands(store: Store, event: Event) -> None:
    """Whatever state the event is in, which stays as it is; of a stranger nothing is kept."""
    await store.add(event, change(event))
    await store.keep_anchor(event, 77)
    assert await store.get(event.id) == replace(event, anchor_id=77)
    assert await store.sent(77) == Sent(event.id, None, 0)
    await store.keep_anchor(make_event(id="evt_nobody"), 78)
    assert await store.sent(78) is None


async def test_dedupe_outlives_the_answer_for_seven_days(
    store: Store, clock: FakeClock, event: Event
) -> None:
    """A gateway replays, an admin restores: still no second answer."""
    await store.add(event, change(event))
    await end(store, event)
    await clock.advance(7 * DAY - 1)
    await reopened(store)
    again = make_event(message_id=event.message_id, now=clock.time(), id="evt_again")
    assert await store.add(again, change(again)) is False


async def test_after_more_than_seven_days_nothing_is_left(
    store: Store, clock: FakeClock, event: Event
) -> None:
    """Event, sends and changes are dropped with the next event, whoever wrote it."""
    await store.add(event, change(event))
    await store.record_send(event, make_send())
    await end(store, event)
    await clock.advance(7 * DAY + 1)
    other = make_event(now=clock.time())
    await store.add(other, change(other))
    assert await store.get(event.id) is None
    assert list(await store.sends(event.id)) == []
    assert [one["payload"]["id"] for one in await store.changes()] == [other.id]
    again = make_event(message_id=event.message_id, now=clock.time(), id="evt_again")
    assert await store.add(again, change(again)) is True


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


# -- conversations and notes


async def test_a_lane_has_a_conversation_with_each_agent(store: Store) -> None:
    """And can be pointed to another; a restart changes nothing."""
    assert await store.conversation("agent-1", "channel:1") is None
    await store.set_conversation("agent-1", "channel:1", "conv-a")
    await store.set_conversation("agent-2", "channel:1", "conv-b")
    await store.set_conversation("agent-1", "channel:2", "conv-c")
    await store.set_conversation("agent-1", "channel:1", "conv-d")
    await reopened(store)
    assert await store.conversation("agent-1", "channel:1") == "conv-d"
    assert await store.conversation("agent-2", "channel:1") == "conv-b"
    assert await store.conversation("agent-1", "channel:2") == "conv-c"


async def test_what_was_read_into_a_conversation_is_kept_until_it_is_another(
    store: Store,
) -> None:
    """Each place once, with the gate that it had when it was read last."""
    assert await store.sources("agent-1", "channel:1") == {}
    await store.set_conversation("agent-1", "channel:1", "conv-a", fresh=True)
    await store.add_source("agent-1", "channel:1", 5, "then")
    await store.add_source("agent-1", "channel:1", 5, "now")
    await store.add_source("agent-1", "channel:1", 6, "open")
    await store.add_source("agent-1", "channel:2", 7, "open")
    await store.set_conversation("agent-1", "channel:1", "conv-b")
    await reopened(store)
    assert await store.sources("agent-1", "channel:1") == {5: "now", 6: "open"}
    await store.set_conversation("agent-1", "channel:1", "conv-c", fresh=True)
    assert await store.sources("agent-1", "channel:1") == {}
    await reopened(store)
    assert await store.sources("agent-1", "channel:1") == {}
    assert await store.sources("agent-1", "channel:2") == {7: "open"}


async def test_an_offer_is_taken_once_and_not_too_late(store: Store, clock: FakeClock) -> None:
    """A restart loses none."""
    for name, seconds in (("a", 600), ("b", 600), ("c", 10)):
        await store.keep_offer(Offer(name, "evt_1", 7, 2, "tea", clock.time() + seconds))
    await reopened(store)
    assert await store.take_offer("a") == Offer("a", "evt_1", 7, 2, "tea", clock.time() + 600)
    assert await store.take_offer("a") is None
    await clock.advance(10)
    assert await store.take_offer("c") is None
    await clock.advance(590)
    assert await store.take_offer("b") is None


async def test_of_a_forgotten_person_no_offer_and_no_conversation_is_left(store: Store) -> None:
    """Nobody else's goes."""
    await store.keep_offer(Offer("a", "evt_1", 12, 2, "tea", 1e12))
    await store.keep_offer(Offer("b", "evt_2", 112, 2, "tea", 1e12))
    for author_id in (12, 112):
        lane = own_lane("channel:1", author_id)
        await store.set_conversation("agent-1", lane, "conv")
        await store.add_source("agent-1", lane, 5, "open")
    await store.set_conversation("agent-1", "channel:1", "conv")
    await store.forget_user(12)
    assert await store.take_offer("a") is None
    assert await store.take_offer("b") is not None
    lanes = ("channel:1", own_lane("channel:1", 12), own_lane("channel:1", 112))
    assert [await store.conversation("agent-1", one) for one in lanes] == ["conv", None, "conv"]
    assert [len(await store.sources("agent-1", one)) for one in lanes] == [0, 0, 1]


async def test_the_conversations_of_a_persons_direct_messages_are_taken_out(
    store: Store,
) -> None:
    """All of them, by what was accepted there and by the channel that Discord names; no other."""
    places = {5: (7, None), 6: (8, None), 1: (7, 9)}
    for channel_id, (author_id, guild_id) in places.items():
        one = make_event(channel_id=channel_id, author_id=author_id, guild_id=guild_id)
        await store.add(one, change(one))
    for channel_id in (1, 4, 5, 6):
        await store.set_conversation("a", f"channel:{channel_id}", f"conv-{channel_id}")
    await store.set_conversation("b", "channel:5", "conv-b")
    found = await store.take_dm_conversations(7, 4)
    assert sorted(found) == [("a", "conv-4"), ("a", "conv-5"), ("b", "conv-b")]
    assert list(await store.take_dm_conversations(7, 4)) == []
    await reopened(store)
    left = [await store.conversation("a", f"channel:{one}") for one in (1, 4, 5, 6)]
    assert left == ["conv-1", None, None, "conv-6"]
    assert list(await store.take_dm_conversations(8, None)) == [("a", "conv-6")]


async def test_the_conversations_of_a_lane_are_taken_out_with_those_apart(store: Store) -> None:
    """And with what was read into them; of no other lane, however alike its name."""
    lanes = ["channel:5", own_lane("channel:5", 7), "channel:55", own_lane("channel:55", 7)]
    for agent_id, lane in [*(("a", one) for one in lanes), ("b", "channel:5")]:
        await store.set_conversation(agent_id, lane, f"{agent_id} {lane}")
        await store.add_source(agent_id, lane, 1, "gate")
    found = await store.take_conversations("channel:5")
    assert sorted(found) == [
        ("a", "a channel:5"),
        ("a", "a channel:5:user:7"),
        ("b", "b channel:5"),
    ]
    assert list(await store.take_conversations("channel:5")) == []
    left = [await store.conversation("a", one) is not None for one in lanes]
    read = [bool(await store.sources("a", one)) for one in lanes]
    assert left == read == [False, False, True, True]


async def test_a_note_is_kept_until_it_is_written_anew(store: Store) -> None:
    """Such as when Aurora last listened."""
    assert await store.noted("heard") is None
    await store.note("heard", "1")
    await store.note("seen", "x")
    await store.note("heard", "2")
    await reopened(store)
    assert (await store.noted("heard"), await store.noted("seen")) == ("2", "x")


async def test_the_dm_channels_of_late_are_known(store: Store, clock: FakeClock) -> None:
    """Discord doesn't list them; each once, those in servers not."""
    first = clock.time()
    for channel_id, guild_id in ((5, None), (6, None), (5, None), (1, 9)):
        one = make_event(now=clock.time(), channel_id=channel_id, guild_id=guild_id)
        await store.add(one, change(one))
        await clock.advance(10)
    assert list(await store.dm_channels(first)) == [6, 5]
    assert list(await store.dm_channels(first + 20)) == [5]
    assert list(await store.dm_channels(first + 20.5)) == []


# -- sends


async def test_sends_come_back_whole_and_oldest_first(store: Store, event: Event) -> None:
    """Every field of each."""
    await store.add(event, change(event))
    sends = [
        make_send("one", by="delivery", reply_to=7, message_ids=(8, 9)),
        make_send("two", kind="reaction", channel_id=2, text_hash="def"),
        make_send("a third", by="notice"),
    ]
    for one in sends:
        await store.record_send(event, one)
    assert list(await store.sends(event.id)) == sends


async def test_what_a_send_owes_is_kept_as_it_is_until_its_event_is_over(
    store: Store, event: Event
) -> None:
    """A text, a file and a poll, each with all that belongs to it; read from the file again."""
    await store.add(event, change(event))
    poll = Ballot("Tea?", ("yes", "no"), 24, multiple=True)
    sends = [
        make_send("text", owed=Owed("Hello", room=3, voids=("one", "two"))),
        make_send("file", owed=Owed("", "a.csv", "é,b", voids=("one",))),
        make_send("poll", kind="message", owed=Owed("", ballot=poll)),
        make_send("edit", kind="edit", reply_to=7, message_ids=(7,)),
        make_send("thread", kind="thread", reply_to=8, message_ids=(8,)),
    ]
    for one in sends:
        await store.record_send(event, one)
    await reopened(store)
    assert list(await store.sends(event.id)) == sends
    await end(store, event)
    assert [one.owed for one in await store.sends(event.id)] == [None] * len(sends)
    # What is no message of the bot's was sent for nothing.
    assert await store.sent(7) is None


async def test_a_send_with_the_same_key_is_replaced_where_it_stands(
    store: Store, event: Event
) -> None:
    """First under way, then with the ids of what was sent."""
    await store.add(event, change(event))
    await store.record_send(event, make_send("one"))
    await store.record_send(event, make_send("two"))
    await store.record_send(event, make_send("one", message_ids=(8,)))
    assert list(await store.sends(event.id)) == [
        make_send("one", message_ids=(8,)),
        make_send("two"),
    ]


@pytest.mark.parametrize("before", ["while it waits", "in a first try", "in a first life"])
async def test_what_was_sent_before_a_start_is_known_when_it_runs(
    store: Store, event: Event, before: str
) -> None:
    """Else it would be sent again."""
    await store.add(event, change(event))
    if before != "while it waits":
        turn = await start(store, event)
    await store.record_send(event, make_send())
    if before == "in a first try":
        await retry(store, turn)
    elif before == "in a first life":
        await end(store, turn, State.FAILED)
        event.state = State.WAITING
        await store.revive(event, change(event))
    await start(store, event)
    assert list(await store.sends(event.id)) == [make_send()]


async def test_events_do_not_share_sends(store: Store, clock: FakeClock) -> None:
    """The same key in two events is two sends."""
    first, second = make_event(now=clock.time()), make_event(now=clock.time())
    for one in (first, second):
        await store.add(one, change(one))
    await store.record_send(first, make_send(text_hash="of the first"))
    assert list(await store.sends(second.id)) == []


async def test_sends_outlive_the_end_of_their_event(store: Store, event: Event) -> None:
    """A tool call that the server repeats after a restart must still be recognised."""
    await store.add(event, change(event))
    await store.record_send(event, make_send())
    await end(store, event)
    await reopened(store)
    assert list(await store.sends(event.id)) == [make_send()]


# -- people


async def test_forgetting_a_person_drops_all_of_theirs_and_nothing_else(
    store: Store, clock: FakeClock
) -> None:
    """Waiting and final events, their sends and changes; others' stay."""
    waiting, final = (make_event(author_id=7, now=clock.time()) for _ in range(2))
    other = make_event(author_id=8, now=clock.time())
    for one in (waiting, final, other):
        await store.add(one, change(one))
        await store.record_send(one, make_send())
    await end(store, final)
    await store.forget_user(7)
    for one in (waiting, final):
        assert await store.get(one.id) is None
        assert list(await store.sends(one.id)) == []
    assert await store.get(other.id) == other
    assert list(await store.sends(other.id)) == [make_send()]
    assert [one["metadata"]["user_id"] for one in await store.changes()] == ["8"]
    assert await store.counts(EVERYWHERE) == {State.WAITING: 1}
    assert [one.speaker.id for one in await reopened(store)] == [other.id]


async def test_forgetting_somebody_unknown_does_nothing(store: Store, event: Event) -> None:
    """Red asks for everybody who leaves Discord."""
    await store.add(event, change(event))
    await store.forget_user(999)
    assert await store.get(event.id) == event


async def test_a_forgotten_event_does_not_come_back_with_its_run(
    store: Store, event: Event
) -> None:
    """What still runs when its author is forgotten must leave nothing when it ends."""
    await store.add(event, change(event))
    await store.forget_user(event.author_id)
    event.context = NO_CONTEXT
    await store.save_events([event])
    assert await store.record_send(event, make_send()) is False
    await end(store, event)
    assert await store.get(event.id) is None
    assert list(await store.sends(event.id)) == []
    left: list[Any] = list(await store.changes())
    assert left == []


async def test_the_message_of_a_forgotten_event_can_be_accepted_anew(
    store: Store, event: Event
) -> None:
    """And the run of the forgotten one then changes nothing in it."""
    await store.add(event, change(event))
    await store.forget_user(event.author_id)
    again = make_event(message_id=event.message_id, now=event.accepted_at, id="evt_again")
    assert await store.add(again, change(again)) is True
    await end(store, event)
    assert await store.get(event.id) is None
    assert await store.find(event.message_id) == again


async def test_a_turn_that_runs_is_forgotten_with_its_sends(store: Store, event: Event) -> None:
    """A send after it would be recorded nowhere, and none is remembered."""
    await store.add(event, change(event))
    await start(store, event)
    assert await store.record_send(event, make_send()) is True
    await store.forget_user(event.author_id)
    assert list(await store.sends(event.id)) == []
    assert await store.record_send(event, make_send()) is False
    assert list(await store.sends(event.id)) == []
