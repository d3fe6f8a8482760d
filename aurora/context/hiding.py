"""Keep from who looks at a context what its message's author may know and they may not."""

from __future__ import annotations

import discord

from ..model import EventContext, Quote
from ..prompts.fence import clean

_LEAST = 2


def hide_channels(context: EventContext, viewer: discord.Member) -> None:
    """Take the names of channels that `viewer` can't see out of a context.

    A context is made for the message's author, who may see more; the mentions stay, as ids.
    """
    here = int(context["place"]["channel_id"])
    guild = viewer.guild
    hidden = {
        str(channel.id): f"#{clean(channel.name)} "
        for channel in (*guild.channels, *guild.threads)
        if channel.id != here and not _sees(viewer, channel)
    }
    for one in context["mentions"]["channels"]:
        if one["id"] in hidden:
            one["name"] = "unknown channel"
    for quote in (context["message"], *context["chain"]):
        for identity, name in hidden.items():
            _hide(quote, name, f"<#{identity}>")


def _hide(quote: Quote, name: str, mention: str) -> None:
    text = quote["content"].replace(name + mention, mention)
    if quote["cut"]:
        # The cut may have gone through the middle of it.
        whole = name + mention
        ends = (size for size in range(len(whole) - 1, _LEAST - 1, -1))
        size = next((size for size in ends if text.endswith(whole[:size])), 0)
        quote["cut"] += size
        text = text[: len(text) - size]
    quote["content"] = text


def _sees(viewer: discord.Member, channel: discord.abc.GuildChannel | discord.Thread) -> bool:
    try:
        allowed = channel.permissions_for(viewer)
    except discord.ClientException:  # a thread whose parent the bot can't see
        return False
    if isinstance(channel, discord.Thread) and channel.is_private():
        return allowed.view_channel and allowed.manage_threads
    return allowed.view_channel
