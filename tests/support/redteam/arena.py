"""A town whose agents obey, over a real App Server or the double of the REST API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sandbox.letta import AppServer
from tests.support.e2e.town import Town, open_town
from tests.support.redteam.obedient import ObedientLLM

APP_SERVER, REST = "app-server", "rest"


@asynccontextmanager
async def open_arena(data: Path, server: AppServer | None) -> AsyncIterator[Town]:
    """Build a town with an agent for servers and one for direct messages; None is for REST."""
    async with open_town(data, server, model=ObedientLLM) as town:
        await town.red.bot.set_shared_api_tokens("letta", token=town.letta.token)
        assert "answers" in await town.command(f"aurora lettaurl {town.letta.url}")
        town.agent_id, town.dm_agent_id = [await _agent(town, one) for one in ("red", "private")]
        await town.command(f"aurora config dm agent {town.dm_agent_id}")
        yield town


async def _agent(town: Town, name: str) -> str:
    """Return an agent that earlier towns of this server may have had."""
    known = await town.letta.find_agent(f"{name} team")
    return known or await town.letta.create_agent(f"{name} team")
