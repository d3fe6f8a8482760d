"""A server that only points to another one, and notes who goes there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from aurora.agents.protocol import AgentBackend
from aurora.reasons import AgentError, Outcome
from aurora.words.remedies import OWN_ADDRESS, remedy_for

STATUSES = (301, 302, 303, 307, 308)
"""With which a server may point elsewhere."""


class Signpost:
    """Two servers: one only points, with one status, to the other."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.came: list[web.BaseRequest] = []
        far, near = web.Application(), web.Application()
        far.router.add_route("*", "/{path:.*}", self._note)
        near.router.add_route("*", "/{path:.*}", self._point)
        self.far, self.near = TestServer(far), TestServer(near)

    def address(self, scheme: str) -> str:
        """Return where it stands."""
        return f"{scheme}://127.0.0.1:{self.near.port}"

    async def refuses(self, backend: AgentBackend) -> None:
        """Check that a backend does not follow it, and says why."""
        with pytest.raises(AgentError) as error:
            await backend.ping()
        detail = error.value.detail
        assert error.value.outcome is Outcome.CONFIG
        assert "points to another address" in str(detail)
        assert str(self.status) in str(detail)
        assert remedy_for(detail) == OWN_ADDRESS
        assert self.came == []

    async def _note(self, request: web.Request) -> web.Response:
        self.came.append(request)
        return web.json_response([])

    async def _point(self, request: web.Request) -> web.Response:
        # By its name it is another host than the one that points there.
        there = f"http://localhost:{self.far.port}{request.path_qs}"
        return web.Response(status=self.status, headers={"Location": there})


@asynccontextmanager
async def signpost(status: int) -> AsyncIterator[Signpost]:
    """Put up a signpost."""
    post = Signpost(status)
    await post.far.start_server()
    await post.near.start_server()
    yield post
    await post.near.close()
    await post.far.close()
