"""Replies count where they answer what was posted for the agent."""

from __future__ import annotations

import itertools
from typing import Any

import discord
import pytest

from aurora.ids import message_id_at
from aurora.intake.replies import Replies
from aurora.intake.triggers import Refusal, Trigger
from aurora.ledger import DEDUPE_SECONDS
from aurora.model import Send
from aurora.reasons import Reason
from aurora.settings import MCP_TOOLS, TO_ANY
from tests.support.events import make_event
from tests.support.gates import Gatehouse
from tests.support.payloads import rest
from tests.support.stage import queued

REPLY = Trigger("reply")
_ids = itertools.count(1)
OTHERS = Refusal(Reason.OTHER_COGS_MESSAGE)


@pytest.fixture
async def pong(scene: Gatehouse) -> discord.Message:
    """Return what another cog of the bot has said, long after the ledger was begun."""
    await scene.triggers.replies.start()
    await scene.clock.advance(3600)
    return _written(scene, "Pong.")


def _written(scene: Gatehouse, text: str, **more: Any) -> discord.Message:
    """Return a message of the bot's, written now."""
    written = message_id_at(scene.clock.time()) + next(_ids)
    return scene.world.message(text, author="aurora", id=str(written), **more)


async def _posted(scene: Gatehouse, by: Any) -> discord.Message:
    """Return a message that the ledger knows."""
    message, event = _written(scene, "An answer."), make_event(guild_id=scene.world.guild.id)
    await scene.store.add(event, queued(event))
    send = Send("key", "message", by, message.channel.id, "", message_ids=(message.id,))
    await scene.store.record_send(event, send)
    return message


def reply(
    scene: Gatehouse, to: discord.Message, text: str = "lol", **more: Any
) -> discord.Message:
    """Return a reply to a message, with the ping on, as it is by default."""
    ping = [scene.world.people["aurora"]]
    return scene.world.message(text, reply_to=to, mentions=ping, **more)


@pytest.mark.parametrize("ping", [True, False])
async def test_a_reply_to_another_cogs_message_is_for_nobody(
    scene: Gatehouse, pong: discord.Message, ping: bool
) -> None:
    """The ping of a reply is no mention that anybody wrote."""
    message = reply(scene, pong) if ping else scene.world.message("lol", reply_to=pong)
    assert await scene.check(message) == OTHERS


@pytest.mark.parametrize("by", ["tool", "mcp", "delivery", "notice"])
@pytest.mark.usefixtures("pong")
async def test_a_reply_to_what_was_posted_for_the_agent_counts(scene: Gatehouse, by: str) -> None:
    """Answers and notices alike."""
    assert await scene.check(reply(scene, await _posted(scene, by))) == REPLY


@pytest.mark.parametrize("reason", [Reason.FULL, Reason.TOO_OFTEN, Reason.PERSON_FULL])
@pytest.mark.usefixtures("pong")
async def test_a_reply_to_a_refusal_in_words_counts(scene: Gatehouse, reason: Reason) -> None:
    """Aurora is asked "why?", though no send records what she said."""
    asked = scene.world.message("hi")
    await scene.store.refuse(asked.id, reason)
    said = _written(scene, "Too many messages are waiting.", **_replying(asked))
    assert await scene.check(reply(scene, said, "why?")) == REPLY


@pytest.mark.usefixtures("pong")
async def test_a_reply_to_what_another_cog_replied_does_not(scene: Gatehouse) -> None:
    """That it replied to a message that was for nobody says nothing."""
    asked = scene.world.message("!ping")
    await scene.store.refuse(asked.id, Reason.COMMAND)
    said = _written(scene, "Pong.", **_replying(asked))
    assert await scene.check(reply(scene, said)) == OTHERS


@pytest.mark.parametrize(
    "text",
    ["<@{me}> explain this", "explain this, <@!{me}>", "<@&{role}> explain", "Rora, explain"],
)
async def test_a_reply_that_calls_the_bot_in_its_text_counts(
    scene: Gatehouse, pong: discord.Message, text: str
) -> None:
    """Whoever writes the mention means it."""
    await scene.set(wake_word="rora")
    role = scene.world.roles["aurora"]
    message = reply(scene, pong, text.format(me=scene.world.me.id, role=role))
    assert await scene.check(message) == REPLY


async def test_a_mention_in_code_does_not_make_it_count(
    scene: Gatehouse, pong: discord.Message
) -> None:
    """It mentions nobody."""
    message = reply(scene, pong, f"you wrote `<@{scene.world.me.id}>`")
    assert await scene.check(message) == OTHERS


async def test_admins_may_let_any_reply_count(scene: Gatehouse, pong: discord.Message) -> None:
    """As it was."""
    await scene.set(replies=TO_ANY)
    assert await scene.check(reply(scene, pong)) == REPLY


async def test_where_agents_use_their_own_tools_any_reply_counts(
    scene: Gatehouse, pong: discord.Message
) -> None:
    """What these post the ledger may not know."""
    await scene.set(discord_tools=MCP_TOOLS)
    assert await scene.check(reply(scene, pong)) == REPLY


async def test_what_the_ledger_cannot_know_counts(scene: Gatehouse) -> None:
    """It may have been lost and begun anew, or have dropped what is old."""
    before = _written(scene, "From before the ledger.")
    await scene.clock.advance(10)
    await scene.triggers.replies.start()
    assert await scene.check(reply(scene, before)) == REPLY
    await scene.clock.advance(10)
    old = _written(scene, "Pong.")
    assert await scene.check(reply(scene, old)) == OTHERS
    await scene.clock.advance(DEDUPE_SECONDS + 60)
    assert await scene.check(reply(scene, old)) == REPLY
    young = _written(scene, "Pong.")
    assert await scene.check(reply(scene, young)) == OTHERS


async def test_since_when_the_ledger_knows_outlives_a_restart(
    scene: Gatehouse, pong: discord.Message
) -> None:
    """Else each start would let replies to other cogs pass for a while."""
    again = Replies(scene.store, scene.clock)
    await again.start()
    assert not await again.for_agent(pong.id, pong)


async def test_what_discord_left_out_is_looked_up_and_judged_alike(
    scene: Gatehouse, pong: discord.Message
) -> None:
    """To whom it replies, Discord says when it is asked."""
    async with rest(scene.world):
        answer = await _posted(scene, "tool")
        for replied, expected in ((pong, OTHERS), (answer, REPLY)):
            message = scene.world.message("so?", reply_to=replied, resolved="absent")
            assert await scene.check(message) == expected


async def test_only_replies_to_the_bot_ask_the_ledger(
    scene: Gatehouse, pong: discord.Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one look-up, and of nobody else's messages."""
    asked: list[int] = []

    async def sent(message_id: int) -> None:
        asked.append(message_id)

    monkeypatch.setattr(scene.store, "sent", sent)
    world = scene.world
    for message in (
        world.message(f"<@{world.me.id}> hello"),
        world.message("chatter"),
        world.message("no", reply_to=world.message("hi", author="bob")),
        reply(scene, pong, f"<@{world.me.id}> so?"),
        reply(scene, pong),
    ):
        await scene.check(message)
    assert asked == [pong.id]


def _replying(to: discord.Message) -> dict[str, Any]:
    return {
        "type": 19,
        "message_reference": {"message_id": str(to.id), "channel_id": str(to.channel.id)},
    }
