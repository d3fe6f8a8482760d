"""A second chance for events that ended without an answer."""

from __future__ import annotations

import discord
from redbot.core import commands

from ..chat.failures import FAILURES
from ..chat.places import find_place
from ..context import build_event_context
from ..guard.policy import Denied, find_author
from ..intake.triggers import Reason, Refusal, check
from ..model import Event, State
from ..queue import Enqueued
from ..runs.ports import Trace
from ..services import Services

RETRIED = (State.FAILED, State.EXPIRED, State.CANCELLED)
"""What may be tried again. What was declined got the agent's verdict."""

_NOT_ENDED = {
    State.WAITING: "it is waiting for its turn already",
    State.RUNNING: "it is being answered right now",
    State.ANSWERED: "it was answered",
    State.DECLINED: "the agent has read it and had nothing to say",
}
_SEEN = {
    Trace.ANSWER: "an answer to it is in Discord, in whole or in part",
    Trace.DOUBT: "an answer to it may be in Discord; I can't find out",
    Trace.ELSEWHERE: "the agent has already acted on it, in another place",
}
_REFUSED = {
    Reason.BOT: "its author is a bot",
    Reason.NOT_ADDRESSED: "it does not mention me any more",
    Reason.DM_DISABLED: "direct messages are switched off",
    Reason.NOT_CONFIGURED: "no Letta server is set",
    Reason.NOT_ENABLED: "no agent is enabled there",
    Reason.DM_NO_AGENT: "no agent is chosen for direct messages",
    Reason.COG_DISABLED: "Aurora is disabled there",
    Reason.INELIGIBLE: "its author may not use me",
    Reason.CANNOT_SEND: "I may not write there",
}
_QUEUE = {
    Enqueued.FULL: "too much is waiting there already",
    Enqueued.SHUT: "I am being unloaded",
    Enqueued.DUPLICATE: "it waits for its turn already",
}
_GONE = "the message is gone, or I can't see it any more"
_AUTHOR_GONE = "its author has left"
_SILENT = "Discord did not say what became of the message"


async def retry(services: Services, cog: commands.Cog, event: Event) -> str | None:
    """Let an ended event wait again; return why not, as half a sentence.

    Its text was forgotten when it ended, so that the message is read, and checked, anew.
    """
    if event.state not in RETRIED:
        return _NOT_ENDED[event.state]
    if (seen := _SEEN.get(await _trace(services, event))) is not None:
        return seen
    try:
        message = await _fetch(services.bot, event)
    except discord.NotFound:
        return _GONE
    except FAILURES:
        return _SILENT
    if isinstance(message, str):
        return message
    decision = await check(message, services.bot, cog, services.settings)
    if isinstance(decision, Refusal):
        return _REFUSED.get(decision.reason, f"`{decision.reason}`")
    depth = services.settings.guild(event.guild_id).reply_thread_depth
    event.kind = decision.kind
    event.context = await build_event_context(
        message, decision.kind, me=services.bot.user or message.author, depth=depth
    )
    return _QUEUE.get(await services.queue.revive(event))


async def _trace(services: Services, event: Event) -> Trace:
    """Find out what is to be seen of an event, or of the turn that it was answered in."""
    found = await services.delivery.trace(event)
    if found in _SEEN or event.turn_id in (None, event.id):
        return found
    speaker = await services.store.get(event.turn_id or "")
    return found if speaker is None else await services.delivery.trace(speaker)


async def _fetch(bot: discord.Client, event: Event) -> discord.Message | str:
    """Return an event's message, or why it can't be had; raise what Discord refuses."""
    place = await find_place(bot, event, event.channel_id)
    if place is None:
        return _GONE
    try:
        message = await place.fetch_message(event.message_id)
    except discord.Forbidden:
        return _GONE
    if event.guild_id is not None:
        author = await find_author(bot, event)
        if isinstance(author, Denied):
            return _AUTHOR_GONE
        # Read from history, a message has no roles of its author, by which some may not ask.
        message.author = author
    return message
