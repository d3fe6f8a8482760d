"""What tests of several rooms share: one real App Server for the whole run, and a guild."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

import pytest
from hypothesis import HealthCheck, settings

# The whole cog: of one that is imported in part, each Red that boots here would bring in the rest
# anew, and register its commands again.
import aurora.aurora  # noqa: F401
from sandbox.letta import AppServer
from tests.support.agents.servers import NOWHERE
from tests.support.payloads import Rest, TeaHouse, rest
from tests.support.stage import Stage, open_stage
from tests.support.starting import Guard, starts_something
from tests.support.workers import Bench

# How fast a machine makes examples tells nothing of Aurora, and the first ones take seconds.
settings.register_profile(
    "aurora", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("aurora")

# Nothing that is collected is thrown away; looking through it all again and again takes a fifth of
# the time. What there is once all is collected is looked at no more.
gc.disable()


@pytest.fixture(scope="session")
def guard() -> Guard:
    """Return the one guard of this process."""
    return Guard()


@pytest.fixture(autouse=True)
def _nothing_is_started(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold fast tests to it that they start nothing."""
    if not request.config.getoption("--fast"):
        yield
        return
    with request.getfixturevalue("guard").watching():
        yield


@pytest.fixture(scope="session")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """A real Letta App Server; each test puts a model of its own behind it."""
    home = tmp_path_factory.mktemp("letta")
    server = asyncio.run(AppServer.start(home, llm_url=NOWHERE, llm_key="none", model="scripted"))
    yield server
    asyncio.run(server.stop())


@pytest.fixture
def world() -> TeaHouse:
    """Return a guild that no server stands behind: a REST call would fail."""
    return TeaHouse()


@pytest.fixture
async def served(world: TeaHouse) -> AsyncIterator[Rest]:
    """Return the local server behind the world."""
    async with rest(world) as server:
        yield server


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Return a guild in a local Discord that a real client is connected to."""
    async with open_stage() as opened:
        yield opened


@pytest.fixture
async def benches() -> AsyncGenerator[list[Bench], None]:
    """Collect benches, and take them down."""
    made: list[Bench] = []
    yield made
    for bench in made:
        await bench.stop()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--fast` and `--whole`."""
    parser.addoption(
        "--fast",
        action="store_true",
        help="leave out what starts a server, a process or a browser, or takes seconds",
    )
    parser.addoption("--whole", action="store_true", help="nothing in a short form")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not fast, if that is wanted; else let the files that wait come first.

    What only computes then fills the workers to the end, and no worker waits for the last server.
    """
    if not config.getoption("--whole"):
        _leave_out(config, items, {one for one in items if one.get_closest_marker("whole")})
    starting = {item for item in items if starts_something(item)}
    if config.getoption("--fast"):
        _leave_out(
            config, items, starting | {one for one in items if one.get_closest_marker("long")}
        )
        return
    waiting = {item.path for item in starting}
    items.sort(key=lambda item: item.path not in waiting)


def _leave_out(config: pytest.Config, items: list[pytest.Item], left: set[pytest.Item]) -> None:
    config.hook.pytest_deselected(items=[item for item in items if item in left])
    items[:] = [item for item in items if item not in left]


def pytest_collection_finish() -> None:
    """Let garbage be collected from here on, but among what the tests make alone."""
    gc.collect()
    gc.freeze()
    gc.enable()
