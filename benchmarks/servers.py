"""The measurements before a real App Server, and before the double of the REST API."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

from sandbox.servers import Backend

from . import fairness, latency
from .figures import Figure
from .site import open_site


async def measure(
    channels: int = 20, mentions: int = 200, in_a_row: int = 10
) -> AsyncIterator[Figure]:
    """Measure before the App Server, then, under names of its own, before the REST API."""
    async with open_site(os.environ, Backend.APP_SERVER) as site:
        async for figure in latency.measure(site, channels, mentions):
            # The plain name is that of the measurement under load.
            alone = figure.name.startswith("added_latency")
            yield figure._replace(name=f"app_server_{figure.name}") if alone else figure
        async for figure in fairness.measure(site, in_a_row):
            yield figure
    async with open_site(os.environ, Backend.REST) as site:
        async for figure in latency.measure(site, channels, mentions):
            yield figure._replace(name=f"rest_{figure.name}")
