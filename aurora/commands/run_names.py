"""Find the run that a person means: by its short id, by a message's id, or by a link."""

from __future__ import annotations

from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..guard.runs import RunAct
from ..ids import ids_of_task
from ..ledger import Store
from ..model import Event
from ..reasons import Level
from ..services import Services
from ..words import Phrase
from ..words import run_life as w
from ..words.commands import ANYWHERE, HERE
from .asking import unfenced
from .messages import meant
from .run_lines import LEVELS

_SHOWN_CHARS = 50


async def find_run(
    ctx: commands.Context, services: Services, text: str, act: RunAct
) -> Event | Phrase:
    """Return the event that is meant if somebody may do something with its run, or why not.

    What they may not do anything with looks like what is not there.
    """
    if (prefix := ids_of_task(text)) is not None:
        found = await services.store.beginning(prefix)
        if len(found) > 1:
            return w.TWO
        event = found[0] if found else None
    elif (message := await meant(ctx, text)) is not None:
        event = await _of_message(services.store, message.id)
    else:
        return LEVELS[Level.PARSE](given=inline(unfenced(text[:_SHOWN_CHARS])))
    unknown = LEVELS[Level.VALIDATION](where=ANYWHERE if ctx.guild is None else HERE)
    if event is None or not await services.run_guard.may(act, ctx.author.id, event):
        return unknown
    # What somebody asks elsewhere is not for the people here.
    if ctx.guild is not None and event.guild_id != ctx.guild.id:
        return event if await ctx.bot.is_owner(ctx.author) else unknown
    return event


async def _of_message(store: Store, message_id: int) -> Event | None:
    """Return the event of somebody's message, or of one of the bot's that was sent for it."""
    event = await store.find(message_id)
    if event is None and (sent := await store.sent(message_id)) is not None:
        event = await store.get(sent.event_id)
    return event
