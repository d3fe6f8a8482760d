"""Which other channels may be named in a place: those that all who hear it see in their list."""

from __future__ import annotations

import discord

from ..chat.places import Channel, Place, find_place
from ..model import Event
from .audience import Audiences, gate_with_guests
from .looking import Guard
from .policy import Denied
from .sight import sees


async def is_known(audiences: Audiences, here: Place, there: Channel) -> bool:
    """Tell whether everybody in a place sees that another one exists."""
    gate = await gate_with_guests(here)
    shown = there.parent if isinstance(there, discord.Thread) else there
    if gate is None or shown is None or (isinstance(there, discord.Thread) and there.is_private()):
        return False
    return await audiences.sees(here.guild, gate, shown)


async def name_for_all(
    bot: discord.Client, guard: Guard, event: Event, there_id: int
) -> str | None:
    """Return how a channel is named where an event came from; None if it may not be.

    Who asked must see it, and so must everybody who hears that. Nobody is asked for what is in no
    cache. Raise discord.DiscordException if Discord did not say who is in a private thread.
    """
    if there_id == event.channel_id:
        return f"<#{there_id}>"
    guild = bot.get_guild(event.guild_id or 0)
    there = guild.get_channel_or_thread(there_id) if guild is not None else None
    here = await find_place(bot, event, event.channel_id) if there is not None else None
    if there is None or not isinstance(here, Place):
        return None
    holder = await guard.holder(event)
    if isinstance(holder, Denied) or not sees(holder, there, guest=False):
        return None
    return f"<#{there_id}>" if await is_known(guard.audiences, here, there) else None
