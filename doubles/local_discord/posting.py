"""How a message comes to be and changes, whoever writes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from . import permissions
from .message import (
    DEFAULT,
    EPHEMERAL,
    HAS_SNAPSHOT,
    REPLY,
    AllowedMentions,
    Attachment,
    Message,
    named_roles,
    named_users,
    names_everyone,
)
from .model import (
    Channel,
    Payload,
    User,
    timestamp,
)
from .world import World


@dataclass(slots=True)
class Draft:
    """All that a writer decides about a message."""

    content: str = ""
    embeds: list[Payload] = field(default_factory=list)
    components: list[Payload] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    stickers: list[Payload] = field(default_factory=list)
    poll: Payload | None = None
    reply_to: Message | None = None
    forward: Message | None = None
    allowed: AllowedMentions = field(default_factory=AllowedMentions)
    nonce: str | None = None
    flags: int = 0
    tts: bool = False
    type: int = DEFAULT
    interaction: Payload | None = None
    ephemeral_for: int | None = None
    webhook_id: int | None = None


def post(world: World, author: User, channel: Channel, draft: Draft) -> Message:
    """Put a message into a channel and tell of it; the caller has checked that it may."""
    message = build(world, author, channel, draft)
    deliver(world, message)
    return message


def build(
    world: World, author: User, channel: Channel, draft: Draft, *, message_id: int | None = None
) -> Message:
    """Make a message without sending it; `message_id` is for a post's starter."""
    message = Message(
        id=world.ids.new() if message_id is None else message_id,
        channel=channel,
        author=author,
        content=draft.content,
        timestamp=timestamp(world.now()),
        type=REPLY if draft.reply_to is not None and draft.type == DEFAULT else draft.type,
        embeds=draft.embeds,
        components=draft.components,
        attachments=draft.attachments,
        stickers=draft.stickers,
        poll=draft.poll,
        nonce=draft.nonce,
        flags=draft.flags,
        tts=draft.tts,
        interaction=draft.interaction,
        ephemeral_for=draft.ephemeral_for,
        webhook_id=draft.webhook_id,
    )
    if draft.reply_to is not None:
        message.reference, message.referenced = draft.reply_to.id, draft.reply_to
    if draft.forward is not None:
        message.forwarded = draft.forward.snapshot()
        message.flags |= HAS_SNAPSHOT
    if message.ephemeral:
        message.flags |= EPHEMERAL
    name_people(world, message, draft.allowed)
    return message


def deliver(world: World, message: Message) -> None:
    """Append a message to its channel and tell of it."""
    channel = message.channel
    channel.messages.append(message)
    channel.last_message_id = message.id
    world.messages[message.id] = message
    thread = channel.thread
    if thread is not None:
        if thread.archived:
            set_archived(world, channel, archived=False)
        if message.id != channel.id:  # a post's own text does not count
            thread.messages_sent += 1
        if message.author.id not in thread.members and not message.ephemeral:
            world.join_thread(channel, message.author)
    _tell(world, "MESSAGE_CREATE", message, event_payload(world, message))


def name_people(world: World, message: Message, allowed: AllowedMentions) -> None:
    """Work out whom a message mentions, given what it may."""
    channel, author = message.channel, message.author
    ids = [
        user_id
        for user_id in named_users(message.content)
        if allowed.users is None or user_id in allowed.users
    ]
    replied = message.referenced
    if replied is not None and allowed.replied_user and replied.author.id != author.id:
        ids.append(replied.author.id)
    users = world.users
    message.mentions = [users[user_id] for user_id in dict.fromkeys(ids) if user_id in users]
    guild = channel.guild
    if guild is None or "@" not in message.content:
        message.mention_roles, message.mention_everyone = [], False
        return
    # Without this permission a text may name a role, but reaches nobody through it.
    may_all = message.webhook_id is not None
    may_all = may_all or world.may(author, channel, permissions.MENTION_EVERYONE)
    message.mention_everyone = allowed.everyone and may_all and names_everyone(message.content)
    message.mention_roles = [
        role_id
        for role_id in named_roles(message.content)
        if role_id in guild.roles
        and (allowed.roles is None or role_id in allowed.roles)
        and (may_all or guild.roles[role_id].mentionable)
    ]


def event_payload(world: World, message: Message) -> Payload:
    """Return a message as gateway events carry it."""
    body = message.payload(world.bot.id)
    if message.nonce is not None:
        body["nonce"] = message.nonce  # never stored: history has no nonces
    guild = message.channel.guild
    if guild is None or message.ephemeral:
        return body
    body["guild_id"] = str(guild.id)
    members = guild.members
    author = members.get(message.author.id)
    if author is not None:
        body["member"] = author.payload(with_user=False)
    for mention, user in zip(body["mentions"], message.mentions, strict=True):
        if user.id in members:
            mention["member"] = members[user.id].payload(with_user=False)
    return body


def revised(world: World, message: Message) -> None:
    """Tell that a message changed."""
    data = event_payload(world, message)
    data.pop("nonce", None)
    _tell(world, "MESSAGE_UPDATE", message, data)


def rewrite(world: World, message: Message, content: str, allowed: AllowedMentions) -> None:
    """Give a message another text."""
    message.content = content
    message.edited_timestamp = timestamp(world.now())
    name_people(world, message, allowed)


def remove(world: World, messages: Iterable[Message], *, bulk: bool = False) -> None:
    """Delete messages of one channel and tell of it."""
    gone = list(messages)
    for message in gone:
        _take_out(world, message)
    if not gone:
        return
    channel = gone[0].channel
    place: Payload = {"channel_id": str(channel.id)}
    if channel.guild is not None and not gone[0].ephemeral:
        place["guild_id"] = str(channel.guild.id)
    if bulk:
        data = place | {"ids": [str(message.id) for message in gone]}
        world.emit("MESSAGE_DELETE_BULK", data, guild=channel.guild, channel=channel)
        return
    for message in gone:
        _tell(world, "MESSAGE_DELETE", message, place | {"id": str(message.id)})


def set_archived(world: World, channel: Channel, *, archived: bool) -> None:
    """Archive a thread or bring it back."""
    if channel.thread is None:
        return
    channel.thread.archived = archived
    channel.thread.archive_timestamp = timestamp()
    world.update_channel(channel)


def _tell(world: World, name: str, message: Message, data: Payload) -> None:
    channel = message.channel
    # Ephemeral messages travel like private ones: without a guild, under the DM intent.
    guild = None if message.ephemeral else channel.guild
    world.emit(name, data, guild=guild, channel=channel)


def _take_out(world: World, message: Message) -> None:
    channel = message.channel
    message.deleted = True
    world.messages.pop(message.id, None)
    channel.pins.pop(message.id, None)
    index = world.position(channel, message.id)
    if index < len(channel.messages) and channel.messages[index] is message:
        del channel.messages[index]
