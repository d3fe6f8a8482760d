"""Routes about guilds."""

from __future__ import annotations

from ..errors import Payload
from .routing import Request, Routes

routes = Routes()


@routes.add("GET", "/guilds/{guild_id}")
async def get_guild(request: Request) -> Payload:
    """Return a guild; with the number of its members if asked."""
    guild = request.guild()
    body = guild.payload()
    if request.query.get("with_counts") in ("1", "true", "True"):
        count = len(guild.members)
        body |= {"approximate_member_count": count, "approximate_presence_count": count}
    return body


@routes.add("GET", "/guilds/{guild_id}/channels")
async def list_channels(request: Request) -> list[Payload]:
    """List a guild's channels, threads left out."""
    return [item.payload(request.bot.id) for item in request.guild().channels.values()]


@routes.add("GET", "/guilds/{guild_id}/emojis")
async def list_emojis(request: Request) -> list[Payload]:
    """List a guild's own emojis."""
    guild = request.guild()
    return [guild.emoji_payload(emoji_id) for emoji_id in guild.emojis]


@routes.add("GET", "/guilds/{guild_id}/stickers")
async def list_stickers(request: Request) -> list[Payload]:
    """List a guild's own stickers: here it has none."""
    request.guild()
    return []
