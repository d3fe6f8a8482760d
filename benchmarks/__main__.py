"""`python -m benchmarks`: prints JSON lines {"name", "value", "unit"}."""

from __future__ import annotations

import asyncio
import json
import os

from sandbox.servers import Backend

from . import fairness, ignored, latency
from .site import open_site


async def _main() -> None:
    async with open_site(os.environ, Backend.APP_SERVER) as site:
        for measure in (ignored.measure, latency.measure, fairness.measure):
            async for figure in measure(site):
                print(json.dumps(figure._asdict()), flush=True)
    async with open_site(os.environ, Backend.REST) as site:
        async for figure in latency.measure(site):
            rest = figure._replace(name=f"rest_{figure.name}")
            print(json.dumps(rest._asdict()), flush=True)


if __name__ == "__main__":
    asyncio.run(_main())
