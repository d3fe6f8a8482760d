"""By what clocks a server lives, and when it wants quiet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo, available_timezones

from redbot.core import commands
from redbot.core.utils.chat_formatting import inline

from ..services import Services
from ..settings import GuildSettings
from ..words import schedules as w
from .asking import refuse, tell, unfenced
from .rows import Row

_OFF = "off"
_HOURS = re.compile(r"([01]?\d|2[0-3])\s*[-\u2013 ]\s*([01]?\d|2[0-3])")
_GIVEN_CHARS = 50


def clock_rows(mine: GuildSettings) -> Iterator[Row]:
    """Yield the name of each setting about time, its value, and what values it takes."""
    yield "timezone", mine.timezone, w.ZONE_VALUES
    yield "quiethours", _hours(mine), w.HOURS_VALUES(off=_OFF)


async def choose_zone(ctx: commands.GuildContext, services: Services, name: str | None) -> None:
    """Choose by what clocks a server lives, and say by which it does."""
    if name is not None:
        known = {one.lower(): one for one in available_timezones()}
        zone = known.get(name.strip().lower())
        if zone is None:
            await refuse(ctx, w.NO_ZONE(given=inline(unfenced(name[:_GIVEN_CHARS]))))
            return
        ZoneInfo(zone)
        await services.settings.set_guild(ctx.guild.id, timezone=zone)
    await tell(ctx, w.ZONE(zone=inline(services.settings.guild(ctx.guild.id).timezone)))


async def choose_hours(ctx: commands.GuildContext, services: Services, text: str | None) -> None:
    """Choose in which hours nothing is posted unasked, and say in which it is not."""
    if text is not None:
        found = _HOURS.fullmatch(text.strip())
        off = text.strip().lower() == _OFF
        if found is None and not off:
            await refuse(ctx, w.NO_HOURS(given=inline(unfenced(text[:_GIVEN_CHARS]))))
            return
        hours = (int(found[1]), int(found[2])) if found is not None else (0, 0)
        await services.settings.set_guild(ctx.guild.id, quiet_hours=hours)
    mine = services.settings.guild(ctx.guild.id)
    quiet = mine.quiet_hours[0] != mine.quiet_hours[1]
    await tell(ctx, w.HOURS(hours=_hours(mine)) if quiet else w.HOURS_OFF)


def _hours(mine: GuildSettings) -> str:
    first, last = mine.quiet_hours
    return f"{first}-{last}" if first != last else _OFF
