"""Which emoji an agent may react with."""

from __future__ import annotations

import discord

EMOJI_CHARS = 64
"""How long a text may be to be an emoji: a custom one's name has at most 32, its id 20."""


def usable_emoji(channel: discord.abc.Messageable, wanted: str) -> discord.PartialEmoji | None:
    """Read an emoji as a model writes it; None if it is none, or none of this server."""
    if not 0 < len(wanted) <= EMOJI_CHARS:
        return None
    emoji = discord.PartialEmoji.from_str(wanted)
    if emoji.is_unicode_emoji():
        return emoji
    guild = getattr(channel, "guild", None)
    # Another server's emoji is more than most people may use, and would tell of that server.
    known = guild is not None and emoji.id is not None and guild.get_emoji(emoji.id) is not None
    return emoji if known else None
