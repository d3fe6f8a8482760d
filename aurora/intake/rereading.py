"""Read a message once more, long after it came, and let it through the gates anew."""

from __future__ import annotations

import re

import discord
from redbot.core.bot import Red

from ..chat.anchors import question_in
from ..chat.failures import FAILURES
from ..chat.places import find_place
from ..context import build_asked_context, build_event_context
from ..guard.looking import find_author
from ..guard.policy import Denied
from ..model import Event
from ..reasons import Reason
from ..runs.retrying import Reread
from ..settings import Settings
from .authors import written_by
from .triggers import Refusal, Triggers

_COMMAND = re.compile(r"\baurora\s+(?:ask|run\s+agent\s+\S+)\s+(.*)", re.DOTALL | re.IGNORECASE)


async def reread(
    event: Event, bot: Red, settings: Settings, triggers: Triggers
) -> Reread | Reason:
    """Return what an event's message is now, or why it can't or must not be answered."""
    if not event.by_message:
        return await _reread_asked(event, bot, triggers)
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


async def _reread_asked(event: Event, bot: Red, triggers: Triggers) -> Reread | Reason:
    """Return what was asked by a command; what was chosen, or scheduled, stands nowhere."""
    if event.kind != "ask" or event.anchor_id is None or bot.user is None:
        return Reason.MESSAGE_GONE
    try:
        place = await find_place(bot, event, event.channel_id)
        author = await find_author(bot, event)
        anchor = await place.fetch_message(event.anchor_id) if place is not None else None
    except (discord.NotFound, discord.Forbidden):
        return Reason.MESSAGE_GONE
    except FAILURES:
        return Reason.DISCORD_ERROR
    if place is None or anchor is None:
        return Reason.MESSAGE_GONE
    if isinstance(author, Denied):
        return Reason.AUTHOR_GONE
    if (reason := await triggers.still_welcome(event)) is not None:
        return reason
    text = (
        question_in(anchor.content) if anchor.author.id == bot.user.id else typed(anchor.content)
    )
    at = anchor.created_at.timestamp()
    return Reread("ask", build_asked_context("ask", author, place, text, at=at, me=bot.user))


def typed(content: str) -> str:
    """Return the question of a command as it was typed."""
    found = _COMMAND.search(content)
    return found[1].strip() if found is not None else content


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
