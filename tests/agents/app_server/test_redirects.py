"""An address that only points elsewhere: the token stays at home, and the words say why."""

from __future__ import annotations

import pytest

from aurora.agents.app_server import AppServer
from tests.support.agents.signposts import STATUSES, signpost


@pytest.mark.parametrize("status", STATUSES)
async def test_the_app_servers_handshake_follows_no_redirect(status: int) -> None:
    """Not even without the token: what follows on the line is what people wrote."""
    async with signpost(status) as post:
        backend = AppServer(f"{post.address('ws')}/ws", "s3cr3t")
        await post.refuses(backend)
        await backend.close()
