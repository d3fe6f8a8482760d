"""The output filter at its place: whoever sends for the agent, once, and as recorded."""

from __future__ import annotations

from typing import Any

import pytest

from aurora.chat.fingerprints import Fingerprints
from aurora.chat.sender import Sender
from aurora.guard.masking import SECRET
from aurora.guard.output import Output
from aurora.model import Send, Trace
from aurora.reasons import Reason
from aurora.words import Phrase
from tests.support.stage import Stage, react, send

KEY = "sk-ant-api03-abcDEF123456ghiJKL7890mnoPQR"
EVIL = "https://evil.example/?q=1"
SUPPRESSED = 1 << 2


def lose_answers(stage: Stage) -> None:
    """Let the next message arrive without telling the bot so."""
    stage.local.faults.add("POST", r"/messages$", status=503, times=3, applied=True)


def use_key(stage: Stage, key: bytes) -> None:
    """Give the sender another key for its fingerprints."""
    stage.sender.fingerprints.use(key)


async def test_what_a_tool_sends_is_filtered_and_the_agent_is_told(stage: Stage) -> None:
    """In a phrase, so that it does not wonder or try again."""
    event = await stage.ask()
    result = await send(stage.open(event), stage.channel, f"The key is {KEY}, see {EVIL}")
    assert [one.content for one in stage.answers()] == [f"The key is {SECRET}, see <{EVIL}>"]
    changed = "Changed before it was sent: a secret was removed, links were set without a preview."
    assert changed in result.text


async def test_what_is_sent_as_it_was_is_not_remarked_on(stage: Stage) -> None:
    """It would cost tokens at each send."""
    result = await send(stage.open(await stage.ask()), stage.channel, "Hello")
    assert "Changed" not in result.text


async def test_what_is_delivered_is_filtered(stage: Stage) -> None:
    """The agent's text takes another way to the same door."""
    event = await stage.ask()
    assert await stage.settle(event, f"@everyone {KEY}") is Reason.DELIVERED
    assert [one.content for one in stage.answers()] == [f"@\u200beveryone {SECRET}"]


async def test_the_tokens_of_aurora_are_known(stage: Stage) -> None:
    """They need look like nothing."""
    output = Output(secrets=lambda: ["a-password-of-ours"])
    sender = Sender(
        stage.bot, stage.store, stage.guard, output=output, patience=stage.sender.patience
    )
    stage.toolbox._sender = sender
    await send(stage.open(await stage.ask()), stage.channel, "it is *a-pass word-of-ours*!")
    assert stage.answers()[0].content == f"it is *{SECRET}*!"


async def test_what_somebody_wrote_is_previewed_and_what_the_agent_made_up_is_not(
    stage: Stage,
) -> None:
    """The address of the question, whole."""
    event = await stage.ask(text=f"<@{{me}}> what is {EVIL} about?")
    event.context["message"]["content"] = f"what is {EVIL} about?"
    tools = stage.open(event)
    await send(tools, stage.channel, f"{EVIL} is evil")
    await send(tools, stage.channel, f"{EVIL}&r=2 is evil")
    assert [one.content for one in stage.answers()] == [f"{EVIL} is evil", f"<{EVIL}&r=2> is evil"]
    assert not any(one.flags & SUPPRESSED for one in stage.answers())


async def test_an_address_in_code_turns_the_previews_of_its_message_off(stage: Stage) -> None:
    """In code it stays as it is, and what is code is for Discord to say."""
    tools = stage.open(await stage.ask())
    await send(tools, stage.channel, f"**`a** {EVIL} `b")
    assert stage.answers()[0].flags & SUPPRESSED


async def test_what_people_wrote_in_a_channel_that_was_read_is_previewed(stage: Stage) -> None:
    """But not what the bot itself has said there: it could say a secret twice."""
    event = await stage.ask()
    stage.local.say(stage.bob, stage.channel, f"look: {EVIL}")
    stage.local.say(stage.local.bot_user, stage.channel, f"<{EVIL}&secret>")
    tools = stage.open(event)
    await tools.call("discord_read_messages", {"channelId": str(stage.channel.id)})
    await send(tools, stage.channel, f"{EVIL} and {EVIL}&secret")
    assert stage.answers()[-1].content == f"{EVIL} and <{EVIL}&secret>"


async def test_a_notice_of_auroras_own_needs_no_filter(stage: Stage) -> None:
    """It names addresses and commands as they are."""
    event = await stage.ask()
    await stage.delivery.late(event, Phrase("See https://status.example"))
    assert stage.answers()[0].content == "See https://status.example"


async def test_no_part_of_a_long_text_cuts_an_address_in_two(stage: Stage) -> None:
    """Half of it would stand in no brackets."""
    long = "https://evil.example/" + "a" * 1000
    tools = stage.open(await stage.ask())
    await send(tools, stage.channel, "x" * 1500 + long + " " + "y" * 1500)
    for one in stage.answers():
        assert one.content.count("<") == one.content.count(">")
    assert f"<{long}" in "".join(one.content for one in stage.answers())


async def test_a_text_that_is_nothing_when_filtered_is_refused(stage: Stage) -> None:
    """Discord would show an empty line."""
    result = await send(stage.open(await stage.ask()), stage.channel, "\u2800\u3164")
    assert result.is_error
    assert stage.answers() == []


# -- the record is of what was sent


async def test_a_filtered_text_whose_fate_is_unknown_is_found(stage: Stage) -> None:
    """The record is of the text as it went out."""
    event = await stage.ask()
    await send(stage.open(event), stage.channel, "First")
    lose_answers(stage)
    kept = await send(stage.open(event), stage.channel, f"@here {KEY} {EVIL}")
    assert "as soon as Discord allows" in kept.text
    assert await stage.trace(event) is Trace.ANSWER
    _, found = await stage.sends(event)
    assert found.message_ids == (stage.answers()[1].id,)
    assert len(stage.answers()) == 2


async def test_the_same_text_is_the_same_though_it_was_changed(stage: Stage) -> None:
    """A server that starts a run over sends it again."""
    event = await stage.ask()
    await send(stage.open(event), stage.channel, f"see {EVIL}")
    again = await send(stage.open(event), stage.channel, f"see {EVIL}")
    assert "already" in again.text
    assert len(stage.answers()) == 1


@pytest.mark.parametrize("kind", ["message", "reaction"])
async def test_what_an_earlier_version_sent_is_recognised(stage: Stage, kind: Any) -> None:
    """Its hash had no key; Aurora was updated while the fate of it was open."""
    use_key(stage, b"k" * 32)
    event = await stage.ask()
    text = "Hello" if kind == "message" else "👍"
    if kind == "message":
        stage.local.say(stage.local.bot_user, stage.channel, text)
    else:
        await react(stage.open(event), event, text)
    old = Fingerprints().forms(text)[-1]
    reply_to = event.message_id if kind == "reaction" else None
    await stage.store.record_send(
        event, Send("old", kind, "tool", stage.channel.id, old, reply_to)
    )
    found = next(one for one in await stage.sends(event) if one.key == "old")
    assert found.message_ids


async def test_with_its_key_lost_a_send_is_in_doubt_and_not_taken_for_unsent(
    stage: Stage,
) -> None:
    """A second answer would be worse than none."""
    use_key(stage, b"k" * 32)
    event = await stage.ask()
    record = Send("send", "message", "tool", stage.channel.id, stage.sender.fingerprints.of("Hi"))
    await stage.store.record_send(event, record)
    use_key(stage, b"l" * 32)
    assert await stage.trace(event) is Trace.NOTHING
    stage.local.say(stage.local.bot_user, stage.channel, "Hi")
    assert await stage.trace(event) is Trace.DOUBT


async def test_the_ledger_keeps_no_emoji(stage: Stage) -> None:
    """A model may give any text for one."""
    event = await stage.ask()
    await react(stage.open(event), event, "the vault code is 1234")
    (kept,) = await stage.store.sends(event.id)
    assert "vault" not in repr(kept)
