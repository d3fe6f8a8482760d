"""Turn discord.py from the real Discord to a local one, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from doubles.local_discord import API

if TYPE_CHECKING:
    from doubles.local_discord import LocalDiscord


@contextmanager
def pointed_at(discord: LocalDiscord) -> Iterator[None]:
    """Let every client of this process log in to a local Discord that has started."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE = discord.url + API
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(discord.gateway.url)
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before
