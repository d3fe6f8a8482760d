"""What loading the cog costs a Red that has everything but it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator

from .crowd import crowd, red
from .figures import Figure
from .machine import rss

_NAME = "aurora"
_MB = 1_000_000
_SETTLE_SECONDS = 0.5


async def measure() -> AsyncIterator[Figure]:
    """Load the cog as `[p]load` does; it is loaded when its `cog_load` is over."""
    async with crowd(1, 1) as people, red(people) as one:
        # What Red still does after it is ready is not the cog's.
        await asyncio.sleep(_SETTLE_SECONDS)
        if early := [name for name in sys.modules if name.partition(".")[0] == _NAME]:
            raise SystemExit(f"The measurement is void: {early[0]} was imported before the cog.")
        before = rss()
        begun = time.perf_counter()
        spec = await one.bot._cog_mgr.find_cog(_NAME)
        if spec is None:
            raise SystemExit("The measurement is void: Red does not find the cog.")
        await one.bot.load_extension(spec)
        seconds = time.perf_counter() - begun
        grown = rss() - before
    yield Figure("load_ms", round(seconds * 1e3, 1), "ms")
    yield Figure("load_mb", round(grown / _MB, 2), "MB")
