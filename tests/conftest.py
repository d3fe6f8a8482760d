"""What tests of several rooms share: one real App Server for the whole run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from sandbox.letta import AppServer

NOWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture(scope="session")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """A real Letta App Server; each test puts a model of its own behind it."""
    home = tmp_path_factory.mktemp("letta")
    server = asyncio.run(AppServer.start(home, llm_url=NOWHERE, llm_key="none", model="scripted"))
    yield server
    asyncio.run(server.stop())
