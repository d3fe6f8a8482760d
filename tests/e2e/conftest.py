"""A town for one test, as it is found and as it is set up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aurora.agents.sdk import SdkFolder
from sandbox.letta import AppServer
from sandbox.servers import shared_sdk
from tests.support.e2e.town import Town, open_town


@pytest.fixture(scope="session")
def sdk() -> SdkFolder:
    """The SDK of the REST API, loaded from a folder that outlives every town."""
    folder = asyncio.run(shared_sdk())
    folder.activate()
    return folder


@pytest.fixture
async def bare_town(tmp_path: Path, app_server: AppServer) -> AsyncIterator[Town]:
    """A town where Aurora is loaded and nothing is set."""
    async with open_town(tmp_path, app_server) as town:
        yield town


@pytest.fixture
async def town(bare_town: Town) -> Town:
    """A town where Aurora answers."""
    await bare_town.configure()
    return bare_town


@pytest.fixture
async def rest_town(tmp_path: Path, sdk: SdkFolder) -> AsyncIterator[Town]:
    """A town where Aurora answers over the REST API."""
    assert sdk.place.is_dir()
    async with open_town(tmp_path, None) as town:
        await town.configure()
        yield town


@pytest.fixture(params=["app-server", "rest"])
def server(request: pytest.FixtureRequest) -> AppServer | None:
    """Each kind of server in turn; None stands for a double of the REST API."""
    if request.param == "rest":
        request.getfixturevalue("sdk")
        return None
    found = request.getfixturevalue("app_server")
    assert isinstance(found, AppServer)
    return found


@pytest.fixture
async def either_town(tmp_path: Path, server: AppServer | None) -> AsyncIterator[Town]:
    """A town where Aurora answers, before each kind of server in turn."""
    async with open_town(tmp_path, server) as town:
        await town.configure()
        yield town
