"""An address that only points elsewhere: the token stays at home, and the words say why."""

from __future__ import annotations

import pytest

from aurora.agents.rest import LettaRest
from aurora.reasons import AgentError
from tests.support.agents.rig import Load
from tests.support.agents.signposts import STATUSES, signpost

AGENT = "agent-00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("status", STATUSES)
async def test_the_rest_api_follows_no_redirect(load: Load, status: int) -> None:
    """Nor for what is sent, which 307 and 308 would repeat elsewhere."""
    async with signpost(status) as post:
        backend = LettaRest(post.address("http"), "s3cr3t", load=load, direct=True)
        await post.refuses(backend)
        with pytest.raises(AgentError, match="points to another address"):
            await backend.open_conversation(AGENT, "x")
        await backend.close()
        assert post.came == []
