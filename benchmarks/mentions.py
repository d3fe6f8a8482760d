"""What Aurora adds under load, what it does to Red's event loop, and what it asks of Discord."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from .crowd import Crowd, crowd, red
from .figures import Figure, percentile
from .freely import ASKING_FREELY
from .schedule import (
    CHANNELS,
    GUILDS,
    MENTIONS,
    PER_SECOND,
    RATE_LIMIT_SECONDS,
)

if TYPE_CHECKING:
    from aurora.services import Services

_WARM_ROUNDS = 3
_PROBE_SECONDS = 0.002
_LATE_MS = 5.0


async def measure(
    mentions: int = MENTIONS,
    *,
    per_second: float = PER_SECOND,
    guilds: int = GUILDS,
    channels: int = CHANNELS,
    settle: float = 1.0,
) -> AsyncIterator[Figure]:
    """Mention the bot on schedule in open conversations of agents that take no time."""
    places = guilds * channels
    async with in_talk(guilds, channels, per_second) as people:
        async with loop_lag() as lags:
            seen = await people.load(mentions, per_second)
        await people.settle(settle)
        replies = await people.load(2 * places, per_second, replies=True)
        await people.settle(settle)
    explain(seen, lags)
    if calls := seen["calls"] | replies["calls"]:
        print(f"Calls beyond typing and answers: {calls}", file=sys.stderr)
    for percent in (50, 95, 99):
        value = round(percentile(seen["seconds"], percent) * 1e3, 2)
        yield Figure(f"added_latency_p{percent}_ms", value, "ms")
    yield Figure("loop_lag_p99_ms", round(percentile(lags, 99) * 1e3, 2), "ms")
    yield Figure("loop_lag_max_ms", round(max(lags) * 1e3, 2), "ms")
    count = sum(seen["calls"].values()) + sum(replies["calls"].values())
    yield Figure("rest_calls_per_mention", round(count / (mentions + 2 * places), 4), "calls")


@asynccontextmanager
async def in_talk(guilds: int, channels: int, per_second: float) -> AsyncIterator[Crowd]:
    """Boot a Red with the cog in this process, among people who all have talked to the bot."""
    async with crowd(guilds, channels) as people, red(people, "aurora") as one:
        cog: Any = one.bot.get_cog("Aurora")
        await _configure(cog.services, one.bot, people)
        # The first round opens the conversations; gently, for that is not what is measured.
        for _ in range(_WARM_ROUNDS):
            await people.load(guilds * channels, per_second)
        yield people


async def _configure(services: Services, bot: Any, people: Crowd) -> None:
    await bot.set_shared_api_tokens("letta", token=people.letta_token)
    await services.settings.set_world(letta_base_url=people.letta_url)
    for guild_id, agent in people.agents.items():
        await services.settings.set_guild(
            guild_id,
            agent_id=agent,
            enabled=True,
            rate_limit_seconds=RATE_LIMIT_SECONDS,
            coalesce_messages=False,
            **ASKING_FREELY,
        )
    await services.configure_agents()


@asynccontextmanager
async def loop_lag() -> AsyncIterator[list[float]]:
    """Collect, while inside, how much later than asked this loop wakes a sleeper, in seconds."""
    lags: list[float] = []
    probe = asyncio.create_task(_probe(lags.append), name="benchmark probe")
    try:
        yield lags
    finally:
        probe.cancel()
        await asyncio.wait([probe])


async def _probe(note: Callable[[float], None]) -> None:
    while True:
        asleep = time.perf_counter()
        await asyncio.sleep(_PROBE_SECONDS)
        note(time.perf_counter() - asleep - _PROBE_SECONDS)


def explain(seen: dict[str, Any], lags: list[float]) -> None:
    """Say what no figure says: how well the schedule was kept, and the worst of all."""
    late = percentile(seen["late"], 99) * 1e3
    print(
        f"{len(seen['seconds'])} mentions, each answered once and in order; the slowest took "
        f"{max(seen['seconds']) * 1e3:.1f} ms to the door; sent up to {late:.1f} ms late (p99); "
        f"longest loop lag {max(lags) * 1e3:.1f} ms",
        file=sys.stderr,
    )
    if late > _LATE_MS:
        print("The machine is too busy: mentions were sent late.", file=sys.stderr)
