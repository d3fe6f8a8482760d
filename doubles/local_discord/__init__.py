"""A Discord of one's own on loopback, for a real bot to live in."""

from __future__ import annotations

from . import permissions
from .interactions import Interaction
from .message import Attachment, Message
from .model import (
    CATEGORY,
    FORUM,
    NEWS,
    STAGE,
    TEXT,
    VOICE,
    Channel,
    Guild,
    Member,
    Overwrite,
    Role,
    User,
)
from .people import poll
from .server import LocalDiscord
from .watching import Call
from .webhooks import Webhook

__all__ = [
    "CATEGORY",
    "FORUM",
    "NEWS",
    "STAGE",
    "TEXT",
    "VOICE",
    "Attachment",
    "Call",
    "Channel",
    "Guild",
    "Interaction",
    "LocalDiscord",
    "Member",
    "Message",
    "Overwrite",
    "Role",
    "User",
    "Webhook",
    "permissions",
    "poll",
]
