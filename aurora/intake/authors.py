"""Whose a message is: its author as a member, and who asked by a copy of theirs."""

from __future__ import annotations

from copy import copy

import discord

from ..model import Event


async def with_member(message: discord.Message) -> bool:
    """Make a message's author a member, with roles; False if they have left its server.

    Read from history, or brought by an edit, a message has none. Raise
    discord.DiscordException if Discord did not say.
    """
    guild, author = message.guild, message.author
    if guild is None or message.webhook_id is not None or isinstance(author, discord.Member):
        return True
    try:
        message.author = guild.get_member(author.id) or await guild.fetch_member(author.id)
    except discord.NotFound:
        return False
    return True


def written_by(message: discord.Message, author: discord.Member | discord.User) -> discord.Message:
    """Return a webhook's message as its real author's; other cogs keep theirs as it is."""
    theirs = copy(message)
    theirs.author, theirs.webhook_id = author, None
    return theirs


def as_asked(message: discord.Message, event: Event) -> discord.Message:
    """Return the message of an event as its author's, also if it is a copy of theirs."""
    if message.webhook_id is None or message.author.id == event.author_id:
        return message
    member = message.guild.get_member(event.author_id) if message.guild is not None else None
    return written_by(message, member or message.author)
