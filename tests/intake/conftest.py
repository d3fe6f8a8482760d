"""The scene of the gates, for tests of any of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.gates import Gatehouse, open_red


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gatehouse]:
    """Return a scene in which every message to the bot is a trigger."""
    async with open_red(tmp_path, monkeypatch) as red:
        scene = Gatehouse(red)
        await scene.enable()
        yield scene
