"""What slow and busy places cost: another guild, and a channel's own pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

from aurora.model import Change

from .site import Figure, Site

_SLOW_RUNS = 12
_SLOW_SECONDS = 30
_IN_A_ROW = 10
_PACE_SECONDS = 2.0


async def measure(site: Site) -> AsyncIterator[Figure]:
    """Measure the pace in one channel, and the wait behind another guild's slow runs."""
    yield Figure("pace_shortest_s", round(await _shortest_gap(site), 3), "s")
    yield Figure("start_beside_slow_guild_ms", round(await _beside_slow(site) * 1e3, 2), "ms")


async def _shortest_gap(site: Site) -> float:
    """Return the shortest time between the starts of ten mentions in one channel."""
    guild = site.places.guild
    await site.services.settings.set_guild(guild.id, rate_limit_seconds=_PACE_SECONDS)
    author, channel = site.newcomer("hasty"), site.discord.add_channel(guild, "hasty")
    starts: list[tuple[float, int]] = []

    async def note(change: Change) -> None:
        if change.step == "running" and change.channel_id == channel.id:
            starts.append((change.at, change.message_id))

    site.bot.add_listener(note, "on_aurora_event")
    messages = [site.mention(author, channel, f"number {n}")[0] for n in range(_IN_A_ROW)]
    await site.answered(messages[-1], channel)
    site.bot.remove_listener(note, "on_aurora_event")
    if [message_id for _, message_id in starts] != [message.id for message in messages]:
        raise RuntimeError("mentions of one channel started out of order")
    return min(later - earlier for (earlier, _), (later, _) in pairwise(starts))


async def _beside_slow(site: Site) -> float:
    """Return the seconds to the door in one guild while twelve slow runs fill another."""
    workshop, owner = site.places.workshop, site.places.ada
    agent = await site.stack.letta.create_agent("workshop")
    await site.services.settings.set_guild(workshop.id, agent_id=agent, enabled=True)
    channel = site.discord.add_channel(workshop, "bench")
    message, arrival = site.mention(owner, channel, "open the conversation")
    await arrival.door
    await site.answered(message, channel)
    await asyncio.sleep(_PACE_SECONDS)
    for number in range(_SLOW_RUNS):
        slow = site.discord.add_channel(site.places.guild, f"slow-{number}")
        site.mention(site.newcomer(f"slow{number}"), slow, f"[[sleep:{_SLOW_SECONDS}]]")
    await site.discord.wait_for(lambda: site.services.queue.get_stats()["running"] or None)
    _, arrival = site.mention(owner, channel, "hello")
    return await arrival.seconds()
