"""Delivery: one answer, a visible end, and never a second answer."""

from __future__ import annotations

import asyncio
from typing import Literal

import discord
import pytest

from aurora.chat.delivery import FAILED, Delivery
from aurora.chat.failures import Patience
from aurora.chat.sender import Sender
from aurora.ledger import LedgerError
from aurora.model import NO_CONTEXT, Event, Said, Send, Trace
from aurora.reasons import REASONS, Reason
from aurora.words import Phrase, phrase
from doubles.local_discord import Overwrite, permissions
from tests.support.stage import Stage, react, send, together

WAIT = Phrase("Wait")


async def test_text_alone_is_delivered_as_a_reply(stage: Stage) -> None:
    """An agent that only writes does not leave people in silence."""
    event = await stage.ask()
    assert await stage.settle(event, "Hello Ada", fallback=True) == Reason.DELIVERED
    (answer,) = stage.answers()
    assert (answer.content, answer.reference) == ("Hello Ada", event.message_id)


async def test_long_text_is_split(stage: Stage) -> None:
    """Delivery cuts as discord_send does."""
    event = await stage.ask()
    await stage.settle(event, "word " * 700, fallback=True)
    assert len(stage.answers()) == 2


async def test_a_book_goes_out_as_a_file(stage: Stage) -> None:
    """More than twelve messages nobody wants, and none of it is lost."""
    event = await stage.ask()
    assert await stage.settle(event, "word " * 6000) == Reason.DELIVERED
    *parts, last = stage.answers()
    (file,) = last.attachments
    said = " ".join((*(one.content for one in parts), file.data.decode()))
    assert (len(parts), said.split()) == (11, ["word"] * 6000)
    assert await stage.settle(event, "word " * 6000) == Reason.DELIVERED
    assert len(stage.answers()) == 12


async def test_text_after_a_send_is_dropped(stage: Stage) -> None:
    """The tool's message is the answer."""
    event = await stage.ask()
    await send(stage.open(event), stage.channel, "By tool")
    assert await stage.settle(event, "I have answered.", fallback=True) == Reason.SENT
    assert [one.content for one in stage.answers()] == ["By tool"]


async def test_how_much_of_a_text_was_dropped_is_kept(stage: Stage) -> None:
    """Whoever looks for words that never came finds out that there were some."""
    sent, called = await stage.ask(), await stage.ask()
    await send(stage.open(sent), stage.channel, "By tool")
    turn = together(sent)
    await stage.settle(turn, "I have answered.")
    assert turn.dropped == len("I have answered.")
    turn = together(called)
    said = ("Let me answer.", f"discord_send('{called.channel_id}', 'By words')")
    assert await stage.delivery.settle(turn, Said(said), fallback=True) is Reason.DELIVERED
    assert [one.content for one in stage.answers()] == ["By tool", "By words"]
    assert turn.dropped == len("Let me answer.")


async def test_a_send_elsewhere_is_no_answer(stage: Stage) -> None:
    """The person waits here, so the text comes here."""
    other = stage.local.add_channel(stage.guild, "random")
    event = await stage.ask()
    await send(stage.open(event), other, "In the wrong room")
    assert await stage.settle(event, "Here it is", fallback=True) is Reason.DELIVERED
    assert [one.content for one in stage.answers()] == ["Here it is"]


async def test_a_send_elsewhere_and_no_more_is_said_once(stage: Stage) -> None:
    """The mark alone would say that there was nothing to say."""
    other = stage.local.add_channel(stage.guild, "random")
    event = await stage.ask()
    await send(stage.open(event), other, "In the wrong room")
    for _ in range(2):
        reason = await stage.settle(event, "", fallback=True)
        assert reason == "answered_elsewhere"
    assert stage.reactions(event) == ["💤"]
    (notice,) = stage.answers()
    assert "another channel" in notice.content


async def test_a_reaction_elsewhere_and_no_more_is_nothing_to_say(stage: Stage) -> None:
    """Nobody would look for that."""
    older = stage.local.say(stage.bob, stage.channel, "older")
    event = await stage.ask()
    arguments = {"channelId": event.channel_id, "messageId": older.id, "emoji": "👍"}
    assert not (await stage.open(event).call("discord_add_reaction", arguments)).is_error
    assert await stage.settle(event, "", fallback=True) is Reason.NO_ANSWER
    assert stage.answers() == []


async def test_a_reaction_to_the_message_is_an_answer(stage: Stage) -> None:
    """Where nothing is said, nothing more needs to be said."""
    event = await stage.ask()
    await react(stage.open(event), event, "👍")
    assert await stage.settle(event, "", fallback=True) == Reason.REACTED
    assert stage.answers() == []


async def test_what_is_said_after_a_reaction_is_delivered(stage: Stage) -> None:
    """👀 is what an agent does first, and no answer to a question."""
    event = await stage.ask()
    await react(stage.open(event), event, "👀")
    assert await stage.settle(event, "1932.", fallback=True) == Reason.DELIVERED
    assert [one.content for one in stage.answers()] == ["1932."]


async def test_a_reaction_to_another_message_is_no_answer(stage: Stage) -> None:
    """Ada would not notice it."""
    older = stage.local.say(stage.bob, stage.channel, "older")
    event = await stage.ask()
    arguments = {"channelId": event.channel_id, "messageId": older.id, "emoji": "👍"}
    assert not (await stage.open(event).call("discord_add_reaction", arguments)).is_error
    assert await stage.settle(event, "Text", fallback=True) is Reason.DELIVERED


async def test_a_failed_send_is_no_answer(stage: Stage) -> None:
    """Tool error, then text: the text is delivered."""
    event = await stage.ask()
    stage.local.faults.add("POST", r"/messages$", status=403, code=50013)
    assert (await send(stage.open(event), stage.channel, "By tool")).is_error
    assert await stage.settle(event, "By text", fallback=True) is Reason.DELIVERED
    assert [one.content for one in stage.answers()] == ["By text"]


async def test_a_send_that_was_cut_off_but_arrived_is_the_answer(stage: Stage) -> None:
    """A run that dies in the middle of a send does not lead to a second answer."""
    event = await stage.ask()
    stage.local.faults.add("POST", r"/messages$", status=503, applied=True)
    call = asyncio.create_task(send(stage.open(event), stage.channel, "Hello"))
    await stage.local.wait_for(stage.answers)
    call.cancel()
    await asyncio.wait([call])
    assert await stage.settle(event, "Hello again", fallback=True) is Reason.SENT
    assert len(stage.answers()) == 1


async def test_a_reaction_that_was_cut_off_but_arrived_is_the_answer(stage: Stage) -> None:
    """The same for reactions."""
    event = await stage.ask()
    stage.local.faults.add("PUT", r"/reactions/", status=503, applied=True)
    call = asyncio.create_task(react(stage.open(event), event, "👍"))
    await stage.local.wait_for(lambda: stage.reactions(event))
    call.cancel()
    await asyncio.wait([call])
    assert await stage.settle(event, "", fallback=True) is Reason.REACTED


async def test_an_unknown_fate_is_not_answered_twice(stage: Stage) -> None:
    """While Discord cannot say what became of a send, nothing further is sent."""
    event = await stage.ask()
    await stage.store.record_send(
        event, Send("send", "message", "tool", stage.channel.id, "hash", event.message_id)
    )
    sender = Sender(stage.bot, stage.store, stage.guard, patience=Patience(call=0.1))
    delivery = Delivery(stage.bot, stage.store, sender)
    stage.local.faults.add("GET", r"/messages$", status=500, times=99)
    assert await delivery.trace(together(event)) is Trace.LATER
    said = Said(("Hi",))
    assert await delivery.settle(together(event), said, fallback=True) is None
    assert stage.answers() == []


async def test_a_confirmed_answer_needs_no_question(stage: Stage) -> None:
    """A send that failed beside the answer does not make the answer doubtful."""
    event = await stage.ask()
    tools = stage.open(event)
    await send(tools, stage.channel, "Hello")
    stage.local.faults.add("POST", r"/messages$", status=403, code=50013)
    await send(tools, stage.channel, "And more")
    before = len(stage.local.calls)
    assert await stage.trace(event) is Trace.ANSWER
    assert len(stage.local.calls) == before


async def test_nothing_at_all_gets_a_discreet_reaction(stage: Stage) -> None:
    """Silence would look like a fault."""
    event = await stage.ask()
    assert await stage.settle(event, " \n", fallback=True) == Reason.NO_ANSWER
    assert stage.reactions(event) == [REASONS[Reason.NO_ANSWER].mark]
    assert stage.answers() == []


async def test_without_the_fallback_text_is_marked(stage: Stage) -> None:
    """Strict silence, but a visible end."""
    event = await stage.ask()
    assert await stage.settle(event, "Hello", fallback=False) == Reason.TEXT_NOT_DELIVERED
    assert stage.reactions(event) == [REASONS[Reason.TEXT_NOT_DELIVERED].mark]
    assert stage.answers() == []


async def test_settling_twice_answers_once(stage: Stage) -> None:
    """After a crash between delivery and the final row."""
    event = await stage.ask()
    await stage.settle(event, "Hello", fallback=True)
    again = await stage.settle(event, "Hello", fallback=True)
    assert again == Reason.DELIVERED
    assert len(stage.answers()) == 1


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [(403, 50013, "forbidden"), (404, 10003, "channel_gone"), (503, 0, "discord_error")],
)
async def test_a_failed_delivery_names_its_reason(
    stage: Stage, status: int, code: int, reason: str
) -> None:
    """The event fails by name, and the message bears a mark of it."""
    event = await stage.ask()
    stage.local.faults.add("POST", r"/messages$", status=status, code=code, times=99)
    assert await stage.settle(event, "Hello", fallback=True) == reason
    assert stage.reactions(event) == [FAILED]


async def test_a_deleted_channel_is_a_reason(stage: Stage) -> None:
    """Nowhere to deliver to is an end, too."""
    room = stage.local.add_channel(stage.guild, "short-lived")
    event = await stage.ask(room)
    stage.local.delete_channel(room)
    assert await stage.settle(event, "Hello", fallback=True) == Reason.UNKNOWN_CHANNEL


async def test_text_goes_no_further_than_tools(stage: Stage) -> None:
    """Writing instead of calling is no way round what the person may do."""
    event = await stage.ask()
    rule = Overwrite.of(stage.ada, deny=permissions.SEND_MESSAGES)
    stage.local.set_overwrites(stage.channel, (rule,))
    assert await stage.settle(event, "Hello", fallback=True) == Reason.MAY_NOT_SEND
    assert stage.answers() == []


async def test_delivered_text_pings_nobody_else(stage: Stage) -> None:
    """Delivery is held to the same list of people as the tool."""
    event = await stage.ask()
    await stage.settle(event, f"@everyone {stage.bob.mention}", fallback=True)
    (answer,) = stage.answers()
    assert answer.mentions == [stage.ada]
    assert not answer.mention_everyone


async def test_a_dm_is_delivered_to(stage: Stage) -> None:
    """DMs have no guild, no member and no permissions."""
    channel = stage.local.open_dm(stage.ada)
    event = await stage.ask(channel)
    assert await stage.settle(event, "Hello", fallback=True) is Reason.DELIVERED
    assert stage.answers(channel)[0].content == "Hello"


async def test_a_notice_is_given_once(stage: Stage) -> None:
    """However often something goes wrong with an event, the person hears of it once."""
    event = await stage.ask(text=f"<@{{me}}> and {stage.bob.mention}")
    await stage.delivery.show_end(event, Reason.FAILED)
    await stage.delivery.show_end(event, Reason.LOST)
    (notice,) = stage.answers()
    assert notice.reference == event.message_id
    assert notice.mentions == [stage.ada]


async def test_the_end_is_told_after_an_outage(stage: Stage) -> None:
    """Who was told to wait is told when there is nothing to wait for any more; each once."""
    event = await stage.ask()
    for _ in range(2):
        await stage.delivery.late(event, WAIT)
        await stage.delivery.show_end(event, Reason.FAILED)
    assert [one.content for one in stage.answers()] == [
        str(WAIT),
        str(REASONS[Reason.FAILED].user),
    ]
    assert stage.reactions(event) == []


async def test_a_notice_is_no_answer(stage: Stage) -> None:
    """Saying that it went wrong does not count as having answered."""
    event = await stage.ask()
    await stage.delivery.show_end(event, Reason.FAILED)
    assert await stage.trace(event) is Trace.END


async def test_a_notice_is_not_taken_for_a_lost_answer(stage: Stage) -> None:
    """It replies to the same message as the send whose fate is unknown."""
    event = await stage.ask()
    stage.local.faults.add("POST", r"/messages$", status=403, code=50013)
    await send(stage.open(event), stage.channel, "Hello")
    await stage.delivery.show_end(event, Reason.FAILED)
    assert await stage.trace(event) is Trace.END


async def test_a_notice_that_cannot_be_given_is_swallowed(stage: Stage) -> None:
    """There is nobody left to tell."""
    event = await stage.ask()
    stage.local.faults.add("POST", r"/messages$", status=403, code=50013)
    await stage.delivery.show_end(event, Reason.FAILED)
    assert stage.answers() == []


async def test_what_is_called_off_is_marked(stage: Stage) -> None:
    """Who waits sees that nothing will come."""
    event = await stage.ask()
    await stage.delivery.call_off(event)
    assert (stage.reactions(event), stage.answers()) == ([REASONS[Reason.CLEARED].mark], [])


async def test_a_mark_that_cannot_be_made_is_swallowed(stage: Stage) -> None:
    """The message may be gone."""
    event = await stage.ask()
    stage.local.delete(stage.local.world.messages[event.message_id])
    await stage.delivery.call_off(event)
    assert any(call.status == 404 for call in stage.local.calls if call.method == "PUT")


async def test_an_outage_that_was_told_of_is_no_trace(stage: Stage) -> None:
    """The answer is still to come."""
    event = await stage.ask()
    await stage.delivery.late(event, WAIT)
    assert await stage.trace(event) is Trace.NOTHING


async def test_a_send_elsewhere_leaves_a_trace(stage: Stage) -> None:
    """It is no answer, and may not be done again either."""
    other = stage.local.add_channel(stage.guild, "random")
    event = await stage.ask()
    await send(stage.open(event), other, "In the wrong room")
    assert await stage.trace(event) is Trace.INTERIM


async def test_a_send_that_was_refused_leaves_no_trace(stage: Stage) -> None:
    """Nothing is to be seen of it, so the turn may run again."""
    event = await stage.ask()
    stage.local.faults.add("POST", r"/messages$", status=403, code=50013)
    assert (await send(stage.open(event), stage.channel, "By tool")).is_error
    assert await stage.trace(event) is Trace.NOTHING


@pytest.mark.parametrize("written", ["{text}", "discord_send('{here}', '{text}')"])
async def test_a_delivery_that_a_crash_cut_in_two_is_completed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    """The first part is an answer, and not the whole of it; so it is of a call in words."""
    event, text = await stage.ask(), "a" * 1900 + "\n\n" + "b" * 1900
    text = written.format(text=text, here=event.channel_id)
    record = stage.store.record_send

    async def record_and_crash(event: Event, send: Send, *, lazily: bool = False) -> bool:
        known = await record(event, send, lazily=lazily)
        if send.message_ids:
            raise asyncio.CancelledError
        return known

    with monkeypatch.context() as crash:
        crash.setattr(stage.store, "record_send", record_and_crash)
        with pytest.raises(asyncio.CancelledError):
            await stage.settle(event, text, fallback=True)
    assert len(stage.answers()) == 1
    assert await stage.trace(event) is Trace.ANSWER
    again = await stage.settle(event, text, fallback=True)
    assert again == Reason.DELIVERED
    assert [one.content[0] for one in stage.answers()] == ["a", "b"]


async def test_what_is_thought_in_a_call_in_words_is_not_posted(stage: Stage) -> None:
    """The message of a call is a text of the agent's like any other."""
    event = await stage.ask()
    given = f'{{"channelId": "{event.channel_id}", "message": "<think>plan</think>1932."}}'
    call = f'<tool_call>{{"name": "discord_send", "arguments": {given}}}</tool_call>'
    assert await stage.settle(event, call, fallback=True) is Reason.DELIVERED
    assert [one.content for one in stage.answers()] == ["1932."]


@pytest.mark.parametrize("full_for", [1, 2, 3, 4])
@pytest.mark.parametrize("by", ["tool", "delivery"])
async def test_what_the_ledger_can_not_record_of_a_long_text_is_posted_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, by: Literal["tool", "delivery"], full_for: int
) -> None:
    """The text is nowhere else; sent once more, each part is found where it is (promise 6)."""
    event, parts = await stage.ask(), [letter * 1900 for letter in "abcd"]
    record, left = stage.store.record_send, full_for

    async def record_in_vain(event: Event, send: Send, *, lazily: bool = False) -> bool:
        nonlocal left
        if send.message_ids and left:
            left -= 1
            if lazily:
                return True
            raise LedgerError(phrase("the disk is full"))
        return await record(event, send, lazily=lazily)

    async def say_it() -> Send:
        channel = stage.bot.get_channel(stage.channel.id)
        assert isinstance(channel, discord.TextChannel)
        turn, text, reply_to = together(event), "\n\n".join(parts), event.message_id
        return await stage.sender.send(turn, channel, text, by=by, key="a", reply_to=reply_to)

    with monkeypatch.context() as full:
        full.setattr(stage.store, "record_send", record_in_vain)
        if full_for == len(parts) and by == "tool":
            with pytest.raises(LedgerError):
                await say_it()
        else:
            await say_it()
    assert [one.content for one in stage.answers()] == parts
    # Long after Discord has forgotten the nonces.
    for one in stage.answers():
        one.nonce = None
    assert (await say_it()).message_ids == tuple(one.id for one in stage.answers())
    assert [one.content for one in stage.answers()] == parts


async def test_parts_that_are_alike_are_not_taken_for_each_other(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that is found twice would stand for one that was never posted."""
    event, parts = await stage.ask(), ["a" * 1900, "b" * 1900, "b" * 1900, "b" * 1900]
    record = stage.store.record_send

    async def record_and_crash(event: Event, send: Send, *, lazily: bool = False) -> bool:
        if len(send.message_ids) == 3:
            raise asyncio.CancelledError
        if send.message_ids:
            raise LedgerError(phrase("the disk is full"))
        return await record(event, send, lazily=lazily)

    text = "\n\n".join(parts)
    with monkeypatch.context() as crash:
        crash.setattr(stage.store, "record_send", record_and_crash)
        with pytest.raises(asyncio.CancelledError):
            await stage.settle(event, text)
    assert len(stage.answers()) == 3
    for one in stage.answers():
        one.nonce = None
    assert await stage.settle(event, text) is Reason.DELIVERED
    assert [one.content for one in stage.answers()] == parts


async def test_a_reaction_to_any_message_of_a_turn_is_an_answer(stage: Stage) -> None:
    """They were asked together, and one answer ends all."""
    first, second = await stage.ask(), await stage.ask()
    turn = together(first, second)
    await react(stage.open(turn), first, "👍")
    assert await stage.settle(turn, "", fallback=True) == Reason.REACTED


async def test_a_turns_answer_replies_to_its_last_message(stage: Stage) -> None:
    """That is the one that speaks for it."""
    turn = together(await stage.ask(), await stage.ask())
    await stage.settle(turn, "Hello", fallback=True)
    (answer,) = stage.answers()
    assert answer.reference == turn.speaker.message_id


async def test_a_turns_answer_may_ping_whom_any_of_its_messages_mentions(stage: Stage) -> None:
    """The people of all of them, and nobody else."""
    eve = stage.local.add_user("eve")
    stage.local.add_member(stage.guild, eve)
    first = await stage.ask(text=f"<@{{me}}> ask {stage.bob.mention}")
    turn = together(first, await stage.ask())
    text = f"{stage.bob.mention} {eve.mention}"
    await stage.settle(turn, text, fallback=True)
    (answer,) = stage.answers()
    assert {user.name for user in answer.mentions} == {"ada", "bob"}


async def test_a_reply_to_an_earlier_message_of_a_turn_pings_its_author(stage: Stage) -> None:
    """They asked there, too."""
    first, second = await stage.ask(), await stage.ask()
    tools = stage.open(together(first, second))
    await send(tools, stage.channel, "Hello", replyToMessageId=str(first.message_id))
    (answer,) = stage.answers()
    assert answer.mentions == [stage.ada]


async def test_nothing_is_delivered_for_who_was_forgotten_in_mid_turn(stage: Stage) -> None:
    """Of a forgotten event not even the list of people is left."""
    event = await stage.ask()
    await stage.store.forget_user(event.author_id)
    event.context = NO_CONTEXT
    settled = await stage.settle(event, "Hello", fallback=True)
    assert settled == Reason.FORGOTTEN
