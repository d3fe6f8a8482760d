"""Threads and forum posts."""

from __future__ import annotations

import discord
import pytest

from doubles.local_discord import (
    FORUM,
    Channel,
    Overwrite,
    permissions,
)
from tests.support.doubles.looking import partial, refused, text_channel
from tests.support.local_town import LocalTown


def thread_of(client: discord.Client, channel: Channel) -> discord.Thread:
    """Return a thread from the client's cache."""
    found = client.get_channel(channel.id)
    assert isinstance(found, discord.Thread)
    return found


async def test_a_thread_from_a_message_has_its_id(town: LocalTown, client: discord.Client) -> None:
    """The message shows the thread, and the thread begins with the message."""
    said = town.server.say(town.bert, town.general, "topic")
    thread = await partial(client, said).create_thread(name="talk")
    assert thread.id == said.id
    channel = town.guild.threads[thread.id]
    (starter,) = town.server.messages(channel)
    assert (starter.type, starter.reference) == (21, said.id)
    fetched = await text_channel(client, town.general).fetch_message(said.id)
    assert fetched.thread is not None


async def test_a_second_thread_from_a_message_is_refused(
    town: LocalTown, client: discord.Client
) -> None:
    """A message starts one thread."""
    said = town.server.say(town.bert, town.general, "topic")
    await partial(client, said).create_thread(name="talk")
    with refused(160004):
        await partial(client, said).create_thread(name="again")


async def test_starting_a_thread_takes_a_right(town: LocalTown, client: discord.Client) -> None:
    """Public and private threads each have their own."""
    rights = permissions.CREATE_PUBLIC_THREADS | permissions.CREATE_PRIVATE_THREADS
    deny = Overwrite.of(town.guild.everyone, deny=rights)
    town.server.set_overwrites(town.general, (deny,))
    channel = text_channel(client, town.general)
    for kind in (discord.ChannelType.public_thread, discord.ChannelType.private_thread):
        with refused(50013, discord.Forbidden):
            await channel.create_thread(name="talk", type=kind)


async def test_the_bot_hears_a_message_in_a_public_thread(
    town: LocalTown, client: discord.Client
) -> None:
    """It need not have joined."""
    thread = town.server.start_thread(town.general, "talk", owner=town.bert)
    said = town.server.say(town.bert, thread, "hello")
    message = await town.server.wait_for(
        lambda: discord.utils.get(client.cached_messages, id=said.id)
    )
    assert isinstance(message.channel, discord.Thread)
    assert message.channel.parent_id == town.general.id


async def test_a_private_thread_is_hidden_until_one_is_added(
    town: LocalTown, client: discord.Client
) -> None:
    """Then it appears, and its messages can be read."""
    thread = town.server.start_thread(town.general, "secret", owner=town.bert, private=True)
    with refused(50001, discord.Forbidden):
        await client.fetch_channel(thread.id)
    town.server.join_thread(thread, town.server.bot_user)
    await town.server.wait_for(lambda: client.get_channel(thread.id))
    await client.fetch_channel(thread.id)


async def test_a_message_wakes_an_archived_thread(town: LocalTown, client: discord.Client) -> None:
    """Sending unarchives; editing does not and is refused."""
    thread = town.server.start_thread(town.general, "talk", owner=town.bert)
    await town.server.wait_for(lambda: client.get_channel(thread.id))
    sent = await thread_of(client, thread).send("one")
    town.server.archive(thread)
    with refused(50083):
        await sent.edit(content="two")
    await client.get_partial_messageable(thread.id).send("two")
    assert thread.thread is not None
    assert not thread.thread.archived


async def test_a_locked_thread_takes_no_message(town: LocalTown, client: discord.Client) -> None:
    """Only those who manage threads may write."""
    thread = town.server.start_thread(town.general, "talk", owner=town.bert)
    town.server.archive(thread, locked=True)
    with refused(160005, discord.Forbidden):
        await client.get_partial_messageable(thread.id).send("hello")


async def test_archived_threads_are_listed(town: LocalTown, client: discord.Client) -> None:
    """They leave the active list for the other one."""
    thread = town.server.start_thread(town.general, "talk", owner=town.bert)
    other = town.server.start_thread(town.general, "other", owner=town.bert)
    town.server.archive(thread)
    channel = text_channel(client, town.general)
    assert [item.id async for item in channel.archived_threads()] == [thread.id]
    assert [item.id for item in await channel.guild.active_threads()] == [other.id]


async def test_joining_and_leaving_are_kept(town: LocalTown, client: discord.Client) -> None:
    """Members of a thread can be listed."""
    thread = town.server.start_thread(town.general, "talk", owner=town.bert)
    await town.server.wait_for(lambda: client.get_channel(thread.id))
    seen = thread_of(client, thread)
    await seen.join()
    assert {member.id for member in await seen.fetch_members()} == {
        town.bert.id,
        town.server.bot_user.id,
    }
    await seen.leave()
    assert [member.id for member in await seen.fetch_members()] == [town.bert.id]


async def test_a_deleted_starter_leaves_the_thread(
    town: LocalTown, client: discord.Client
) -> None:
    """The thread lives on without its first message."""
    said = town.server.say(town.bert, town.general, "topic")
    thread = town.server.start_thread(town.general, "talk", owner=town.bert, message=said)
    town.server.delete(said)
    await client.get_partial_messageable(thread.id).send("still here")
    with refused(10008, discord.NotFound):
        await text_channel(client, town.general).fetch_message(said.id)


async def test_a_post_is_a_thread_with_its_text(town: LocalTown, client: discord.Client) -> None:
    """The first message of a post has the post's id."""
    forum = town.server.add_channel(town.guild, "forum", type=FORUM)
    await town.server.wait_for(lambda: client.get_channel(forum.id))
    channel = client.get_channel(forum.id)
    assert isinstance(channel, discord.ForumChannel)
    made = await channel.create_thread(name="title", content="text")
    assert made.thread.id == made.message.id
    assert [m.content for m in town.server.messages(town.guild.threads[made.thread.id])] == [
        "text"
    ]


async def test_a_forum_takes_no_plain_message(town: LocalTown, client: discord.Client) -> None:
    """It holds posts only."""
    forum = town.server.add_channel(town.guild, "forum", type=FORUM)
    with refused(50008):
        await client.get_partial_messageable(forum.id).send("hello")
    with pytest.raises(PermissionError):
        town.server.say(town.bert, forum, "hello")


async def test_the_bot_hears_of_a_post(town: LocalTown, client: discord.Client) -> None:
    """A person's post reaches the bot as a message in a thread it knows."""
    forum = town.server.add_channel(town.guild, "forum", type=FORUM)
    post = town.server.start_post(forum, "title", "text", author=town.bert)
    message = await town.server.wait_for(
        lambda: discord.utils.get(client.cached_messages, id=post.id)
    )
    assert isinstance(message.channel, discord.Thread)
    assert message.channel.name == "title"


async def test_deleting_a_channel_takes_its_threads(
    town: LocalTown, client: discord.Client
) -> None:
    """Nothing in it can be reached any more."""
    thread = town.server.start_thread(town.general, "talk", owner=town.bert)
    town.server.delete_channel(town.general)
    with refused(10003, discord.NotFound):
        await client.get_partial_messageable(thread.id).send("hello")


async def test_a_channel_that_becomes_visible_brings_its_threads(
    town: LocalTown, client: discord.Client
) -> None:
    """What was hidden is synced when the right to see comes."""
    deny = Overwrite.of(town.guild.everyone, deny=permissions.VIEW_CHANNEL)
    town.server.set_overwrites(town.general, (deny,))
    thread = town.server.start_thread(town.general, "talk", owner=town.anna)
    town.server.set_overwrites(town.general, ())
    await town.server.wait_for(lambda: client.get_channel(thread.id))
