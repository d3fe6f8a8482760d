"""An open store of each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aurora.ledger import Store
from aurora.model import Event
from tests.support.clocks import FakeClock
from tests.support.events import make_event
from tests.support.stores import STORES


@pytest.fixture
def clock() -> FakeClock:
    """The time that the store goes by."""
    return FakeClock()


@pytest.fixture(params=STORES)
async def store(
    request: pytest.FixtureRequest, clock: FakeClock, tmp_path: Path
) -> AsyncIterator[Store]:
    """An empty, open store of each kind."""
    made = STORES[request.param](clock, tmp_path)
    backlog = await made.open()
    assert (list(backlog.turns), dict(backlog.starts), backlog.set_aside) == ([], {}, None)
    yield made
    await made.close()


@pytest.fixture
def event(clock: FakeClock) -> Event:
    """An event of this moment."""
    return make_event(now=clock.time())
