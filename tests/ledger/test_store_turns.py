"""What every Store keeps of turns, and of what each message of the bot's was sent for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aurora.ids import new_turn_id
from aurora.ledger import EVERYWHERE, Listed, Store
from aurora.model import NO_CONTEXT, Event, Sent, State, Turn
from tests.support.clocks import FakeClock
from tests.support.events import make_context, make_event, make_turn
from tests.support.stores import (
    DAY,
    change,
    changes,
    end,
    make_send,
    reopened,
    retry,
    start,
)


async def added(store: Store, clock: FakeClock, count: int = 3) -> list[Event]:
    """Return new events of a store."""
    events = [make_event(now=clock.time()) for _ in range(count)]
    for one in events:
        await store.add(one, change(one))
    return events


def shown(turn: Turn) -> Turn:
    """Return a turn as the store shows it: its speaker alone, without a context."""
    return replace(turn, events=(replace(turn.speaker, context=NO_CONTEXT),))


# -- keeping


async def test_a_turn_is_kept_whole(store: Store, event: Event) -> None:
    """Each field, when it starts and when it is saved; half an emoji too."""
    await store.add(event, change(event))
    turn = await start(store, make_turn(event, agent_id="agent-1", misses=1), at=12.5)
    assert await store.turn(turn.id) == shown(turn)
    turn.attempts, turn.misses, turn.crashes, turn.interrupted = 2, 3, 1, True
    turn.not_before, turn.agent_id, turn.conversation_id = 0.1 + 0.2, "agent-2", "conv-1"
    turn.run_id, turn.input_id, turn.answer = "run-1", "input-1", "żółw 🐢 \x00 \ud83d 'quoted'"
    turn.started_at, turn.prompt_tokens, turn.completion_tokens = 0.3, 12, 13
    await store.save_turn(turn)
    found = await store.turn(turn.id)
    assert found == shown(turn)
    assert found.interrupted is True


async def test_what_is_kept_of_a_turn_is_a_copy(store: Store, event: Event) -> None:
    """What was not saved is not kept, and what is returned can be changed freely."""
    await store.add(event, change(event))
    turn = await start(store, event)
    turn.attempts = 5
    for _ in range(2):
        found = await store.turn(turn.id)
        assert found is not None
        assert found.attempts == 0
        found.attempts = 7


async def test_an_unknown_turn_is_none(store: Store, event: Event) -> None:
    """As is one that never started, whatever is saved of it."""
    await store.add(event, change(event))
    turn = make_turn(event)
    await store.save_turn(turn)
    await end(store, turn)
    assert await store.turn(turn.id) is None
    assert await store.turn("") is None


async def test_a_turn_that_starts_again_is_the_same(store: Store, event: Event) -> None:
    """With what was learned of it meanwhile."""
    await store.add(event, change(event))
    turn = await start(store, event, at=1.0)
    turn.misses = 1
    await retry(store, turn)
    await start(store, turn, at=2.0)
    found = await store.turn(turn.id)
    assert found == shown(turn)
    assert (found.misses, found.started_at) == (1, 2.0)


# -- the answer


async def test_an_answer_that_was_not_delivered_comes_back(store: Store, event: Event) -> None:
    """It is delivered without another run (promise 6)."""
    await store.add(event, change(event))
    turn = await start(store, event)
    turn.answer = "what the agent said"
    await store.save_turn(turn)
    (found,) = await reopened(store)
    assert found.answer == "what the agent said"


@pytest.mark.parametrize("told", ["turn", "only the event", "not that it is over"])
async def test_the_end_of_a_turn_erases_its_answer(store: Store, event: Event, told: str) -> None:
    """Promise 13, whatever the store is told of the end."""
    await store.add(event, change(event))
    turn = await start(store, event)
    turn.answer = "what the agent said"
    await store.save_turn(turn)
    if told == "turn":
        await end(store, turn)
    elif told == "only the event":
        await end(store, event)
    else:
        event.state = State.ANSWERED
        await store.move([event], changes(turn, "answered"), [turn])
    found = await store.turn(turn.id)
    assert found is not None
    assert found.answer is None


async def test_an_event_that_is_withdrawn_leaves_the_turn_its_answer(
    store: Store, clock: FakeClock
) -> None:
    """The one that speaks is still to get it."""
    first, speaker = await added(store, clock, 2)
    turn = await start(store, make_turn(first, speaker))
    turn.answer = "what the agent said"
    await store.save_turn(turn)
    await end(store, first, State.CANCELLED, "deleted")
    (found,) = await reopened(store)
    assert (found.speaker.id, found.earlier) == (speaker.id, ())
    assert found.answer == "what the agent said"


# -- the next start


async def test_a_turn_comes_back_with_its_events(store: Store, clock: FakeClock) -> None:
    """Who is in it was decided when it first ran; what never ran stands alone."""
    first, second, third, alone = await added(store, clock, 4)
    turn = await start(store, make_turn(first, second, third, attempts=1))
    await retry(store, turn)
    assert await reopened(store) == [turn, Turn((replace(alone, context=NO_CONTEXT),))]


async def test_a_turn_that_ran_is_one_crash_older_however_many_are_in_it(
    store: Store, clock: FakeClock
) -> None:
    """Promise 7 counts deaths, not messages."""
    events = await added(store, clock)
    turn = await start(store, make_turn(*events))
    (found,) = await reopened(store)
    assert (found.id, found.crashes, found.interrupted) == (turn.id, 1, True)
    assert [one.id for one in found.events] == [one.id for one in events]
    assert {one.state for one in found.events} == {State.WAITING}


async def test_a_revived_event_may_speak_for_later_ones(store: Store, clock: FakeClock) -> None:
    """It was lined up behind them; turns come in the order of those that speak."""
    revived, middle, other = await added(store, clock)
    turn = await start(store, make_turn(other, revived))
    await retry(store, turn)
    found = await reopened(store)
    assert found == [turn, Turn((replace(middle, context=NO_CONTEXT),))]
    assert found[0].speaker.id == revived.id


async def test_another_may_speak_for_a_turn(store: Store, clock: FakeClock) -> None:
    """When its speaker was called off before it ran again."""
    first, second, speaker = await added(store, clock)
    turn = await start(store, make_turn(first, second, speaker))
    await retry(store, turn)
    turn.events = (first, second)
    speaker.state = State.CANCELLED
    await store.move([speaker], [change(speaker, "cancelled")], [turn])
    assert await reopened(store) == [turn]
    found = await store.turn(turn.id)
    assert found is not None
    assert found.speaker.id == second.id


async def test_a_turn_whose_speaker_has_ended_is_examined(store: Store, clock: FakeClock) -> None:
    """Under its name is known what the turn did; the latest of the others then speaks."""
    first, second, speaker = await added(store, clock)
    turn = await start(store, make_turn(first, second, speaker))
    await retry(store, turn)
    await end(store, speaker)
    (found,) = await reopened(store)
    assert [one.id for one in found.events] == [first.id, second.id]
    assert (found.id, found.interrupted, found.crashes) == (turn.id, True, 0)


async def test_a_turn_of_which_nothing_is_kept_is_examined(store: Store, clock: FakeClock) -> None:
    """And can be started and saved again, under its name."""
    first, speaker = await added(store, clock, 2)
    turn = await start(store, make_turn(first, speaker))
    await retry(store, turn)
    await end(store, speaker)
    await clock.advance(8 * DAY)
    await added(store, clock, 1)
    assert await store.turn(turn.id) is None
    found, _ = await reopened(store)
    assert (found.id, found.interrupted) == (turn.id, True)
    await start(store, found)
    found.attempts = 1
    await store.save_turn(found)
    assert await store.turn(turn.id) == shown(found)


# -- lists


async def test_a_list_tells_the_tries_of_a_turn_and_who_spoke(
    store: Store, clock: FakeClock
) -> None:
    """Attempts and misses; what never ran speaks for itself."""
    first, speaker, alone = await added(store, clock)
    turn = await start(store, make_turn(first, speaker, attempts=1, misses=2))
    await end(store, turn)
    listed = await store.recent(EVERYWHERE)
    assert [(one.event.id, one.tries, one.speaks) for one in listed] == [
        (alone.id, 0, True),
        (speaker.id, 3, True),
        (first.id, 3, False),
    ]


async def test_a_revived_event_leaves_its_turn_to_the_others(
    store: Store, clock: FakeClock
) -> None:
    """It has no tries yet, and they are still told with whom they ran."""
    first, speaker = await added(store, clock, 2)
    turn = await start(store, make_turn(first, speaker, attempts=3))
    await end(store, turn, State.FAILED, "timeout")
    speaker.state, speaker.context, speaker.turn_id = State.WAITING, make_context(), None
    await store.revive(speaker, change(speaker))
    listed = await store.recent(EVERYWHERE)
    assert listed[0] == Listed(replace(speaker, context=NO_CONTEXT), tries=0, speaks=True)
    assert (listed[1].tries, listed[1].speaks) == (3, False)
    found = await store.turn(turn.id)
    assert found is not None
    assert found.speaker.id == speaker.id


# -- age and people


async def test_turns_are_kept_as_long_as_their_events(store: Store, clock: FakeClock) -> None:
    """Seven days, and longer while an event of theirs waits."""
    over, waits = await added(store, clock, 2)
    await clock.advance(5)
    turns = [make_turn(one, id=new_turn_id(clock.time())) for one in (over, waits)]
    for turn in turns:
        await start(store, turn)
    await end(store, turns[0])
    await retry(store, turns[1])
    await clock.advance(7 * DAY - 6)
    await added(store, clock, 1)
    assert await store.turn(turns[0].id) is not None
    await clock.advance(DAY)
    await added(store, clock, 1)
    assert await store.turn(turns[0].id) is None
    assert await store.turn(turns[1].id) is not None


async def test_the_turns_of_a_forgotten_person_are_dropped(store: Store, clock: FakeClock) -> None:
    """Waiting and over; a turn that still runs does not come back."""
    mine = [make_event(now=clock.time(), author_id=7) for _ in range(3)]
    theirs = make_event(now=clock.time(), author_id=8)
    turns = []
    for one in (*mine, theirs):
        await store.add(one, change(one))
        turns.append(await start(store, one))
    over, waits, runs, other = turns
    await end(store, over)
    await retry(store, waits)
    await store.forget_user(7)
    runs.answer = "what the agent said"
    await store.save_turn(runs)
    await end(store, runs)
    await start(store, waits)
    assert [await store.turn(one.id) for one in (over, waits, runs)] == [None] * 3
    assert await store.turn(other.id) is not None
    assert [one.id for one in await reopened(store)] == [other.id]


# -- what a message was sent for


async def test_a_message_of_the_bots_leads_to_what_it_was_sent_for(
    store: Store, event: Event
) -> None:
    """Each part of a text, also before a turn and after its end."""
    await store.add(event, change(event))
    await store.record_send(event, make_send("outage", by="notice", message_ids=(5,)))
    turn = await start(store, event)
    await store.record_send(event, make_send("text"))
    await store.record_send(event, make_send("text", message_ids=(6,)))
    await store.record_send(event, make_send("text", message_ids=(6, 7)))
    await store.record_send(event, make_send("own", by="mcp", message_ids=(8,)))
    await end(store, turn)
    await reopened(store)
    assert [await store.sent(one) for one in (5, 6, 7, 8, 9)] == [
        Sent(event.id, None, 0),
        Sent(event.id, turn.id, 0),
        Sent(event.id, turn.id, 1),
        Sent(event.id, turn.id, 0),
        None,
    ]


async def test_a_message_reacted_to_is_not_the_bots(store: Store, event: Event) -> None:
    """Its id is in the record, and it is somebody else's."""
    await store.add(event, change(event))
    await store.record_send(event, make_send("wave", kind="reaction", message_ids=(5,)))
    assert await store.sent(5) is None


async def test_a_message_stays_what_it_was_first_sent_for(store: Store, clock: FakeClock) -> None:
    """The part of an earlier try, the notice of an event that was revived."""
    first, second = await added(store, clock, 2)
    turn = await start(store, first)
    await store.record_send(first, make_send("text", message_ids=(5,)))
    await store.record_send(first, make_send("sorry", by="notice", message_ids=(6,)))
    await end(store, turn, State.FAILED, "timeout")
    first.state, first.context, first.turn_id = State.WAITING, make_context(), None
    await store.revive(first, change(first))
    await start(store, first)
    await store.record_send(first, make_send("text", message_ids=(5, 7)))
    await store.record_send(second, make_send("text", message_ids=(7,)))
    assert await store.sent(5) == Sent(first.id, turn.id, 0)
    assert await store.sent(6) == Sent(first.id, turn.id, 0)
    assert await store.sent(7) == Sent(first.id, first.turn_id, 1)


async def test_what_a_message_was_sent_for_is_known_as_long_as_its_event(
    store: Store, clock: FakeClock
) -> None:
    """It goes with a person who is forgotten, and with age; nothing new inherits it."""
    (old,) = await added(store, clock, 1)
    forgotten = make_event(now=clock.time(), author_id=8)
    await store.add(forgotten, change(forgotten))
    await store.record_send(old, make_send(message_ids=(5,)))
    await store.record_send(forgotten, make_send(message_ids=(6,)))
    await store.forget_user(8)
    await store.record_send(forgotten, make_send(message_ids=(7,)))
    (young,) = await added(store, clock, 1)
    assert [await store.sent(one) for one in (6, 7)] == [None, None]
    assert await store.sent(5) == Sent(old.id, None, 0)
    await end(store, old)
    await end(store, young)
    await clock.advance(8 * DAY)
    await added(store, clock, 3)
    assert [await store.sent(one) for one in (5, 6, 7)] == [None] * 3


@pytest.mark.parametrize("again", [False, True])
async def test_nothing_is_kept_of_sends_for_who_was_forgotten(
    store: Store, event: Event, again: bool
) -> None:
    """Not even while a turn of theirs runs on, or runs once more."""
    await store.add(event, change(event))
    turn = await start(store, event)
    await store.forget_user(event.author_id)
    if again:
        await reopened(store)
        await end(store, turn, State.EXPIRED)
        await start(store, turn)
    await store.record_send(event, make_send(by="notice"), lazily=True)
    assert list(await store.sends(event.id)) == []
    assert not await store.record_send(event, make_send())
    assert list(await store.sends(event.id)) == []


async def test_what_was_sent_after_an_end_is_known_to_a_turn_that_runs_again(
    store: Store, event: Event
) -> None:
    """A send that was noted late, or begun anew, must not be made a second time."""
    await store.add(event, change(event))
    turn = await start(store, event)
    await end(store, turn, State.FAILED)
    await store.record_send(event, make_send())
    await end(store, await start(store, turn), State.FAILED)
    await start(store, turn)
    assert [one.key for one in await store.sends(event.id)] == ["answer"]


async def test_what_was_sent_is_known_to_a_turn_that_runs_a_third_time(
    store: Store, event: Event
) -> None:
    """Found once after an end, it is not to be looked for in vain by the next run."""
    await store.add(event, change(event))
    turn = await start(store, event)
    await store.record_send(event, make_send())
    await end(store, turn, State.CANCELLED)
    for _ in range(2):
        await start(store, turn)
        assert [one.key for one in await store.sends(event.id)] == ["answer"]
