"""The double with the sandbox's own model behind it, and somebody who talks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from doubles.letta_rest import LettaRest
from doubles.llm import ScriptedLLM
from tests.support.doubles.talking import RestTalk, talking


@pytest.fixture
async def llm() -> AsyncIterator[ScriptedLLM]:
    """Start the sandbox's model."""
    model = ScriptedLLM()
    await model.start()
    yield model
    await model.stop()


@pytest.fixture
async def talk(llm: ScriptedLLM) -> AsyncIterator[RestTalk]:
    """Open a conversation with an agent of a fresh double."""
    async with talking(LettaRest(llm.provider, backoff=0.01)) as client:
        yield client
