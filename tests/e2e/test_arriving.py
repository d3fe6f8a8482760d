"""Between the gateway and the queue: what comes twice, changes or is refused on its way in."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import discord
import pytest

from aurora.context import build_event_context
from doubles.local_discord import Message
from tests.support.e2e.holding import hold
from tests.support.e2e.seen import end_of, reached, works
from tests.support.e2e.town import Town


async def arriving(town: Town) -> Message:
    """Ask with a reply chain that takes a second to look up, and return while that lasts."""
    first = town.discord.say(town.bo, town.general, "the beginning")
    second = town.discord.say(town.bo, town.general, "and then", reply_to=first)
    await works(town)
    town.red.bot._connection._messages.clear()  # type: ignore[union-attr]  # as after a restart
    town.discord.faults.rate_limit("GET", rf"/messages/{first.id}", retry_after=1.0)
    late = town.discord.say(town.ada, town.general, f"{town.mention} so?", reply_to=second)
    await town.discord.wait_for(
        lambda: any(str(first.id) in call.path for call in town.discord.calls)
    )
    return late


async def edited(town: Town, message: Message, text: str) -> None:
    """Edit a message, and see that Aurora has heard of it."""
    heard = asyncio.create_task(town.red.bot.wait_for("raw_message_edit", timeout=20))
    await asyncio.sleep(0)  # it listens from its first step on
    town.discord.edit(message, text)
    payload = await heard
    await town.cog.services.intake.edited(payload.message)


async def test_a_message_that_comes_twice_at_once_is_taken_in_once(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    """As a gateway does that resumes; and a deletion is not forgotten over it."""
    late = await arriving(town)
    again = discord.utils.get(town.red.bot.cached_messages, id=late.id)
    gone = asyncio.create_task(town.red.bot.wait_for("raw_message_delete", timeout=20))
    await asyncio.sleep(0)  # it listens from its first step on
    town.discord.delete(late)
    await gone
    town.red.bot.dispatch("message_without_command", again)
    assert await end_of(town, late) == ("cancelled", "message_deleted")
    await works(town)
    assert "could not be taken in" not in caplog.text
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


async def test_a_mention_removed_on_the_way_in_cancels(town: Town) -> None:
    """Nothing is said to somebody who changed their mind that early."""
    late = await arriving(town)
    await edited(town, late, "never mind")
    assert await end_of(town, late) == ("cancelled", "mention_removed")
    assert "running" not in town.steps(late)


async def test_of_two_quick_edits_the_later_counts(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the look-ups for the earlier take longer."""

    async def uneven(message: discord.Message, *args: Any, **more: Any) -> Any:
        context = await build_event_context(message, *args, **more)
        await asyncio.sleep(0.5 if "earlier" in message.content else 0)
        return context

    held = await hold(town)
    monkeypatch.setattr("aurora.intake.receiving.build_event_context", uneven)
    async with asyncio.TaskGroup() as edits:
        for word in ("earlier", "later"):
            text = f"{town.mention} [[say:{word}]]"
            edits.create_task(edited(town, held.waiting, text))
            await asyncio.sleep(0.1)
    held.go()
    assert await end_of(town, held.waiting) == ("answered", "delivered")
    assert [one.content for one in town.answers(held.waiting)] == ["later"]


async def test_a_refusal_that_discord_takes_slowly_holds_up_nobody(town: Town) -> None:
    """The mark comes when it may; whoever writes next is taken in at once."""
    settings = town.cog.services.settings
    held = await hold(town)
    await settings.set_guild(town.guild.id, max_queue_size=1)
    town.discord.faults.rate_limit("PUT", "/reactions/", retry_after=4.0)
    refused = town.discord.say(town.ada, town.general, f"{town.mention} one too many")
    assert await town.refusal(refused) == "full"
    await settings.set_guild(town.guild.id, max_queue_size=10)
    after = town.discord.say(town.bo, town.general, f"{town.mention} and me?")
    async with asyncio.timeout(3):
        await reached(town, after, "queued")
    assert town.marks(refused) == []
    held.go()
    await town.discord.wait_for(lambda: town.marks(refused) == ["⏳"] or None, 30.0)
    assert (await town.ended(after)).step == "answered"
