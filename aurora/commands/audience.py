"""`config audience`: from which place to which other what is said may go, whoever reads there."""

from __future__ import annotations

from typing import Literal

import discord
from redbot.core import commands

from ..guard.gates import gate_of
from ..guard.looking import can_view
from ..services import Services
from ..words import Phrase
from ..words import config as w
from .asking import refuse, tell

Action = Literal["block", "off", "show"]

_MOST_PAIRS = 50
_CONVERTERS = (
    commands.TextChannelConverter,
    commands.ThreadConverter,
    commands.VoiceChannelConverter,
    commands.StageChannelConverter,
    commands.ForumChannelConverter,
)


async def set_audience(
    ctx: commands.GuildContext, services: Services, action: Action, source: str, place: str
) -> None:
    """Loosen a pair of places, or tighten one or all, or show what is loosened."""
    guild_id = ctx.guild.id
    pairs = services.settings.loosened(guild_id)
    if action == "show":
        await tell(ctx, pairs_in_words(ctx.guild, pairs) or w.AUDIENCE_BLOCKED)
        return
    if action == "block" and not source:
        await services.settings.set_guild(guild_id, audience_off=[])
        await tell(ctx, w.AUDIENCE_BLOCKED)
        return
    one, other = await _find_place(ctx, source), await _find_place(ctx, place)
    if one is None or other is None or one == other:
        await refuse(ctx, w.NAME_TWO_PLACES)
        return
    pairs = pairs - {(one, other)} if action == "block" else pairs | {(one, other)}
    if len(pairs) > _MOST_PAIRS:
        await refuse(ctx, w.TOO_MANY_PAIRS(count=_MOST_PAIRS))
        return
    kept = [list(pair) for pair in sorted(pairs)]
    await services.settings.set_guild(guild_id, audience_off=kept)
    said = w.PAIR_BLOCKED if action == "block" else w.PAIR_OFF
    await tell(ctx, said(source=f"<#{one}>", place=f"<#{other}>"))


def pairs_in_words(guild: discord.Guild, pairs: frozenset[tuple[int, int]]) -> Phrase | None:
    """List the loosened pairs of places that there still are; None if there are none."""
    shown = ", ".join(
        f"<#{source}> → <#{place}>"
        for source, place in sorted(pairs)
        if guild.get_channel_or_thread(source) and guild.get_channel_or_thread(place)
    )
    return w.AUDIENCE_OFF(pairs=shown) if shown else None


async def _find_place(ctx: commands.GuildContext, text: str) -> int | None:
    """Return what a place counts as that the invoker sees; hidden and missing look alike."""
    for converter in _CONVERTERS:
        try:
            channel = await converter().convert(ctx, text.strip())
        except commands.BadArgument:
            continue
        if channel.guild == ctx.guild and await can_view(ctx.author, channel):
            gate = gate_of(channel, ())
            return None if gate is None else gate.place_id
    return None
