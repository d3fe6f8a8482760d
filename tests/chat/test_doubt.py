"""Sends whose fate is unknown: found where they are, and never taken for unsent without proof."""

from __future__ import annotations

import asyncio

import pytest

from aurora.chat.failures import SendFailed
from aurora.chat.fingerprints import Fingerprints
from aurora.chat.lookup import LOOK_BACK
from aurora.model import Event, Send, State, Trace
from aurora.reasons import REASONS, Reason
from aurora.words import Phrase
from doubles.local_discord import Overwrite, permissions
from tests.support.discord_port import withhold
from tests.support.stage import Stage, react, send

KEPT = "as soon as Discord allows"


def lose_answers(stage: Stage) -> None:
    """Let the next message arrive without telling the bot so."""
    stage.local.faults.add("POST", r"/messages$", status=503, times=3, applied=True)


async def die(stage: Stage, event: Event) -> None:
    """Leave what Aurora leaves that dies before Discord has answered: nothing is owed yet."""
    for one in await stage.store.sends(event.id):
        await stage.store.record_send(event, one._replace(owed=None))


def forbid_history(stage: Stage) -> None:
    """Take the right to read what was written before from the bot."""
    rule = Overwrite.of(stage.local.bot_user, deny=permissions.READ_MESSAGE_HISTORY)
    stage.local.set_overwrites(stage.channel, (rule,))


async def test_who_may_not_look_does_not_send_again(stage: Stage) -> None:
    """Not being allowed to see a message is no proof that it is not there."""
    event = await stage.ask()
    lose_answers(stage)
    assert KEPT in (await send(stage.open(event), stage.channel, "By tool")).text
    forbid_history(stage)
    assert await stage.trace(event) is Trace.DOUBT
    settled = await stage.settle(event, "By text", fallback=True)
    assert settled == Reason.FORBIDDEN
    texts = [one.content for one in stage.answers()]
    # Reactions take the same right, so the mark of the failure comes in words.
    assert texts == ["By tool", "My answer may not have arrived."]


async def test_a_send_to_a_channel_that_is_gone_is_none(stage: Stage) -> None:
    """Nobody can see it there any more."""
    event = await stage.ask()
    room = stage.local.add_channel(stage.guild, "short-lived")
    await stage.store.record_send(event, Send("send", "message", "tool", room.id, "hash"))
    stage.local.delete_channel(room)
    (found,) = await stage.sends(event)
    assert found.message_ids == ()


async def test_a_send_is_found_behind_much_chatter(stage: Stage) -> None:
    """It came after all of it, a moment ago."""
    event = await stage.ask()
    for number in range(101):
        stage.local.say(stage.bob, stage.channel, f"chatter {number}")
    lose_answers(stage)
    assert KEPT in (await send(stage.open(event), stage.channel, "By tool")).text
    assert await stage.settle(event, "By text", fallback=True) is Reason.SENT
    assert [one.content for one in stage.answers()] == ["By tool"]


async def test_the_search_goes_back_no_further_than_the_question(stage: Stage) -> None:
    """An equal text that is older answered somebody else."""
    earlier = await stage.ask()
    await send(stage.open(earlier), stage.channel, "Hello")
    event = await stage.ask()
    record = Send("send", "message", "tool", stage.channel.id, Fingerprints().of("Hello"))
    await stage.store.record_send(event, record)
    (found,) = await stage.sends(event)
    assert found.message_ids == ()


async def test_more_messages_than_are_read_leave_doubt(
    stage: Stage,
) -> None:
    """What was not looked at may be the answer."""
    event = await stage.ask()
    lose_answers(stage)
    await send(stage.open(event), stage.channel, "By tool")
    for number in range(LOOK_BACK):
        stage.local.say(stage.bob, stage.channel, f"chatter {number}")
    await die(stage, event)
    with pytest.raises(SendFailed) as doubt:
        await stage.sends(event)
    assert doubt.value.reason == "unknown_fate"


async def test_a_long_text_that_is_no_reply_is_found_by_its_first_part(stage: Stage) -> None:
    """Without a reference there is only the text to know it by."""
    event = await stage.ask()
    tools = stage.open(event)
    await send(tools, stage.channel, "First")
    lose_answers(stage)
    assert KEPT in (await send(tools, stage.channel, "a" * 1900 + "\n\n" + "b" * 1900)).text
    await die(stage, event)
    _, found = await stage.sends(event)
    assert found.message_ids == (stage.answers()[1].id,)


async def test_a_lost_notice_is_not_taken_for_a_lost_answer(stage: Stage) -> None:
    """Both reply to the same message, and the fate of neither is known."""
    event = await stage.ask()
    stage.local.faults.add("POST", r"/messages$", status=403, code=50013)
    await send(stage.open(event), stage.channel, "Hello")
    lose_answers(stage)
    await stage.delivery.late(event, Phrase("I am late"))
    assert [one.content for one in stage.answers()] == ["I am late"]
    assert await stage.trace(event) is Trace.NOTHING


async def test_nothing_is_sent_for_who_was_forgotten(stage: Stage) -> None:
    """With nothing on record every repeat would be a new message."""
    event = await stage.ask()
    tools = stage.open(event)
    await stage.store.forget_user(event.author_id)
    results = [await send(tools, stage.channel, f"text {number}") for number in range(3)]
    results.append(await react(tools, event, "👍"))
    assert all(result.is_error and "forget" in result.text for result in results)
    settled = await stage.settle(event, "By text", fallback=True)
    assert settled == Reason.FORGOTTEN
    assert stage.answers() == []


async def test_a_run_under_way_stops_sending_when_its_person_is_forgotten(stage: Stage) -> None:
    """What went out before stays, nothing follows."""
    event = await stage.ask()
    tools = stage.open(event)
    await send(tools, stage.channel, "Before")
    await stage.store.forget_user(event.author_id)
    await asyncio.gather(*(send(tools, stage.channel, text) for text in ("After", "Before")))
    assert [one.content for one in stage.answers()] == ["Before"]


async def test_a_reaction_that_cannot_be_looked_up_is_in_doubt(stage: Stage) -> None:
    """The same for reactions: no second answer beside one that may be there."""
    event = await stage.ask()
    stage.local.faults.add("PUT", r"/reactions/", status=503, times=3, applied=True)
    assert (await react(stage.open(event), event, "👍")).is_error
    forbid_history(stage)
    settled = await stage.settle(event, "By text", fallback=True)
    assert settled is not None
    assert REASONS[settled].state is State.FAILED
    assert "By text" not in [one.content for one in stage.answers()]


async def test_before_the_bot_is_connected_nothing_is_taken_for_unsent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its caches are empty then: no guild, no channel, and so no message in them."""
    event = await stage.ask()
    lose_answers(stage)
    assert KEPT in (await send(stage.open(event), stage.channel, "By tool")).text
    with monkeypatch.context() as starting:
        starting.setattr(stage.bot, "is_ready", lambda: False)
        starting.setattr(stage.bot, "get_guild", lambda _id: None)
        assert await stage.trace(event) is Trace.LATER
    assert await stage.trace(event) is Trace.ANSWER


async def test_what_is_in_a_server_that_comes_late_is_not_taken_for_unsent(stage: Stage) -> None:
    """In a new session Discord tells first that it is there, and later what is in it."""
    event = await stage.ask()
    lose_answers(stage)
    assert KEPT in (await send(stage.open(event), stage.channel, "By tool")).text
    bring = withhold(stage.bot, stage.local, stage.guild)
    looking = asyncio.create_task(stage.trace(event))
    await asyncio.sleep(0)
    bring()
    assert await looking is Trace.ANSWER


async def test_an_answer_to_a_server_that_comes_late_waits_for_it(stage: Stage) -> None:
    """Until then it looks as if the person could see and do nothing there."""
    first, second = await stage.ask(), await stage.ask()
    bring = withhold(stage.bot, stage.local, stage.guild)
    sending = asyncio.create_task(send(stage.open(first), stage.channel, "By tool"))
    settling = asyncio.create_task(stage.settle(second, "By text"))
    await asyncio.sleep(0)
    bring()
    assert not (await sending).is_error
    assert await settling is Reason.DELIVERED
    assert sorted(one.content for one in stage.answers()) == ["By text", "By tool"]


@pytest.mark.usefixtures("hurried")
async def test_nothing_is_concluded_of_a_server_that_does_not_come(stage: Stage) -> None:
    """Nor is anything shown of a text that is to be delivered once it does.

    Aurora waits no time here, so this does not show that it is waited for.
    """
    event, other = await stage.ask(), await stage.ask()
    lose_answers(stage)
    assert KEPT in (await send(stage.open(event), stage.channel, "By tool")).text
    bring = withhold(stage.bot, stage.local, stage.guild)
    assert await stage.trace(event) is Trace.LATER
    assert await stage.settle(other, "By text") is None
    assert stage.reactions(other) == []
    bring()
    assert await stage.trace(event) is Trace.ANSWER
    assert await stage.settle(other, "By text") is Reason.DELIVERED
    assert [one.content for one in stage.answers()] == ["By tool", "By text"]


@pytest.fixture
def hurried(stage: Stage) -> None:
    """Wait for no server."""
    stage.hurry()
