"""A Discord of one's own on loopback, for a real bot to live in."""

from __future__ import annotations

from . import permissions
from .errors import ApiError
from .interactions import Interaction
from .message import Attachment, Message
from .model import (
    CATEGORY,
    DM,
    FORUM,
    NEWS,
    STAGE,
    TEXT,
    VOICE,
    Channel,
    Guild,
    Member,
    Overwrite,
    Payload,
    Role,
    User,
)
from .people import poll
from .server import API, LocalDiscord
from .watching import Call
from .webhooks import Webhook

__all__ = [
    "API",
    "CATEGORY",
    "DM",
    "FORUM",
    "NEWS",
    "STAGE",
    "TEXT",
    "VOICE",
    "ApiError",
    "Attachment",
    "Call",
    "Channel",
    "Guild",
    "Interaction",
    "LocalDiscord",
    "Member",
    "Message",
    "Overwrite",
    "Payload",
    "Role",
    "User",
    "Webhook",
    "permissions",
    "poll",
]
