"""Executing a webhook; its address looks like that of an interaction's further messages."""

from __future__ import annotations

from .. import posting
from ..errors import (
    ApiError,
    Payload,
    bad_length,
    invalid,
)
from .bodies import draft_from, is_empty
from .routing import Request

_NAME = 80
_NOT_IN_NAMES = ("clyde", "discord")


async def execute(request: Request) -> Payload | None:
    """Write into the webhook's channel; the message is returned to those who wait for it."""
    hook = request.discord.webhooks.get(
        request.snowflake("application_id"), request.names["token"]
    )
    if "thread_id" in request.query:
        # Nothing here writes into threads this way; to write beside them would pass for Discord.
        raise NotImplementedError("webhooks write into their own channel only")
    fields = request.fields
    draft = draft_from(request, fields)
    draft.components = []  # only an application's own webhook may send some
    if is_empty(draft):
        raise ApiError(50006)
    author = hook.user
    author.name = _name(fields) or author.name
    draft.webhook_id = hook.id
    message = posting.post(request.world, author, hook.channel, draft)
    if request.query.get("wait") not in ("1", "true"):
        return None
    return message.payload(request.bot.id)


def _name(fields: Payload) -> str:
    """Return the name that the webhook shall go by this once."""
    name = str(fields.get("username") or "")
    if len(name) > _NAME:
        raise bad_length("username", 1, _NAME)
    for word in _NOT_IN_NAMES:
        if word in name.lower():
            text = f'Username cannot contain "{word}"'
            raise invalid("username", "USERNAME_INVALID_CONTAINS", text)
    return name
