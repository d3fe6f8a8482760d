"""Read a message once more, long after it came, and let it through the gates anew."""

from __future__ import annotations

import discord
from redbot.core.bot import Red

from ..chat.failures import FAILURES
from ..chat.places import find_place
from ..context import build_event_context
from ..guard.looking import find_author
from ..guard.policy import Denied
from ..model import Event
from ..reasons import Reason
from ..runs.retrying import Reread
from ..settings import Settings
from .authors import written_by
from .triggers import Refusal, Triggers


async def reread(
    event: Event, bot: Red, settings: Settings, triggers: Triggers
) -> Reread | Reason:
    """Return what an event's message is now, or why it can't or must not be answered."""
    if not event.by_message:
        # What was typed for a command, or chosen, is nowhere but in the ledger.
        return Reason.MESSAGE_GONE
    try:
        message = await _fetch(bot, event)
    except discord.NotFound:
        return Reason.MESSAGE_GONE
    except FAILURES:
        return Reason.DISCORD_ERROR
    if isinstance(message, Reason):
        return message
    decision = await triggers.check(message)
    if isinstance(decision, Refusal):
        return decision.reason
    depth = settings.guild(event.guild_id).reply_thread_depth
    me = bot.user or message.author
    context = await build_event_context(message, decision.kind, me=me, depth=depth)
    return Reread(decision.kind, context)


async def _fetch(bot: discord.Client, event: Event) -> discord.Message | Reason:
    """Return an event's message, or why it can't be had; raise what Discord refuses."""
    place = await find_place(bot, event, event.channel_id)
    if place is None:
        return Reason.MESSAGE_GONE
    try:
        message = await place.fetch_message(event.message_id)
    except discord.Forbidden:
        return Reason.MESSAGE_GONE
    if event.guild_id is None or message.author.id == event.author_id == message.webhook_id:
        return message
    author = await find_author(bot, event)
    if isinstance(author, Denied):
        return Reason.AUTHOR_GONE
    # Read from history, a message has no roles of its author, by which some may not ask.
    return written_by(message, author)
