"""What is done to Aurora at work: clocks are set, servers go, guilds come late, disks fill."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from doubles.local_discord import Guild

from .drill import WARNED, Drill

HOUR, DAY = 3600.0, 24 * 3600.0
_HEALED_SECONDS = 45.0  # what takes longer has shown as a pause by then
_TOLD_SECONDS = 20.0
_SHORT_OUTAGE = 5.0
"""Below this nobody is told of an outage."""
_ON_TIME = 0.4
"""The share of guilds that come at once."""


async def set_clock(
    drill: Drill,
    jumps: Sequence[float] = (HOUR, -HOUR, -HOUR, HOUR, DAY, -DAY, -DAY, DAY),
    apart: float = 12.0,
) -> None:
    """Set the clock of Aurora's machine forth and back by so many seconds."""
    for seconds in jumps:
        drill.life.set_clock(seconds)
        await asyncio.sleep(apart)


async def restart_server(drill: Drill, outages: Sequence[float] = (4.0, 35.0)) -> None:
    """Let the agents' server be away for so many seconds, each time once it serves again."""
    for seconds in outages:
        told = len(drill.notices())
        await let_server_go(drill, seconds)
        await drill.serves(_HEALED_SECONDS)
        # A notice that is on its way shall be seen.
        await asyncio.sleep(2.0)
        notices = drill.notices()[told:]
        if notices and seconds < _SHORT_OUTAGE:
            drill.complaints.append(f"{len(notices)} notices of {seconds:g} s without the server")
        rooms = Counter(one.channel.id for one in notices)
        if twice := sum(count > 1 for count in rooms.values()):
            drill.complaints.append(f"{twice} channels were told twice of one outage")


async def let_server_go(drill: Drill, seconds: float) -> None:
    """Let the agents' server be away once."""
    with drill.down.lasting():
        await drill.town.server.stop()
        await asyncio.sleep(seconds)
        await drill.town.server.start()


async def renew_sessions(drill: Drill, times: int = 5, latest: float = 8.0) -> None:
    """Let new sessions begin, in which most guilds come up to `latest` seconds late."""
    for number in range(times):
        await renew_session(drill, latest, cut=number % 2 == 1)
        await drill.serves(_HEALED_SECONDS)
        await asyncio.sleep(3.0)


async def renew_session(drill: Drill, latest: float, *, cut: bool) -> None:
    """Let one begin: the old one is declared invalid, or lost with its line."""
    discord, late, rng = drill.town.discord, drill.late, drill.rng
    delays = {
        guild.id: 0.0 if rng.random() < _ON_TIME else rng.uniform(0.1, latest)
        for guild in drill.town.guilds
    }

    def delay(guild: Guild) -> float:
        return delays[guild.id]

    late.delay = delay
    known = set(discord.gateway.sessions)
    with drill.down.lasting(), drill.deaf.lasting():
        if cut:
            discord.gateway.sessions.clear()
            await discord.drop_gateway()
        else:
            await discord.invalidate_session()
        begun = await drill.until(lambda: bool(discord.gateway.sessions.keys() - known), 60.0)
        if not begun:
            drill.complaints.append("no new session within a minute")
        await drill.until(lambda: not late.held, latest + 1.0)


async def fill_disk(drill: Drill, times: int = 2, seconds: float = 8.0) -> None:
    """Let the disk be full; where that is felt, the owner is told once, and once of its end."""
    for _ in range(times):
        told, first = len(drill.alerts()), len(drill.town.asked)
        await let_disk_be_full(drill, seconds)
        await drill.serves(_HEALED_SECONDS)
        felt = any(drill.marked(one, WARNED) for one in drill.town.asked[first:])
        await _alerts(drill, told, 2 if felt else 0, "a full disk")


async def _alerts(drill: Drill, told: int, count: int, of: str) -> None:
    """Wait for so many further alerts to the owner, and complain if there are more or less."""
    await drill.until(lambda: len(drill.alerts()) >= told + count, _TOLD_SECONDS)
    if (seen := len(drill.alerts()) - told) != count:
        drill.complaints.append(f"{seen} alerts to the owner of {of}, not {count}")


async def let_disk_be_full(drill: Drill, seconds: float) -> None:
    """Let it be full once, unless Aurora is gone."""
    if drill.disk is None:
        raise RuntimeError("this drill has no disk that can be full")
    if drill.life.pid is not None:
        with drill.down.lasting(), drill.full.lasting():
            async with drill.disk.full(drill.life.pid):
                await asyncio.sleep(seconds)


async def start_second(drill: Drill, seconds: float = 6.0) -> None:
    """Start a second process on the same folder, and let it follow the first after a while."""
    told = len(drill.alerts())
    second = await drill.another()
    await asyncio.sleep(seconds)
    await _alerts(drill, told, 1, "a second process")
    await drill.follow(second)
    await drill.serves(_HEALED_SECONDS)
