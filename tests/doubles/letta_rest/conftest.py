"""Somebody who talks to the double, with the sandbox's own model behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from doubles.letta_rest import LettaRest
from doubles.llm import ScriptedLLM
from tests.support.doubles.talking import RestTalk, talking


@pytest.fixture
async def talk(llm: ScriptedLLM) -> AsyncIterator[RestTalk]:
    """Open a conversation with an agent of a fresh double."""
    async with talking(LettaRest(llm.provider, backoff=0.01)) as client:
        yield client
