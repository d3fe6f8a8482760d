"""Where alerts go: a server's own channel, and the owner's webhook, whose address is a secret."""

from __future__ import annotations

import discord
from redbot.core import commands

from ..chat.failures import FAILURES
from ..chat.places import Place
from ..guard.policy import can_view
from ..health.alerts import (
    WebhookError,
    masked,
    parse_webhook,
    send_alert,
    send_to_webhook,
)
from ..services import Services
from ..words import say

_OFF = "off"
_NO_CHANNEL = "I found no such channel that you can see. Name one, or say `off`."
_NOT_THERE = "Nothing was changed: I can't write in {channel}. Allow me to, and try again."
_HERE = "Alerts about this server's agent will come here."
_NO_WEBHOOK = (
    "Nothing was changed: that is no address of a Discord webhook. One looks like "
    "`https://discord.com/api/webhooks/<id>/<token>`; copy it from the channel's settings."
)
_STILL_THERE = (
    "\nI could not delete your message. **Delete it yourself**: whoever reads the address can "
    "write through the webhook."
)
_CONVERTERS = (
    commands.TextChannelConverter,
    commands.ThreadConverter,
    commands.VoiceChannelConverter,
    commands.StageChannelConverter,
)


async def set_alerts(ctx: commands.GuildContext, services: Services, text: str) -> None:
    """Choose a server's alert channel, by writing into it; or none."""
    if text.strip().lower() == _OFF:
        await services.settings.set_guild(ctx.guild.id, alert_channel_id=None)
        await ctx.send("Done: this server has no alert channel.")
        return
    channel = await _find_channel(ctx, text)
    if channel is None:
        await ctx.send(_NO_CHANNEL)
        return
    try:
        await send_alert(channel, _HERE)
    except FAILURES:
        await ctx.send(_NOT_THERE.format(channel=channel.mention))
        return
    await services.settings.set_guild(ctx.guild.id, alert_channel_id=channel.id)
    await ctx.send(f"Done: alerts about this server's agent go to {channel.mention}.")


async def set_webhook(ctx: commands.Context, services: Services, text: str) -> None:
    """Choose the owner's webhook, by writing through it; or none."""
    if text.strip().lower() == _OFF:
        await services.settings.set_world(alert_webhook=None)
        await ctx.send("Done: alerts go to no webhook.")
        return
    # Also what is no address may be one with a slip of the pen.
    warning = "" if await _deleted(ctx.message) else _STILL_THERE
    url = parse_webhook(text)
    if url is None:
        await ctx.send(_NO_WEBHOOK + warning)
        return
    try:
        await send_to_webhook(ctx.bot, url, "Aurora's alerts will come here.")
    except WebhookError as error:
        await ctx.send(f"Nothing was changed: {say(error.phrase)}{warning}")
        return
    await services.settings.set_world(alert_webhook=url)
    await ctx.send(f"Done: alerts go to <{masked(url)}> as well.{warning}")


async def _find_channel(ctx: commands.GuildContext, text: str) -> Place | None:
    """Return a channel of this server that the invoker sees; hidden and missing look alike."""
    for converter in _CONVERTERS:
        try:
            channel = await converter().convert(ctx, text.strip())
        except commands.BadArgument:
            continue
        if channel.guild == ctx.guild and await can_view(ctx.author, channel):
            return channel
    return None


async def _deleted(message: discord.Message) -> bool:
    try:
        await message.delete()
    except discord.NotFound:
        return True
    except FAILURES:
        return False
    return True
