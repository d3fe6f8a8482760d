"""An end is seen even where Discord closes one of the ways to show it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from aurora.chat.delivery import FAILED, Delivery
from aurora.chat.failures import Patience
from aurora.chat.sender import Sender
from aurora.ledger.memory import MemoryStore
from aurora.model import Send, Trace, Turn
from aurora.reasons import REASONS, Reason
from aurora.words import Phrase
from doubles.local_discord import Overwrite, permissions
from tests.support.clocks import FakeClock
from tests.support.stage import Stage, queued


def forbid(stage: Stage, permission: int) -> None:
    """Take a right from the bot."""
    rule = Overwrite.of(stage.local.bot_user, deny=permission)
    stage.local.set_overwrites(stage.channel, (rule,))


@pytest.mark.parametrize(
    "reason",
    [Reason.NO_ANSWER, Reason.TEXT_NOT_DELIVERED, Reason.CLEARED, Reason.UNKNOWN_FATE],
)
async def test_where_reactions_are_forbidden_the_end_is_said(stage: Stage, reason: Reason) -> None:
    """In one line, as a reply, once, and without disturbing anybody."""
    event = await stage.ask()
    forbid(stage, permissions.ADD_REACTIONS)
    await stage.delivery.show_end(event, reason)
    await stage.delivery.show_end(event, reason)
    (notice,) = stage.answers()
    assert notice.reference == event.message_id
    assert notice.mentions == []
    assert notice.content.count("\n") == 0


async def test_where_a_message_has_all_its_reactions_the_end_is_said(stage: Stage) -> None:
    """Discord allows twenty different ones."""
    event = await stage.ask()
    message = stage.local.world.messages[event.message_id]
    for number in range(20):
        stage.local.react(stage.bob, message, chr(0x1F600 + number))
    assert await stage.settle(event, "") is Reason.NO_ANSWER
    assert len(stage.answers()) == 1
    assert await stage.trace(event) is Trace.END


async def test_of_a_deleted_message_nothing_is_said(stage: Stage) -> None:
    """A notice about it would be a riddle."""
    event = await stage.ask()
    stage.local.delete(stage.local.world.messages[event.message_id])
    await stage.delivery.call_off(event)
    assert stage.answers() == []


async def test_who_was_told_of_the_end_is_not_told_again(stage: Stage) -> None:
    """One end has one notice."""
    event = await stage.ask()
    forbid(stage, permissions.ADD_REACTIONS)
    await stage.delivery.show_end(event, Reason.FAILED)
    await stage.delivery.call_off(event)
    assert [one.content for one in stage.answers()] == [str(REASONS[Reason.FAILED].user)]


@pytest.mark.parametrize("status", [403, 500])
async def test_an_end_that_cannot_be_told_is_marked(stage: Stage, status: int) -> None:
    """A reaction takes other rights than a message."""
    event = await stage.ask()
    stage.local.faults.add("POST", r"/messages$", status=status, code=50013, times=20)
    sender = Sender(stage.bot, stage.store, stage.guard, patience=Patience(0.3, 0.01))
    await Delivery(stage.bot, stage.store, sender).show_end(event, Reason.FAILED)
    assert stage.reactions(event) == [FAILED]


async def test_an_outage_that_cannot_be_told_is_no_end(stage: Stage) -> None:
    """The answer may still come."""
    event = await stage.ask()
    stage.local.faults.add("POST", r"/messages$", status=403, code=50013)
    await stage.delivery.late(event, Phrase("Wait"))
    assert stage.reactions(event) == []


async def test_where_both_ways_are_closed_each_is_tried_once(stage: Stage) -> None:
    """They do not call each other in turn."""
    event = await stage.ask()
    forbid(stage, permissions.ADD_REACTIONS | permissions.SEND_MESSAGES)
    before = len(stage.local.calls)
    await stage.delivery.show_end(event, Reason.FAILED)
    await stage.delivery.call_off(event)
    methods = [call.method for call in stage.local.calls[before:] if call.method != "GET"]
    assert methods == ["POST", "PUT", "PUT", "POST"]


class BrokenStore(MemoryStore):
    """A store whose disk is gone; what it says of that holds a person's words."""

    async def sends(self, event_id: str) -> Sequence[Send]:
        raise KeyError("secret words", event_id)


async def test_a_notice_never_raises(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever gives one has an event to finish; the log names the kind of error alone."""
    caplog.set_level(logging.DEBUG, logger="red.aurora")
    event = await stage.ask()
    store = BrokenStore(FakeClock())
    await store.add(event, queued(event))
    sender = Sender(stage.bot, store, stage.guard)
    await Delivery(stage.bot, store, sender).show_end(event, Reason.FAILED)
    assert stage.reactions(event) == [FAILED]
    assert "KeyError" in caplog.text
    assert "secret" not in caplog.text


SPOKEN = [one for one in Reason if REASONS[one].user is not None and REASONS[one].state]


@pytest.mark.parametrize("reason", SPOKEN)
async def test_each_message_of_a_turn_shows_its_end(stage: Stage, reason: Reason) -> None:
    """The last as its reason says; those before it by a mark, and nobody reads it three times."""
    events = [await stage.ask() for _ in range(3)]
    await stage.delivery.show_ends(Turn(tuple(events)), reason)
    entry = REASONS[reason]
    mark, words = entry.mark, entry.spoken or not entry.mark
    assert [stage.reactions(one) for one in events[:2]] == [[mark or FAILED]] * 2
    assert stage.reactions(events[2]) == ([mark] if mark else [])
    assert [one.reference for one in stage.answers()] == ([events[2].message_id] if words else [])


async def test_each_message_of_a_turn_says_its_end_where_reactions_are_forbidden(
    stage: Stage,
) -> None:
    """Once each."""
    events = [await stage.ask() for _ in range(3)]
    forbid(stage, permissions.ADD_REACTIONS)
    for _ in range(2):
        await stage.delivery.show_ends(Turn(tuple(events)), Reason.TIMEOUT)
    told = [one.reference for one in stage.answers()]
    assert sorted(map(str, told)) == sorted(str(one.message_id) for one in events)


async def test_what_was_taken_back_shows_nothing(stage: Stage) -> None:
    """Its author knows."""
    events = [await stage.ask() for _ in range(2)]
    await stage.delivery.show_ends(Turn(tuple(events)), Reason.MESSAGE_DELETED)
    assert [stage.reactions(one) for one in events] == [[], []]
    assert stage.answers() == []
