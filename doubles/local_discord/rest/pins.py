"""Routes about pinned messages."""

from __future__ import annotations

from .. import permissions, posting
from ..errors import ApiError, Payload
from ..message import PINNED, Message
from ..model import Channel, timestamp
from .messages import shown
from .routing import Request, Routes

routes = Routes()

_MOST = 250


def _tell(request: Request, channel: Channel, message: Message) -> None:
    data: Payload = {
        "channel_id": str(channel.id),
        "last_pin_timestamp": next(reversed(channel.pins.values()), None),
    }
    if channel.guild is not None:
        data["guild_id"] = str(channel.guild.id)
    request.world.emit("CHANNEL_PINS_UPDATE", data, guild=channel.guild, channel=channel)
    posting.revised(request.world, message)


@routes.add("GET", "/channels/{channel_id}/messages/pins")
async def list_pins(request: Request) -> Payload:
    """List the pinned messages, the latest pin first."""
    channel = request.text_channel()
    limit, before = request.whole("limit", 50, 1, 50), request.query.get("before")
    if not request.world.may(request.bot, channel, permissions.READ_MESSAGE_HISTORY):
        return {"items": [], "has_more": False}
    pins = [
        (message_id, moment)
        for message_id, moment in reversed(channel.pins.items())
        if before is None or moment < before
    ]
    items = [
        {"pinned_at": moment, "message": shown(request, request.world.messages[message_id])}
        for message_id, moment in pins[:limit]
    ]
    return {"items": items, "has_more": len(pins) > limit}


@routes.add("PUT", "/channels/{channel_id}/messages/pins/{message_id}")
async def pin(request: Request) -> None:
    """Pin a message, and say so in the channel."""
    channel = request.text_channel()
    request.need(channel, permissions.PIN_MESSAGES)
    message = request.message(channel)
    if message.pinned:
        return
    if len(channel.pins) >= _MOST:
        raise ApiError(30003)
    channel.pins[message.id] = timestamp()
    _tell(request, channel, message)
    note = posting.Draft(type=PINNED, reply_to=message)
    posting.post(request.world, request.bot, channel, note)


@routes.add("DELETE", "/channels/{channel_id}/messages/pins/{message_id}")
async def unpin(request: Request) -> None:
    """Unpin a message."""
    channel = request.text_channel()
    request.need(channel, permissions.PIN_MESSAGES)
    message = request.message(channel)
    if channel.pins.pop(message.id, None) is not None:
        _tell(request, channel, message)
