"""Find the person, the role or the channel that a command names."""

from __future__ import annotations

from typing import NamedTuple

import discord
from redbot.core import commands

from ..ids import snowflake

_NAME_CHARS = 40


class Named(NamedTuple):
    """Somebody or something, and a name that can stand in a text."""

    id: int
    name: str


async def person_of(ctx: commands.Context, text: str) -> Named | None:
    """Return a person by a mention, an id or a name; one by an id may have left."""
    text = text.strip()
    try:
        found = await commands.UserConverter().convert(ctx, text)
    except commands.BadArgument:
        user_id = snowflake(text.strip("<@!>"))
        return None if user_id is None else Named(user_id, str(user_id))
    if ctx.guild is not None:
        return Named(found.id, _plain((ctx.guild.get_member(found.id) or found).display_name))
    return Named(found.id, _plain(found.display_name))


async def role_of(ctx: commands.Context, text: str) -> Named | None:
    """Return a role of the server by a mention, an id or a name."""
    if ctx.guild is None:
        return None
    try:
        found = await commands.RoleConverter().convert(ctx, text.strip())
    except commands.BadArgument:
        return None
    return Named(found.id, _plain(found.name))


async def channel_of(ctx: commands.Context, text: str) -> Named | None:
    """Return a channel or thread by a mention, an id or a name."""
    text = text.strip()
    for converter in (commands.GuildChannelConverter(), commands.ThreadConverter()):
        try:
            found = await converter.convert(ctx, text)
        except commands.BadArgument:
            continue
        return Named(found.id, _plain(f"#{found.name}"))
    # It may be gone.
    channel_id = snowflake(text.strip("<#>"))
    return None if channel_id is None else Named(channel_id, str(channel_id))


def _plain(name: str) -> str:
    return discord.utils.escape_markdown(name[:_NAME_CHARS])
