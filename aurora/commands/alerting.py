"""Where alerts go: a server's own channel, and the owner's webhook, whose address is a secret."""

from __future__ import annotations

import discord
from redbot.core import commands

from ..chat.failures import FAILURES
from ..chat.places import Place
from ..guard.invoking import reaches
from ..guard.policy import Act
from ..health.alerts import (
    WebhookError,
    masked,
    parse_webhook,
    send_alert,
    send_to_webhook,
)
from ..services import Services
from ..words import Phrase, say
from ..words import config as w
from .asking import tell

_OFF = "off"
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
        await tell(ctx, w.ALERTS_OFF)
        return
    channel = await _find_channel(ctx, text)
    if channel is None:
        await tell(ctx, w.NO_CHANNEL)
        return
    try:
        await send_alert(channel, say(w.ALERTS_HERE))
    except FAILURES:
        await tell(ctx, w.NOT_THERE(channel=channel.mention))
        return
    await services.settings.set_guild(ctx.guild.id, alert_channel_id=channel.id)
    await tell(ctx, w.ALERTS_SET(channel=channel.mention))


async def set_webhook(ctx: commands.Context, services: Services, text: str) -> None:
    """Choose the owner's webhook, by writing through it; or none."""
    if text.strip().lower() == _OFF:
        await services.settings.set_world(alert_webhook=None)
        await tell(ctx, w.WEBHOOK_OFF)
        return
    # Also what is no address may be one with a slip of the pen.
    deleted = await _deleted(ctx.message)
    said = await _use_webhook(ctx, services, text)
    await tell(ctx, said if deleted else w.STILL_THERE(said=said))


async def _use_webhook(ctx: commands.Context, services: Services, text: str) -> Phrase:
    """Use a webhook if it can be written through; return what to say of it."""
    url = parse_webhook(text)
    if url is None:
        return w.NO_WEBHOOK
    try:
        await send_to_webhook(ctx.bot, url, say(w.WEBHOOK_HERE))
    except WebhookError as error:
        return w.WEBHOOK_FAILED(why=error.phrase)
    await services.settings.set_world(alert_webhook=url)
    return w.WEBHOOK_SET(url=masked(url))


async def _find_channel(ctx: commands.GuildContext, text: str) -> Place | None:
    """Return a channel of this server that the invoker sees; hidden and missing look alike."""
    for converter in _CONVERTERS:
        try:
            channel = await converter().convert(ctx, text.strip())
        except commands.BadArgument:
            continue
        if channel.guild == ctx.guild and await reaches(ctx, Act.ALERT, channel):
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
