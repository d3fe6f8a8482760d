"""One town for each file and kind of server; each case has a server, people and rooms of its own.

The level is the highest there is: a real Red with Aurora in a local Discord that refuses what
Discord refuses, before a real Letta App Server, and again before the double of Letta's REST API.
Only the model is scripted, so that it does what the attacker wants.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from aurora.agents.sdk import SdkFolder
from sandbox.letta import AppServer
from sandbox.servers import shared_sdk
from tests.support.e2e.town import Town
from tests.support.redteam.arena import APP_SERVER, REST, open_arena
from tests.support.redteam.scene import Scene


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known by which tests say what they stand for."""
    config.addinivalue_line("markers", "attack(*kinds): the kinds of attack a test stands for")
    config.addinivalue_line("markers", "only(*backends): the servers that can show it")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each attack before both kinds of server, or those that its module or itself names."""
    if "backend" not in metafunc.fixturenames:
        return
    module = getattr(metafunc.module, "BACKENDS", (APP_SERVER, REST))
    only = metafunc.definition.get_closest_marker("only")
    backends = only.args if only is not None else module
    metafunc.parametrize("backend", backends, indirect=True, scope="module")


@pytest.fixture(scope="module")
def backend(request: pytest.FixtureRequest) -> AppServer | None:
    """Each kind of server in turn; None stands for a double of the REST API."""
    if request.param == REST:
        request.getfixturevalue("red_team_sdk")
        return None
    found = request.getfixturevalue("app_server")
    assert isinstance(found, AppServer)
    return found


@pytest.fixture(scope="module")
def home(backend: AppServer | None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the Red; each kind of server has one of its own."""
    return tmp_path_factory.mktemp("rest" if backend is None else "app-server")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def arena(backend: AppServer | None, home: Path) -> AsyncIterator[Town]:
    """A town where Aurora is connected to a server, and enabled nowhere."""
    async with open_arena(home, backend) as town:
        yield town


@pytest.fixture(scope="session")
def red_team_sdk() -> SdkFolder:
    """The SDK of the REST API, loaded from a folder that outlives every town."""
    folder = asyncio.run(shared_sdk())
    folder.activate()
    return folder


@pytest_asyncio.fixture(loop_scope="module")
async def scene(arena: Town) -> AsyncIterator[Scene]:
    """A server of its own, with people and rooms, in which the agent obeys."""
    one = Scene(arena)
    await one.begin()
    yield one
    await one.end()
