"""What slow and busy places cost: another guild, and a channel's own pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

from aurora.model import Change
from doubles.llm import Step
from doubles.local_discord import Channel, Message

from .figures import Figure
from .freely import ASKING_FREELY
from .site import Site

_SLOW_RUNS = 12
_PACE_SECONDS = 2.0


async def measure(site: Site, in_a_row: int) -> AsyncIterator[Figure]:
    """Measure the pace in one channel, and the wait behind another guild's slow runs."""
    yield Figure("pace_shortest_s", round(await _shortest_gap(site, in_a_row), 3), "s")
    yield Figure("start_beside_slow_guild_ms", round(await _beside_slow(site) * 1e3, 2), "ms")


async def _shortest_gap(site: Site, in_a_row: int) -> float:
    """Return the shortest time between the starts of mentions that came at once in a channel."""
    guild = site.places.guild
    await site.services.settings.set_guild(
        guild.id, rate_limit_seconds=_PACE_SECONDS, coalesce_messages=False, **ASKING_FREELY
    )
    author, channel = site.newcomer("hasty"), site.discord.add_channel(guild, "hasty")
    starts: list[tuple[float, int]] = []

    async def note(change: Change) -> None:
        if change.step == "running" and change.channel_id == channel.id:
            starts.append((change.at, change.message_id))

    site.bot.add_listener(note, "on_aurora_event")
    messages = [site.mention(author, channel, f"number {n}")[0] for n in range(in_a_row)]
    await site.answered(messages[-1], channel)
    site.bot.remove_listener(note, "on_aurora_event")
    if [message_id for _, message_id in starts] != [message.id for message in messages]:
        raise RuntimeError("mentions of one channel started out of order")
    return min(later - earlier for (earlier, _), (later, _) in pairwise(starts))


async def _beside_slow(site: Site) -> float:
    """Return the seconds to the door in one guild while twelve slow runs fill another."""
    if site.stack.llm is None:
        raise SystemExit("Unset AURORA_LLM_*: only the scripted model is slow on command.")
    gate = asyncio.Event()
    site.stack.llm.script("take your time", Step(gate=gate, text="There."))
    workshop, owner = site.places.workshop, site.places.ada
    agent = await site.stack.letta.create_agent("workshop")
    await site.services.settings.set_guild(workshop.id, agent_id=agent, enabled=True)
    channel = site.discord.add_channel(workshop, "bench")
    message, arrival = site.mention(owner, channel, "open the conversation")
    await arrival.door
    await site.answered(message, channel)
    await asyncio.sleep(_PACE_SECONDS)
    slow: list[tuple[Message, Channel]] = []
    for number in range(_SLOW_RUNS):
        place = site.discord.add_channel(site.places.guild, f"slow-{number}")
        author = site.newcomer(f"slow{number}")
        slow.append((site.mention(author, place, "take your time")[0], place))
    await site.discord.wait_for(lambda: site.services.queue.get_stats()["running"] or None)
    message, arrival = site.mention(owner, channel, "hello")
    seconds = await arrival.seconds()
    gate.set()
    # A run that is still on its way when all stops would be reported as broken off.
    for one in (*slow, (message, channel)):
        await site.answered(*one)
    return seconds
