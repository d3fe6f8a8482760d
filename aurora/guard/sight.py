"""What Discord itself lets somebody see, and where it lets them write."""

from __future__ import annotations

import discord

from ..chat.places import Channel

Holder = discord.Member | discord.Role
"""Who has rights: a member, or everybody in a server, as its @everyone role has them."""


def sees(member: Holder, channel: Channel, *, guest: bool) -> bool:
    """Tell whether a member sees a channel or thread; `guest` of a private thread or not."""
    if isinstance(channel, discord.DMChannel):
        return channel.recipient == member
    if isinstance(channel, discord.Thread) and channel.parent is None:
        return False
    allowed = channel.permissions_for(member)
    if not allowed.view_channel:
        return False
    if isinstance(channel, discord.VoiceChannel | discord.StageChannel):
        # The text of a voice channel belongs to those who may join it.
        return allowed.connect
    # discord.py goes by the parent's permissions alone, but these threads have a guest list.
    if isinstance(channel, discord.Thread) and channel.is_private():
        return allowed.manage_threads or guest
    return True


def may_write(channel: Channel, member: Holder) -> bool:
    """Tell whether somebody may write in a guild's channel, by Discord's rules."""
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return False
    try:
        allowed = channel.permissions_for(member)
    except discord.ClientException:  # a thread whose parent can't be seen
        return False
    if not allowed.view_channel:
        return False
    if isinstance(channel, discord.Thread):
        # A message wakes an archived thread; a lock binds all but those who manage threads.
        return allowed.send_messages_in_threads and (not channel.locked or allowed.manage_threads)
    if isinstance(channel, discord.VoiceChannel | discord.StageChannel) and not allowed.connect:
        return False
    return allowed.send_messages
