"""The fixtures of the local Discord, and a model for one test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from doubles.llm import ScriptedLLM
from tests.support.local_town import client, red, town

__all__ = ["client", "llm", "red", "town"]


@pytest.fixture
async def llm() -> AsyncIterator[ScriptedLLM]:
    """Run a model for one test."""
    model = ScriptedLLM()
    await model.start()
    yield model
    await model.stop()
