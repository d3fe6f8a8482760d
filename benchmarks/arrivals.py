"""Both legs of a mention, to the agent's door and on to the answer, by how mentions come."""

from __future__ import annotations

from collections.abc import AsyncIterator

from .figures import Figure, percentile
from .mentions import explain, in_talk, loop_lag
from .schedule import (
    CHANNELS,
    GUILDS,
    MENTIONS,
    PER_SECOND,
    Arrivals,
)

_LEGS = {"latency": "seconds", "answer": "answers"}


async def measure(
    mentions: int = MENTIONS,
    *,
    per_second: float = PER_SECOND,
    guilds: int = GUILDS,
    channels: int = CHANNELS,
    settle: float = 1.0,
) -> AsyncIterator[Figure]:
    """Mention the bot evenly, at random and in bursts, one load after the other."""
    async with in_talk(guilds, channels, per_second) as people:
        for arrivals in Arrivals:
            await people.settle(settle)
            async with loop_lag() as lags:
                seen = await people.load(mentions, per_second, arrivals=arrivals)
            explain(seen, lags)
            for leg, kept in _LEGS.items():
                for percent in (50, 95):
                    value = round(percentile(seen[kept], percent) * 1e3, 2)
                    yield Figure(f"{arrivals}_{leg}_p{percent}_ms", value, "ms")
            yield Figure(f"{arrivals}_loop_lag_max_ms", round(max(lags) * 1e3, 2), "ms")
        await people.settle(settle)
