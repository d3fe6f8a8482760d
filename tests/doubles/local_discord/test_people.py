"""What people can do, and what they cannot."""

from __future__ import annotations

import asyncio
import time

import discord
import pytest

from doubles.local_discord import (
    Overwrite,
    permissions,
    poll,
)
from tests.support.doubles.looking import text_channel
from tests.support.local_town import LocalTown


async def fetched(town: LocalTown, client: discord.Client) -> discord.Message:
    """Return the last message as the bot reads it."""
    last = town.server.messages(town.general)[-1]
    return await text_channel(client, town.general).fetch_message(last.id)


async def test_nobody_writes_where_they_may_not(town: LocalTown) -> None:
    """People are held to their permissions, and strangers have none."""
    deny = Overwrite.of(town.guild.everyone, deny=permissions.SEND_MESSAGES)
    town.server.set_overwrites(town.general, (deny,))
    with pytest.raises(PermissionError, match="bert may not write in #general"):
        town.server.say(town.bert, town.general, "hello")
    with pytest.raises(PermissionError):
        town.server.say(town.server.add_user("stranger"), town.general, "hello")
    town.server.say(town.anna, town.general, "owners may")


@pytest.mark.parametrize("text", ["", "x" * 4001])
async def test_nothing_and_too_much_cannot_be_said(town: LocalTown, text: str) -> None:
    """A person with Nitro has four thousand characters."""
    town.server.say(town.bert, town.general, "x" * 4000)
    with pytest.raises(ValueError, match=r"nothing to send|at most"):
        town.server.say(town.bert, town.general, text)


async def test_stickers_polls_and_embeds_are_read(town: LocalTown, client: discord.Client) -> None:
    """A message without text is not an empty one."""
    town.server.say(
        town.bert,
        town.general,
        stickers=["wave"],
        poll=poll("Which?", "this", "that"),
        embeds=[{"title": "page", "type": "link"}],
    )
    message = await fetched(town, client)
    assert [sticker.name for sticker in message.stickers] == ["wave"]
    assert message.poll is not None
    assert [answer.text for answer in message.poll.answers] == ["this", "that"]
    assert message.embeds[0].title == "page"


async def test_a_forward_of_a_person_is_read(town: LocalTown, client: discord.Client) -> None:
    """The text stands in the snapshot."""
    original = town.server.say(town.anna, town.general, "news")
    town.server.say(town.bert, town.general, forward=original)
    message = await fetched(town, client)
    assert (message.content, message.message_snapshots[0].content) == ("", "news")


async def test_a_reply_may_ping_or_not(town: LocalTown, client: discord.Client) -> None:
    """The switch beside the text field."""
    asked = town.server.say(town.anna, town.general, "what?")
    town.server.say(town.bert, town.general, "that", reply_to=asked)
    assert [user.id for user in (await fetched(town, client)).mentions] == [town.anna.id]
    town.server.say(town.bert, town.general, "that", reply_to=asked, ping=False)
    assert (await fetched(town, client)).mentions == []


async def test_an_edit_changes_who_is_mentioned(town: LocalTown, client: discord.Client) -> None:
    """A mention that is edited away is gone."""
    said = town.server.say(town.bert, town.general, f"hello {town.server.bot_user.mention}")
    town.server.edit(said, "hello")
    message = await fetched(town, client)
    assert (message.mentions, message.edited_at is not None) == ([], True)


async def test_people_type(town: LocalTown, client: discord.Client) -> None:
    """The bot sees it."""
    seen: list[int] = []

    async def on_typing(
        _channel: discord.abc.Messageable, user: discord.abc.User, _when: object
    ) -> None:
        seen.append(user.id)

    client.event(on_typing)
    town.server.start_typing(town.bert, town.general)
    await town.server.wait_for(lambda: seen)
    assert seen == [town.bert.id]


async def test_everybody_sees_their_own_channels(town: LocalTown) -> None:
    """For a page that shows one person's view."""
    hidden = town.server.add_channel(
        town.guild,
        "hidden",
        overwrites=(Overwrite.of(town.guild.everyone, deny=permissions.VIEW_CHANNEL),),
    )
    secret = town.server.start_thread(town.general, "secret", owner=town.anna, private=True)
    see = town.server.visible_channels
    assert see(town.anna, town.guild) == [town.general, hidden, secret]
    assert see(town.bert, town.guild) == [town.general]


async def test_a_subscriber_hears_everything(town: LocalTown, client: discord.Client) -> None:
    """Whatever the bot asked to hear, the bot's own doings too."""
    queue = town.server.subscribe()
    town.server.say(town.bert, town.general, "hello")
    async with text_channel(client, town.general).typing():
        await text_channel(client, town.general).send("there")
    names = [(await asyncio.wait_for(queue.get(), 1))[0] for _ in range(3)]
    assert names == ["MESSAGE_CREATE", "TYPING_START", "MESSAGE_CREATE"]
    town.server.unsubscribe(queue)
    town.server.say(town.bert, town.general, "again")
    assert queue.empty()


async def test_waiting_says_what_was_last_seen(town: LocalTown) -> None:
    """A test that fails shall say why."""
    town.server.say(town.bert, town.general, "the last word")
    with pytest.raises(TimeoutError, match="the last word"):
        await town.server.wait_for(lambda: None, timeout=0.01)


async def test_waiting_ends_with_the_change(town: LocalTown) -> None:
    """Not with a polling interval."""
    asyncio.get_running_loop().call_soon(town.server.say, town.bert, town.general, "now")
    await town.server.wait_for(lambda: town.server.messages(town.general), recheck=60.0)


async def test_thousands_of_messages_are_cheap(town: LocalTown, client: discord.Client) -> None:
    """A benchmark pushes them through; the double shall not be what it measures."""
    before = time.process_time()
    for _ in range(2000):
        town.server.say(town.bert, town.general, "noise")
    assert (time.process_time() - before) / 2000 < 0.0005
    await town.server.wait_for(lambda: len(client.cached_messages) == 1000, timeout=10)
