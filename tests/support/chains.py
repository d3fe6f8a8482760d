"""Chains of replies, and what a test asks of them."""

from __future__ import annotations

from typing import Any

import discord

from aurora.context import build_event_context
from aurora.model import EventContext
from tests.support.payloads import TeaHouse


async def build(world: TeaHouse, message: discord.Message, depth: int = 5) -> EventContext:
    """Build the context of a mention."""
    return await build_event_context(message, "mention", me=world.me, depth=depth)


def replies(world: TeaHouse, count: int, **options: Any) -> list[discord.Message]:
    """Return messages m0, m1, … each a reply to the one before, the last to be answered."""
    found: list[discord.Message] = []
    for index in range(count):
        to = found[-1] if found else None
        found.append(world.message(f"m{index}", reply_to=to, **options))
    return found


def said(chain: list[Any]) -> list[str]:
    """Return the texts of a chain."""
    return [one["content"] for one in chain]
