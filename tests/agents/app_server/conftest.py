"""One real App Server for all tests of this folder that do not kill it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from aurora.agents.app_server import AppServer
from doubles.llm import ScriptedLLM
from sandbox.letta import AppServer as Server
from tests.support.agents.servers import SharedServer


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
