"""Real App Servers, each with a model of its own behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aurora.agents.app_server import AppServer
from doubles.llm import ScriptedLLM
from sandbox.letta import AppServer as Server

NOWHERE = "http://127.0.0.1:9/v1"
"""Where no model answers."""


@dataclass
class SharedServer:
    """One server, one agent, one model; each test has conversations of its own."""

    server: Server
    llm: ScriptedLLM
    agent: str

    def backend(self, **options: Any) -> AppServer:
        return AppServer(self.server.url, self.server.token, **options)


@asynccontextmanager
async def serving(home: Path) -> AsyncIterator[tuple[Server, ScriptedLLM]]:
    """Run a server, with its model."""
    llm = ScriptedLLM()
    await llm.start()
    server = await Server.start(home, llm_url=llm.url, llm_key=llm.key, model=llm.model)
    yield server, llm
    await server.stop()
    await llm.stop()
