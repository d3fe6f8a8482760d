"""Find the message that a person means: by its id, or by a link to it."""

from __future__ import annotations

import re

import discord
from redbot.core import commands

from ..chat.places import Place
from ..guard.invoking import reaches
from ..guard.policy import Act
from ..ids import LARGEST_ID


async def meant(ctx: commands.Context, text: str) -> discord.PartialMessage | None:
    """Return the message that an id or a link names, whether or not it exists.

    None if the text is neither. An id alone is taken for one of the channel it is typed in.
    """
    text = text.strip("<>")
    try:
        found = await commands.PartialMessageConverter().convert(ctx, text)
    except commands.ChannelNotFound as error:
        # Archived threads and old direct messages are in no cache, and what was deleted was once.
        place = ctx.bot.get_partial_messageable(int(error.argument))
        found = place.get_partial_message(int(re.split("[/-]", text.rstrip("/"))[-1]))
    except commands.BadArgument:
        return None
    # discord.py takes any 20 digits for an id.
    return found if found.id <= LARGEST_ID else None


async def find_message(ctx: commands.GuildContext, text: str) -> discord.Message | None:
    """Return the message if it exists in this server and the invoker can read it."""
    found = await meant(ctx, text)
    if found is None:
        return None
    try:
        channel = ctx.guild.get_channel_or_thread(
            found.channel.id
        ) or await ctx.guild.fetch_channel(found.channel.id)
        if not isinstance(channel, Place) or not await reaches(ctx, Act.PREVIEW, channel):
            return None
        return await channel.fetch_message(found.id)
    except (discord.HTTPException, discord.InvalidData):
        return None
