"""What the agent would get for a message."""

from __future__ import annotations

import discord

from ..clock import Clock
from ..context import build_event_context
from ..prompts import DISCORD_TOOLS, MEMORY_TOOL, build_prompt
from ..settings import Settings
from .triggers import Triggers


async def preview(
    message: discord.Message,
    guild: discord.Guild,
    me: discord.abc.User,
    settings: Settings,
    triggers: Triggers,
    clock: Clock,
    *,
    remembers: bool,
) -> str:
    """Return the prompt for a message of a server, for somebody who can read it.

    It names only channels that all who hear the message's place can see. `remembers` says that
    the agent is offered its memory.
    """
    mine = settings.guild(guild.id)
    kind = triggers.addressed(message) or "mention"
    context = await build_event_context(message, kind, me=me, depth=mine.reply_thread_depth)
    return build_prompt(
        context,
        now=clock.time(),
        guidance=mine.mcp_guidance_enabled,
        tools=DISCORD_TOOLS | {MEMORY_TOOL} if remembers else DISCORD_TOOLS,
        text_delivered=mine.deliver_text,
        by_text=mine.by_text,
    )
