"""Reactions: whose run a message belongs to, and who is heard."""

from __future__ import annotations

import pytest

from aurora.guard.runs import RunAct, RunGuard
from aurora.intake.reactions import Reaction, Reactions
from aurora.model import Event
from doubles.local_discord import Message
from tests.support.stage import Stage, send
from tests.support.stores import make_send

STOP = "🛑"


class Heard:
    """A stage whose reactions are listened to."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.heard: list[Reaction] = []
        self.reactions = Reactions(stage.bot, stage.store, RunGuard(stage.bot))

        async def note(reaction: Reaction) -> None:
            self.heard.append(reaction)

        self.reactions.on([STOP], RunAct.STOP, note)
        self.reactions.on(["👍"], RunAct.STOP, note, taken_back=True)
        self.events: list[None] = []

        async def on_raw_reaction_add(payload: object) -> None:
            await self.reactions.heard(payload)  # type: ignore[arg-type]
            self.events.append(None)

        setattr(stage.bot, "on_raw_reaction_add", on_raw_reaction_add)  # noqa: B010 - as discord.py wants it
        setattr(stage.bot, "on_raw_reaction_remove", on_raw_reaction_add)  # noqa: B010 - as above

    def message(self, message_id: int) -> Message:
        """Return a message."""
        return self.stage.local.world.messages[message_id]

    async def settle(self, count: int) -> list[Reaction]:
        """Wait until so many reactions have been looked at."""
        await self.stage.local.wait_for(lambda: len(self.events) == count or None)
        return self.heard


@pytest.fixture
async def ears(stage: Stage) -> Heard:
    """Listen."""
    return Heard(stage)


async def test_a_reaction_tells_what_was_asked_wherever_it_is(ears: Heard, stage: Stage) -> None:
    """On the message that asks, or on any part of what was sent for it."""
    event = await stage.ask()
    await send(stage.open(event), stage.channel, "Hello.")
    (answer,) = stage.answers()
    stage.local.react(stage.ada, ears.message(event.message_id), STOP)
    stage.local.react(stage.ada, answer, STOP)
    first, second = await ears.settle(2)
    assert (first.event.id, first.sent, first.added) == (event.id, None, True)
    assert (second.event.id, second.user_id, second.emoji) == (event.id, stage.ada.id, STOP)
    assert second.sent is not None
    assert second.sent.event_id == event.id


async def test_others_and_other_messages_and_emojis_are_not_heard(
    ears: Heard, stage: Stage
) -> None:
    """Nothing answers them: a reaction has nobody to be told."""
    event = await stage.ask()
    asked = ears.message(event.message_id)
    stage.local.react(stage.bob, asked, STOP)
    stage.local.react(stage.ada, asked, "🎉")
    stage.local.react(stage.local.bot_user, asked, STOP)
    stage.local.react(stage.ada, stage.local.say(stage.bob, stage.channel, "hm"), STOP)
    assert await ears.settle(4) == []


async def test_only_who_wants_it_hears_what_is_taken_back(ears: Heard, stage: Stage) -> None:
    """A run that was stopped does not go on."""
    event = await stage.ask()
    asked = ears.message(event.message_id)
    for emoji in (STOP, "👍"):
        stage.local.react(stage.ada, asked, emoji)
        stage.local.unreact(stage.ada, asked, emoji)
    found = await ears.settle(4)
    assert [(one.emoji, one.added) for one in found] == [(STOP, True), ("👍", True), ("👍", False)]


@pytest.mark.parametrize("emoji", ["👍🏽", "👍"])
async def test_the_colour_of_an_emoji_does_not_matter(
    ears: Heard, stage: Stage, emoji: str
) -> None:
    """People choose their own."""
    event = await stage.ask()
    stage.local.react(stage.ada, ears.message(event.message_id), emoji)
    assert [one.emoji for one in await ears.settle(1)] == ["👍"]


async def test_a_message_of_another_guilds_run_is_not_heard(ears: Heard, stage: Stage) -> None:
    """The ledger is asked by id, and an id is no permission."""
    event = await stage.ask()
    said = stage.local.say(stage.bob, stage.channel, "hm")
    other: Event = event
    await stage.store.record_send(other, make_send(message_ids=(said.id,)))
    other.guild_id = 999
    await stage.store.save_events([other])
    stage.local.react(stage.ada, said, STOP)
    assert await ears.settle(1) == []
