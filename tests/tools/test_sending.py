"""discord_send and discord_add_reaction: what goes out, once, to whom it may."""

from __future__ import annotations

import asyncio

import pytest

from aurora.chat.failures import Patience
from aurora.chat.sender import Sender
from aurora.tools.host import Toolbox
from doubles.local_discord import Overwrite, permissions
from tests.support.clocks import FakeClock
from tests.support.stage import Stage, react, send, together


async def test_the_first_send_replies_to_the_message(stage: Stage) -> None:
    """The person sees what the answer refers to, whether or not the agent thought of it."""
    event = await stage.ask()
    result = await send(stage.open(event), stage.channel, "Hello Ada")
    (answer,) = stage.answers()
    assert answer.content == "Hello Ada"
    assert answer.reference == event.message_id
    assert f'"{answer.id}"' in result.text
    assert not result.is_error


async def test_a_reply_goes_where_the_agent_wants_it(stage: Stage) -> None:
    """A replyToMessageId of the agent's own stands."""
    older = stage.local.say(stage.bob, stage.channel, "an older question")
    event = await stage.ask()
    await send(stage.open(event), stage.channel, "to Bob", replyToMessageId=str(older.id))
    assert stage.answers()[0].reference == older.id


async def test_the_same_text_twice_goes_out_once(stage: Stage) -> None:
    """A repeated call is answered with the id of the first."""
    tools = stage.open(await stage.ask())
    await send(tools, stage.channel, "Hello")
    again = await send(tools, stage.channel, "Hello ")
    (answer,) = stage.answers()
    assert f'"{answer.id}"' in again.text
    assert "already" in again.text


async def test_parallel_equal_sends_go_out_once(stage: Stage) -> None:
    """Calls made at the same moment are told apart as those made in turn."""
    tools = stage.open(await stage.ask())
    await asyncio.gather(*(send(tools, stage.channel, "Hello") for _ in range(10)))
    assert len(stage.answers()) == 1


async def test_twenty_parallel_sends_give_five_messages_in_the_place(stage: Stage) -> None:
    """Where it was asked an agent may say its answer in few texts, as admins set it."""
    tools = stage.open(await stage.ask())
    calls = (send(tools, stage.channel, f"text {number}") for number in range(10))
    results = await asyncio.gather(*calls)
    assert [one.content for one in stage.answers()] == [f"text {number}" for number in range(5)]
    assert [result.is_error for result in results] == [False] * 5 + [True] * 5
    assert "5 texts are the most" in results[-1].text
    await stage.settings.set_guild(stage.guild.id, messages=1)
    tools = stage.open(await stage.ask())
    assert [(await send(tools, stage.channel, one)).is_error for one in "ab"] == [False, True]


async def test_twenty_parallel_sends_give_twelve_messages(stage: Stage) -> None:
    """A run that floods is held to its budget, and told."""
    other = stage.local.add_channel(stage.guild, "random")
    tools = stage.open(await stage.ask())
    calls = (send(tools, other, f"text {number}") for number in range(20))
    results = await asyncio.gather(*calls)
    said = [one.content for one in stage.answers(other)]
    assert said == [f"text {number}" for number in range(12)]
    assert [result.is_error for result in results] == [False] * 12 + [True] * 8
    assert "at most 12" in results[-1].text


async def test_a_second_reply_to_a_message_is_none(stage: Stage) -> None:
    """Both are seen; who asked is alerted once."""
    event = await stage.ask()
    tools = stage.open(event)
    await send(tools, stage.channel, "First")
    second = await send(tools, stage.channel, "Second", replyToMessageId=str(event.message_id))
    assert [(one.content, one.reference is None) for one in stage.answers()] == [
        ("First", False),
        ("Second", True),
    ]
    assert not second.is_error


async def test_a_further_message_without_a_reply_is_fine(stage: Stage) -> None:
    """A run may add to its answer."""
    tools = stage.open(await stage.ask())
    await send(tools, stage.channel, "First")
    await send(tools, stage.channel, "Second")
    assert [(one.content, one.reference is None) for one in stage.answers()] == [
        ("First", False),
        ("Second", True),
    ]


async def test_the_record_outlives_the_run(stage: Stage) -> None:
    """A run that the agent server starts over cannot post what the first one posted."""
    tools = stage.open(await stage.ask())
    await send(tools, stage.channel, "Hello")
    tools.begin_anew()
    again = await send(tools, stage.channel, "Hello")
    differently = await send(tools, stage.channel, "Hi")
    assert len(stage.answers()) == 1
    assert not again.is_error
    assert differently.is_error
    assert f'"{stage.answers()[0].id}"' in differently.text


async def test_a_run_that_is_started_over_after_a_first_word_goes_on(stage: Stage) -> None:
    """That was no answer, and the agent may say it in other words."""
    tools = stage.open(await stage.ask())
    await send(tools, stage.channel, "One moment.", interim=True)
    tools.begin_anew()
    for text in ("A moment, please.", "1932."):
        assert not (await send(tools, stage.channel, text)).is_error
    assert [one.content for one in stage.answers()][-1] == "1932."


async def test_nobody_else_is_pinged(stage: Stage) -> None:
    """Everyone, roles and bystanders stay silent; the author hears of it."""
    role = stage.local.add_role(stage.guild, "helpers", mentionable=True)
    event = await stage.ask()
    text = f"@everyone @here {role.mention} {stage.bob.mention} {stage.ada.mention}"
    await send(stage.open(event), stage.channel, text)
    (answer,) = stage.answers()
    assert answer.mentions == [stage.ada]
    assert answer.mention_roles == []
    assert not answer.mention_everyone


async def test_people_whom_the_author_mentioned_may_be_pinged(stage: Stage) -> None:
    """Whoever the author named in the question can be addressed in the answer."""
    event = await stage.ask(text=f"<@{{me}}> say hello to {stage.bob.mention}")
    await send(stage.open(event), stage.channel, f"Hello {stage.bob.mention}!")
    assert stage.bob in stage.answers()[0].mentions


async def test_a_reply_to_a_bystander_does_not_ping(stage: Stage) -> None:
    """Replying is no way round the list of people who may be pinged."""
    older = stage.local.say(stage.bob, stage.channel, "nothing to do with it")
    event = await stage.ask()
    await send(stage.open(event), stage.channel, "Hm", replyToMessageId=str(older.id))
    assert stage.answers()[0].mentions == []


async def test_a_long_text_arrives_in_parts(stage: Stage) -> None:
    """Each part is a message, the first is the reply, all their ids are told."""
    event = await stage.ask()
    result = await send(stage.open(event), stage.channel, "```py\n" + "x = 1\n" * 700 + "```")
    answers = stage.answers()
    assert len(answers) == 3
    assert [one.reference for one in answers] == [event.message_id, None, None]
    assert all(f'"{one.id}"' in result.text for one in answers)


async def test_a_book_goes_out_as_a_file(stage: Stage) -> None:
    """Nobody wants sixteen messages; nothing is refused for its length, and the agent is told."""
    event = await stage.ask()
    result = await send(stage.open(event), stage.channel, "word " * 6000)
    *parts, last = stage.answers()
    assert [one.attachments for one in parts] == [[]] * 11
    (file,) = last.attachments
    assert file.filename.endswith(".md")
    said = " ".join((*(one.content for one in parts), file.data.decode()))
    assert said.split() == ["word"] * 6000
    assert file.filename in last.content
    assert parts[0].reference == event.message_id
    assert not result.is_error
    assert "as a file" in result.text


async def test_long_texts_count_in_parts(stage: Stage) -> None:
    """What no longer fits into the messages that are left goes out as a file, which is one."""
    tools = stage.open(await stage.ask())
    for letter in "abc":
        assert not (await send(tools, stage.channel, f"{letter} " * 4500)).is_error
    (*parts, file) = stage.answers()
    assert ([one.attachments for one in parts], len(file.attachments)) == ([[]] * 11, 1)
    assert "other 6999 characters" in file.content


async def test_a_file_is_sent_once(stage: Stage) -> None:
    """Its record recognises it, as that of any text: by a later run, and after a lost answer."""
    event, text = await stage.ask(), "word " * 6000
    stage.local.faults.add("POST", r"/messages$", status=500, applied=True)
    await send(stage.open(event), stage.channel, text)
    again = await send(stage.open(event), stage.channel, text)
    assert len(stage.answers()) == 12
    assert "Not sent again" in again.text


@pytest.mark.parametrize("replied", [True, False])
async def test_a_file_whose_fate_is_unknown_is_looked_for(stage: Stage, replied: bool) -> None:
    """Long after Discord forgot the nonce, as a reply and as none."""
    event, text = await stage.ask(), "word " * 6000
    if not replied:
        await send(stage.open(event), stage.channel, "First")
    stage.local.faults.add("POST", r"/messages$", status=503, applied=True)
    call = asyncio.create_task(send(stage.open(event), stage.channel, text))
    await stage.local.wait_for(lambda: [one for one in stage.answers() if one.attachments])
    call.cancel()
    await asyncio.wait([call])
    stage.local.nonces.window = -1
    again = await send(stage.open(event), stage.channel, text)
    assert not again.is_error
    assert sum(bool(one.attachments) for one in stage.answers()) == 1


@pytest.mark.parametrize("whose", ["bot", "person"])
async def test_where_no_file_may_be_sent_a_book_is_cut_and_says_so(
    stage: Stage, whose: str
) -> None:
    """The agent can send no file for a person who may not; what there is room for is read."""
    who = stage.local.bot_user if whose == "bot" else stage.ada
    stage.local.set_overwrites(stage.channel, (Overwrite.of(who, deny=permissions.ATTACH_FILES),))
    result = await send(stage.open(await stage.ask()), stage.channel, "word " * 6000)
    answers = stage.answers()
    assert (len(answers), [one.attachments for one in answers]) == (12, [[]] * 12)
    assert "more characters" in answers[-1].content
    assert not result.is_error
    assert "without its end" in result.text


async def test_white_space_is_refused(stage: Stage) -> None:
    """There must be something to say."""
    result = await send(stage.open(await stage.ask()), stage.channel, " \n ")
    assert result.is_error
    assert "no text" in result.text
    assert stage.answers() == []


async def test_four_thousand_backticks_go_out(stage: Stage) -> None:
    """The local Discord takes every part of the worst text."""
    result = await send(stage.open(await stage.ask()), stage.channel, "`" * 4000)
    assert not result.is_error
    assert sum(one.content.count("`") for one in stage.answers()) >= 4000


async def test_half_a_surrogate_pair_goes_out(stage: Stage) -> None:
    """What models write when they are cut off within an emoji breaks no request."""
    await send(stage.open(await stage.ask()), stage.channel, "cut \ud83d")
    assert stage.answers()[0].content == "cut \ufffd"


async def test_a_deleted_message_is_answered_without_a_reference(stage: Stage) -> None:
    """The answer still comes."""
    event = await stage.ask()
    stage.local.delete(stage.local.world.messages[event.message_id])
    await send(stage.open(event), stage.channel, "Hello anyway")
    (answer,) = stage.answers()
    assert answer.reference is None


async def test_without_the_right_to_read_history_the_answer_is_no_reply(stage: Stage) -> None:
    """Discord refuses such replies; a plain message is better than none."""
    event = await stage.ask()
    role = stage.guild.role_of(stage.local.bot_user)
    assert role is not None
    stage.guild.everyone.permissions &= ~permissions.READ_MESSAGE_HISTORY
    stage.local.world.update_role(stage.guild, stage.guild.everyone)
    await send(stage.open(event), stage.channel, "Hello")
    assert [one.reference for one in stage.answers()] == [None]


async def test_a_lost_answer_does_not_send_twice(stage: Stage) -> None:
    """A 500 after the message was stored: the repeated request has the same nonce."""
    tools = stage.open(await stage.ask())
    stage.local.faults.add("POST", r"/messages$", status=500, applied=True)
    result = await send(tools, stage.channel, "Hello")
    (answer,) = stage.answers()
    assert f'"{answer.id}"' in result.text


async def test_a_cut_line_does_not_send_twice(stage: Stage) -> None:
    """The same when the connection breaks instead, which discord.py does not repeat."""
    tools = stage.open(await stage.ask())
    stage.local.faults.add("POST", r"/messages$", status=0, applied=True)
    result = await send(tools, stage.channel, "Hello")
    assert not result.is_error
    assert len(stage.answers()) == 1


async def test_in_lasting_trouble_a_text_is_kept(stage: Stage) -> None:
    """Discord down for longer than a tool waits: the text comes later, or with a later call."""
    tools = stage.open(await stage.ask())
    stage.local.faults.add("POST", r"/messages$", status=503, times=3)
    kept = await send(tools, stage.channel, "Hello")
    assert "as soon as Discord allows" in kept.text
    later = await send(tools, stage.channel, "Hello")
    assert "Sent to channel" in later.text
    assert len(stage.answers()) == 1


async def test_we_wait_less_long_than_discord_py(stage: Stage) -> None:
    """Its 25 seconds of repeating a 500 are more than a run has; the text is kept."""
    sender = Sender(stage.bot, stage.store, stage.guard, patience=Patience(call=0.3))
    tools = Toolbox(stage.bot, stage.store, sender, stage.guard, FakeClock()).open(
        together(await stage.ask()), "agent-1"
    )
    stage.local.faults.add("POST", r"/messages$", status=500, times=5)
    async with asyncio.timeout(10):
        result = await send(tools, stage.channel, "Hello")
    assert "as soon as Discord allows" in result.text


async def test_what_discord_forbids_is_told(stage: Stage) -> None:
    """The bot may not write where Ada may: the agent learns why."""
    event = await stage.ask()
    stage.local.faults.add("POST", r"/messages$", status=403, code=50013)
    result = await send(stage.open(event), stage.channel, "Hello")
    assert result.is_error
    assert "permission" in result.text


async def test_a_text_that_stopped_halfway_goes_on_there(stage: Stage) -> None:
    """Told of the first part, the agent repeats the call and sends only the rest."""
    tools = stage.open(await stage.ask())
    text = "a" * 1900 + "\n\n" + "b" * 1900
    faults, listeners = stage.local.faults, stage.local.world.listeners
    listeners.append(lambda _event: faults.add("POST", r"/messages$", status=403, code=50013))
    halfway = await send(tools, stage.channel, text)
    listeners.pop()
    assert halfway.is_error
    assert "Only the first part" in halfway.text
    rest = await send(tools, stage.channel, text)
    assert not rest.is_error
    assert [one.content[0] for one in stage.answers()] == ["a", "b"]


async def test_a_crash_between_sending_and_recording_does_not_send_twice(stage: Stage) -> None:
    """Long after Discord forgot the nonce, the message is recognised as the reply it is."""
    event = await stage.ask()
    stage.local.faults.add("POST", r"/messages$", status=503, applied=True)
    call = asyncio.create_task(send(stage.open(event), stage.channel, "Hello"))
    await stage.local.wait_for(lambda: len(stage.answers()) == 1)
    call.cancel()
    await asyncio.wait([call])
    stage.local.nonces.window = -1
    again = await send(stage.open(event), stage.channel, "Hello")
    assert len(stage.answers()) == 1
    assert not again.is_error


async def test_a_crash_after_a_later_part_does_not_repeat_it(stage: Stage) -> None:
    """Going on halfway starts with a look at what is there."""
    event = await stage.ask()
    text = "a" * 1900 + "\n\n" + "b" * 1900
    faults, listeners = stage.local.faults, stage.local.world.listeners
    listeners.append(lambda _event: faults.add("POST", r"/messages$", status=503, applied=True))
    call = asyncio.create_task(send(stage.open(event), stage.channel, text))
    await stage.local.wait_for(lambda: len(stage.answers()) == 2)
    call.cancel()
    await asyncio.wait([call])
    listeners.pop()
    faults.waiting.clear()
    stage.local.nonces.window = -1
    again = await send(stage.open(event), stage.channel, text)
    assert not again.is_error
    assert [one.content[0] for one in stage.answers()] == ["a", "b"]


async def test_a_reaction_is_added_and_recorded(stage: Stage) -> None:
    """An emoji is an answer too."""
    event = await stage.ask()
    result = await react(stage.open(event), event, "👍")
    assert not result.is_error
    assert stage.reactions(event) == ["👍"]
    (record,) = await stage.store.sends(event.id)
    assert (record.kind, record.reply_to) == ("reaction", event.message_id)
    assert record.message_ids == (event.message_id,)


async def test_an_emoji_of_the_server_can_be_used(stage: Stage) -> None:
    """Custom emojis are written as in a message."""
    key = stage.local.add_emoji(stage.guild, "wave")
    event = await stage.ask()
    await react(stage.open(event), event, f"<:{key}>")
    assert stage.reactions(event) == [key]


async def test_an_emoji_of_another_server_is_refused(stage: Stage) -> None:
    """The bot could use it, the person who asked could not."""
    other = stage.local.add_guild("Elsewhere", owner=stage.bob)
    key = stage.local.add_emoji(other, "secret")
    event = await stage.ask()
    result = await react(stage.open(event), event, f"<:{key}>")
    assert result.is_error
    assert stage.reactions(event) == []


async def test_an_unknown_emoji_is_explained(stage: Stage) -> None:
    """Models write shortcodes; they are told what to write instead."""
    event = await stage.ask()
    result = await react(stage.open(event), event, ":thumbsup:")
    assert result.is_error
    assert "👍" in result.text


@pytest.mark.parametrize("emoji", ["", "   ", "👍" * 500])
async def test_an_emoji_is_one_emoji(stage: Stage, emoji: str) -> None:
    """Nothing, and a text of emojis, is refused before Discord is asked."""
    event = await stage.ask()
    result = await react(stage.open(event), event, emoji)
    assert result.is_error
    assert "one emoji" in result.text
    assert not any(call.method == "PUT" for call in stage.local.calls)


async def test_a_reaction_to_nothing_is_explained(stage: Stage) -> None:
    """A made-up message id is named as such."""
    event = await stage.ask()
    event.message_id += 1
    result = await react(stage.open(event), event, "👍")
    assert result.is_error
    assert "no such message" in result.text
