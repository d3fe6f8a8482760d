"""One real App Server for all tests of this folder that do not kill it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio

from aurora.agents.app_server import AppServer
from doubles.llm import ScriptedLLM
from sandbox.letta import AppServer as Server


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


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def world(app_server: Server) -> AsyncIterator[SharedServer]:
    """Put a model of one's own behind the server of the whole run."""
    llm = ScriptedLLM()
    await llm.start()
    await app_server.use_provider(llm.url, llm.key, llm.model)
    yield SharedServer(app_server, llm, await app_server.create_agent("bot"))
    await llm.stop()


@pytest_asyncio.fixture(loop_scope="package")
async def backend(world: SharedServer) -> AsyncIterator[AppServer]:
    """A backend that must leave no task behind."""
    one = world.backend(abort_patience=0.5)
    yield one
    await one.close()
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("aurora")] == []


@pytest_asyncio.fixture(loop_scope="package")
async def opened(world: SharedServer, backend: AppServer) -> str:
    """A new conversation."""
    return await backend.open_conversation(world.agent, "test")
