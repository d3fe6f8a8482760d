"""Routes about messages: sending, reading, changing, deleting, typing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import islice

from .. import permissions, posting
from ..errors import ApiError, Payload, invalid
from ..intents import readable
from ..message import THREAD_CREATED, THREAD_STARTER, Message
from ..model import DM, Channel
from ..posting import Draft
from .bodies import (
    allowed_of,
    apply_edit,
    check_rights,
    content_of,
    draft_from,
    is_empty,
)
from .routing import Request, Routes, as_id

routes = Routes()

_TWO_WEEKS = 14 * 24 * 3600
NOT_TO_TOUCH = frozenset({THREAD_CREATED, THREAD_STARTER})
"""The types of messages that Discord itself writes; nobody edits them or answers them."""


def shown(request: Request, message: Message) -> Payload:
    """Return a message as the bot may read it."""
    return readable(
        message.payload(request.bot.id),
        content=request.discord.message_content,
        bot_id=request.bot.id,
        in_dm=message.channel.guild is None,
    )


def check_open(request: Request, channel: Channel) -> None:
    """Refuse to write into a locked thread, or to somebody who takes no messages."""
    if channel.thread is not None and channel.thread.locked:
        granted = permissions.in_channel(channel, request.bot.id)
        if not granted & permissions.MANAGE_THREADS:
            raise ApiError(160005)
    if channel.type == DM and not all(user.dms_open for user in channel.recipients):
        raise ApiError(50007)


def refer(request: Request, channel: Channel, draft: Draft, fields: Payload) -> None:
    """Find the message that a draft replies to or forwards."""
    reference = fields.get("message_reference")
    if not reference or reference.get("message_id") is None:
        return
    found = request.world.messages.get(
        as_id(reference["message_id"], "message_reference.message_id")
    )
    if reference.get("type", 0) == 1:
        if found is None:
            raise ApiError(10008)
        request.need(found.channel, permissions.READ_MESSAGE_HISTORY)
        draft.forward = found
        return
    if not request.world.may(request.bot, channel, permissions.READ_MESSAGE_HISTORY):
        raise ApiError(160002)
    if found is None or found.channel is not channel:
        if reference.get("fail_if_not_exists", True):
            raise invalid(
                "message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message"
            )
        return
    if found.type in NOT_TO_TOUCH:
        text = "Cannot reply to a system message"
        raise invalid("message_reference", "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", text)
    draft.reply_to = found


@routes.add("POST", "/channels/{channel_id}/messages")
async def create_message(request: Request) -> Payload:
    """Send a message; the same nonce twice sends it once."""
    channel, fields = request.text_channel(), request.fields
    check_open(request, channel)
    draft = draft_from(request, fields)
    check_rights(request, channel, draft)
    refer(request, channel, draft, fields)
    if is_empty(draft):
        raise ApiError(50006)
    nonces = request.discord.nonces
    if draft.nonce is not None and fields.get("enforce_nonce"):
        first = nonces.first(request.bot, draft.nonce)
        if first is not None:
            return shown(request, first) | {"nonce": draft.nonce}
    message = posting.post(request.world, request.bot, channel, draft)
    nonces.remember(message)
    body = shown(request, message)
    return body if draft.nonce is None else body | {"nonce": draft.nonce}


@routes.add("GET", "/channels/{channel_id}/messages")
async def get_messages(request: Request) -> list[Payload]:
    """Return a page of history, newest first; nothing without the right to read it."""
    channel = request.text_channel()
    limit = request.whole("limit", 50, 1, 100)
    if not request.world.may(request.bot, channel, permissions.READ_MESSAGE_HISTORY):
        return []
    page = _page(request, channel, limit)
    return [shown(request, message) for message in reversed(page)]


def _page(request: Request, channel: Channel, limit: int) -> list[Message]:
    world, messages = request.world, channel.messages
    around, before, after = (request.cursor(name) for name in ("around", "before", "after"))
    if around is not None:
        index = world.position(channel, around)
        older = list(_visible(reversed(messages[:index]), limit // 2))
        newer = _visible(messages[index:], limit - len(older))
        return [*reversed(older), *newer]
    if after is not None:
        return list(_visible(messages[world.position(channel, after + 1) :], limit))
    end = len(messages) if before is None else world.position(channel, before)
    return list(_visible(reversed(messages[:end]), limit))[::-1]


def _visible(messages: Iterable[Message], limit: int) -> Iterator[Message]:
    return islice((message for message in messages if not message.ephemeral), limit)


@routes.add("POST", "/channels/{channel_id}/messages/bulk-delete")
async def bulk_delete(request: Request) -> None:
    """Delete up to a hundred messages at once."""
    channel = request.text_channel()
    if channel.guild is None:
        raise ApiError(50003)
    request.need(channel, permissions.MANAGE_MESSAGES)
    ids = {as_id(item, "messages") for item in request.fields.get("messages") or ()}
    if not 2 <= len(ids) <= 100:
        raise ApiError(50016)
    found = [message for message in channel.messages if message.id in ids]
    oldest = request.world.now() - _TWO_WEEKS
    if any(message.created_at.timestamp() < oldest for message in found):
        raise ApiError(50034)
    posting.remove(request.world, found, bulk=True)


@routes.add("GET", "/channels/{channel_id}/messages/{message_id}")
async def get_message(request: Request) -> Payload:
    """Return one message."""
    channel = request.text_channel()
    if not request.world.may(request.bot, channel, permissions.READ_MESSAGE_HISTORY):
        raise ApiError(50001)
    return shown(request, request.message(channel))


@routes.add("PATCH", "/channels/{channel_id}/messages/{message_id}")
async def edit_message(request: Request) -> Payload:
    """Change one of the bot's own messages."""
    channel, fields = request.text_channel(), request.fields
    message = request.message(channel)
    if message.author is not request.bot:
        raise ApiError(50005)
    if message.type in NOT_TO_TOUCH:
        raise ApiError(50021)
    if channel.thread is not None and channel.thread.archived:
        raise ApiError(50083)
    if message.poll is not None:
        raise ApiError(520003)
    content = content_of(fields) if "content" in fields else message.content
    apply_edit(request, message, fields)
    if not (content or message.embeds or message.components or message.attachments):
        raise ApiError(50006)
    posting.rewrite(request.world, message, content, allowed_of(fields))
    posting.revised(request.world, message)
    return shown(request, message)


@routes.add("DELETE", "/channels/{channel_id}/messages/{message_id}")
async def delete_message(request: Request) -> None:
    """Delete a message: one's own, or with the right to manage them any."""
    channel = request.text_channel()
    message = request.message(channel)
    if message.author is not request.bot:
        if channel.guild is None:
            raise ApiError(50003)
        request.need(channel, permissions.MANAGE_MESSAGES)
    posting.remove(request.world, [message])


@routes.add("POST", "/channels/{channel_id}/typing")
async def start_typing(request: Request) -> None:
    """Show the bot typing."""
    channel = request.text_channel()
    check_open(request, channel)
    request.need(channel, permissions.SEND_MESSAGES)
    request.discord.typing.append((time.monotonic(), channel.id, request.bot.id))
    request.discord.people.show_typing(request.bot, channel)
