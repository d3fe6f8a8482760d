"""How threads and forum posts come to be."""

from __future__ import annotations

from . import posting
from .message import (
    HAS_THREAD,
    THREAD_CREATED,
    THREAD_STARTER,
    Message,
)
from .model import (
    NEWS,
    NEWS_THREAD,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    Channel,
    Thread,
    User,
    timestamp,
)
from .posting import Draft
from .world import World


def start(
    world: World,
    parent: Channel,
    name: str,
    *,
    owner: User,
    private: bool = False,
    message: Message | None = None,
) -> Channel:
    """Start a thread in a channel, perhaps from a message, whose id it then shares."""
    kind = PRIVATE_THREAD if private else NEWS_THREAD if parent.type == NEWS else PUBLIC_THREAD
    thread_id = world.ids.new() if message is None else message.id
    channel = _channel(thread_id, kind, name, parent, owner)
    world.open_thread(parent, channel)
    if message is not None:
        message.thread, message.flags = channel, message.flags | HAS_THREAD
        posting.revised(world, message)
        starter = Draft(type=THREAD_STARTER, reply_to=message)
        posting.post(world, message.author, channel, starter)
    elif not private:
        note = posting.build(world, owner, parent, Draft(name, type=THREAD_CREATED))
        note.thread = channel
        posting.deliver(world, note)
    return channel


def start_post(
    world: World, forum: Channel, title: str, draft: Draft, *, author: User
) -> tuple[Channel, Message]:
    """Start a post in a forum: a thread whose first message has the thread's id."""
    channel = _channel(world.ids.new(), PUBLIC_THREAD, title, forum, author)
    message = posting.build(world, author, channel, draft, message_id=channel.id)
    forum.last_message_id = channel.id
    world.open_thread(forum, channel)
    posting.deliver(world, message)
    return channel, message


def _channel(thread_id: int, kind: int, name: str, parent: Channel, owner: User) -> Channel:
    thread = Thread(owner.id, {owner.id: timestamp()})
    return Channel(thread_id, kind, name, parent.guild, parent, thread=thread)
