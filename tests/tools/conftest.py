"""Fixtures of the tools' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from .stage import Stage, open_stage


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """Return a guild in a local Discord with a real client in it."""
    async with open_stage(monkeypatch) as opened:
        yield opened
