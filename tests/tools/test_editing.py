"""discord_edit_message: an agent mends what it sent in this conversation, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aurora.agents.protocol import ToolResult
from aurora.chat.fingerprints import Fingerprints
from aurora.model import Event, Turn
from aurora.reasons import Reason
from aurora.tools.host import RunTools
from doubles.local_discord import Channel, Message, Overwrite, permissions
from doubles.local_discord.message import SUPPRESS_EMBEDS
from tests.support.stage import ON_STAGE, Stage, allow, queued, send, send_file, together


@pytest.fixture(autouse=True)
async def _allowed(stage: Stage) -> None:
    await allow(stage, "discord_edit_message", "discord_create_poll", "discord_send_file")


async def edit(
    tools: RunTools, message: Message, text: str, channel: Channel | None = None
) -> ToolResult:
    arguments: dict[str, Any] = {
        "channelId": str((channel or message.channel).id),
        "messageId": str(message.id),
        "message": text,
    }
    return await tools.call("discord_edit_message", arguments)


async def sent(stage: Stage, event: Event, text: str = "Tea at four.") -> Message:
    """Let the agent send something, and the turn be recorded."""
    turn = together(event)
    turn.id = event.turn_id = f"turn-{event.id}"
    turn.agent_id = ON_STAGE
    await stage.store.start(turn, [queued(event)._replace(step="running")])
    await send(stage.open(turn), stage.channel, text)
    return stage.answers()[-1]


async def test_a_message_gets_another_text(stage: Stage) -> None:
    """In the turn it was sent in, and in a later one of the conversation."""
    event = await stage.ask()
    message = await sent(stage, event)
    assert not (await edit(stage.open(event), message, "Tea at five.")).is_error
    assert message.content == "Tea at five."
    later = await stage.ask(text="<@{me}> no, at six")
    assert not (await edit(stage.open(later), message, "Tea at six.")).is_error
    assert message.content == "Tea at six."
    assert len(stage.answers()) == 1


async def test_a_message_gets_back_a_text_that_it_had(stage: Stage) -> None:
    """Who changes their mind twice is not told of a text that is not there."""
    event = await stage.ask()
    message = await sent(stage, event)
    tools = stage.open(event)
    for text in ("Tea at five.", "Tea at six.", "Tea at five."):
        assert not (await edit(tools, message, text)).is_error
        assert message.content == text
    again = await send(tools, stage.channel, "Tea at five.")
    assert "You had sent this already" in again.text


async def test_an_edit_alone_is_an_answer(stage: Stage) -> None:
    """Who asked for a correction sees it; nobody is left with a mark of silence."""
    message = await sent(stage, await stage.ask())
    later = await stage.ask(text="<@{me}> at five")
    await edit(stage.open(later), message, "Tea at five.")
    assert await stage.settle(later, "") == Reason.REACTED
    assert stage.reactions(later) == []


async def test_what_is_written_after_an_edit_is_delivered(stage: Stage) -> None:
    """An edit alerts nobody."""
    message = await sent(stage, await stage.ask())
    later = await stage.ask(text="<@{me}> at five")
    await edit(stage.open(later), message, "Tea at five.")
    assert await stage.settle(later, "Mended.") == Reason.DELIVERED
    assert stage.answers()[-1].content == "Mended."


# -- whose messages


@pytest.mark.parametrize("whose", ["a person's", "another cog's", "a notice", "none at all"])
async def test_what_the_agent_did_not_send_is_not_edited(stage: Stage, whose: str) -> None:
    """Not even by the bot's own hand."""
    event = await stage.ask()
    if whose == "a person's":
        message = stage.local.say(stage.bob, stage.channel, "mine")
    elif whose == "another cog's":
        message = stage.local.say(stage.local.bot_user, stage.channel, "Pong.")
    elif whose == "a notice":
        await stage.delivery.show_end(event, Reason.TIMEOUT)
        message = stage.answers()[-1]
    else:
        message = stage.local.say(stage.bob, stage.channel, "mine")
        message.id += 1
    before = message.content
    result = await edit(stage.open(event), message, "Owned.")
    assert result.is_error
    assert "no message that you sent in this conversation" in result.text
    assert message.content == before


async def test_what_was_sent_in_another_conversation_is_not_edited(stage: Stage) -> None:
    """Though it stands in a channel that may be written in."""
    message = await sent(stage, await stage.ask())
    other = stage.local.add_channel(stage.guild, "random")
    result = await edit(stage.open(await stage.ask(other)), message, "Owned.")
    assert result.is_error
    assert message.content == "Tea at four."


async def test_who_talks_apart_edits_what_was_sent_to_them_alone(stage: Stage) -> None:
    """Theirs is a conversation of its own in the same place."""
    message = await sent(stage, await stage.ask())
    asked = stage.local.say(stage.bob, stage.channel, "hello")
    theirs = await stage.ask()
    theirs.author_id, theirs.message_id = stage.bob.id, asked.id
    turn = Turn((theirs,), agent_id=ON_STAGE, apart=True)
    result = await edit(stage.toolbox.open(turn, ON_STAGE), message, "Owned.")
    assert result.is_error
    assert message.content == "Tea at four."


async def test_what_another_agent_sent_is_not_edited(stage: Stage) -> None:
    """The one that answered here before."""
    message = await sent(stage, await stage.ask())
    await stage.settings.set_guild(stage.guild.id, agent_id="agent-2")
    turn = Turn((await stage.ask(),), agent_id="agent-2")
    result = await edit(stage.toolbox.open(turn, "agent-2"), message, "Owned.")
    assert result.is_error
    assert message.content == "Tea at four."


async def test_a_wrong_channel_does_not_help(stage: Stage) -> None:
    """The guard was asked about the one that was named."""
    event = await stage.ask()
    message = await sent(stage, event)
    other = stage.local.add_channel(stage.guild, "random")
    result = await edit(stage.open(event), message, "Owned.", other)
    assert result.is_error
    assert message.content == "Tea at four."


async def test_it_takes_the_askers_right_to_write_there(stage: Stage) -> None:
    """Whoever was silenced meanwhile changes nothing either."""
    event = await stage.ask()
    message = await sent(stage, event)
    deny = Overwrite.of(stage.ada, deny=permissions.SEND_MESSAGES)
    stage.local.set_overwrites(stage.channel, (deny,))
    result = await edit(stage.open(event), message, "Owned.")
    assert result.is_error
    assert message.content == "Tea at four."


# -- what it says then


async def test_long_texts_files_and_polls_stay_as_they_are(stage: Stage) -> None:
    """Of a text in parts a change would make nonsense."""
    event = await stage.ask()
    await sent(stage, event, "a" * 1900 + "\n\n" + "b" * 1900)
    tools = stage.open(event)
    await send_file(tools, stage.channel, "a.txt", "x")
    poll = {"channelId": str(stage.channel.id), "question": "Tea?", "answers": ["Yes", "No"]}
    await tools.call("discord_create_poll", poll)
    first, _, file, vote = stage.answers()
    for message, why in ((first, "several messages"), (file, "stay as"), (vote, "stay as")):
        result = await edit(tools, message, "x")
        assert result.is_error
        assert why in result.text


@pytest.mark.parametrize("text", ["", "  ", "x" * 2001])
async def test_a_text_that_does_not_fit_is_refused(stage: Stage, text: str) -> None:
    """One message stays one message, and says something."""
    event = await stage.ask()
    message = await sent(stage, event)
    result = await edit(stage.open(event), message, text)
    assert result.is_error
    assert "1 to 2,000 characters" in result.text
    assert message.content == "Tea at four."


async def test_the_new_text_is_filtered_and_pings_nobody(stage: Stage) -> None:
    """As if it were sent."""
    event = await stage.ask()
    message = await sent(stage, event)
    text = f"@everyone {stage.bob.mention} {stage.ada.mention} discord.gg/abcdef https://x.example"
    await edit(stage.open(event), message, text)
    assert "@everyone" not in message.content
    assert "discord.gg" not in message.content
    assert message.mentions == []
    assert message.flags & SUPPRESS_EMBEDS or "<https://x.example>" in message.content


# -- the record


async def test_the_record_goes_with_the_text(stage: Stage) -> None:
    """Of the send, whatever it was sent for: it is recognised by what it says now."""
    event = await stage.ask()
    message = await sent(stage, event)
    later = await stage.ask(text="<@{me}> at five")
    await edit(stage.open(later), message, "Tea at five.")
    (record,) = await stage.store.sends(event.id)
    assert record.text_hash == Fingerprints().of("Tea at five.")
    assert record.message_ids == (message.id,)
    (made,) = await stage.store.sends(later.id)
    assert (made.kind, made.message_ids) == ("edit", (message.id,))


async def test_what_it_says_now_is_not_sent_again_and_what_it_said_may_be(stage: Stage) -> None:
    """A repeat is one of what people read."""
    event = await stage.ask()
    message = await sent(stage, event)
    tools = stage.open(event)
    await edit(tools, message, "Tea at five.")
    again = await send(tools, stage.channel, "Tea at five.")
    assert "already" in again.text
    await send(tools, stage.channel, "Tea at four.")
    assert [one.content for one in stage.answers()] == ["Tea at five.", "Tea at four."]


async def test_a_crash_in_an_edit_is_looked_up_at_the_message(stage: Stage) -> None:
    """Whether it took place is to be seen there; the turn had its effect, and is not run again."""
    message = await sent(stage, await stage.ask())
    later = await stage.ask(text="<@{me}> at five")
    stage.local.faults.add("PATCH", r"/messages/", status=503, applied=True)
    call = asyncio.create_task(edit(stage.open(later), message, "Tea at five."))
    await stage.local.wait_for(lambda: message.content == "Tea at five.")
    call.cancel()
    await asyncio.wait([call])
    (found,) = await stage.sends(later)
    assert (found.kind, found.message_ids) == ("edit", (message.id,))


async def test_an_edit_that_did_not_take_place_leaves_no_trace(stage: Stage) -> None:
    """Then the turn may be run again."""
    message = await sent(stage, await stage.ask())
    later = await stage.ask(text="<@{me}> at five")
    stage.local.faults.add("PATCH", r"/messages/", status=403, code=50013)
    result = await edit(stage.open(later), message, "Tea at five.")
    assert result.is_error
    (found,) = await stage.sends(later)
    assert found.message_ids == ()


async def test_edits_count_as_messages(stage: Stage) -> None:
    """Or a run could go on for ever without a new one."""
    await stage.settings.set_guild(stage.guild.id, budget_messages=3)
    event = await stage.ask()
    message = await sent(stage, event)
    tools = stage.open(event)
    results = [await edit(tools, message, f"Text {n}.") for n in range(4)]
    assert [one.is_error for one in results] == [False, False, True, True]


async def test_in_a_dm_it_works_without_a_choice(stage: Stage) -> None:
    """There is nobody else who reads along."""
    channel = stage.local.open_dm(stage.ada)
    event = await stage.ask(channel)
    tools = stage.open(event)
    await send(tools, channel, "Tea at four.")
    (message,) = stage.answers(channel)
    assert not (await edit(tools, message, "Tea at five.")).is_error
    assert message.content == "Tea at five."


async def test_until_admins_allow_it_there_is_none(stage: Stage) -> None:
    """What was said stays said."""
    await stage.settings.set_guild(stage.guild.id, tools_chosen={})
    event = await stage.ask()
    message = await sent(stage, event)
    assert "There is no tool" in (await edit(stage.open(event), message, "x")).text
