"""The server itself: listening, authorisation, faults, crash and restart."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from ..llm import Provider
from . import shapes
from .agents import AgentRoutes
from .api import FAULT, Api, respond
from .conversations import ConversationRoutes
from .faults import Fault
from .model import Model
from .problems import ApiError
from .sending import SendingRoutes
from .state import Agent, Redis, Store
from .tools import ServerTool

_OPEN_PATHS = frozenset({"/v1/health", "/v1/health/"})
# Lists are at their path with a slash, and only there.
_SLASHED = frozenset({"/v1/agents/", "/v1/conversations/", "/v1/models/", "/v1/runs/"})
_REQUESTS_KEPT = 500
STARTUP_SECONDS = 15.0
"""What the real server takes from its start until it listens."""


class LettaRest:
    """Letta's REST API (server 0.16.8) on loopback, as far as its clients use it.

    Args:
        provider: the OpenAI-compatible model behind all agents.
        token: the password; one is made up by default, None opens the server to everybody.
        redis: without Redis there are no locks, no background runs and no otids.
        keepalive: seconds between pings.
        backoff: seconds before the model is asked again after 429 or 5xx; then twice that.
        lock: seconds after which the lock of a conversation ends by itself.

    """

    def __init__(
        self,
        provider: Provider,
        *,
        token: str | None = "",
        redis: bool = True,
        keepalive: float = 20.0,
        backoff: float = 0.5,
        lock: float = 300.0,
    ) -> None:
        self.url = ""
        self.token = f"letta-{secrets.token_hex(8)}" if token == "" else token
        self.requests: list[tuple[str, str, Any]] = []
        self.faults: list[Fault] = []
        self._lock_seconds = lock
        store = Redis(lock) if redis else None
        self._api = Api(Model(provider, backoff=backoff), store, keepalive=keepalive)
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def store(self) -> Store:
        """Give the server's tables, for tests that look or prepare."""
        return self._api.store

    @property
    def crashes(self) -> list[BaseException]:
        """List the errors of this double itself; a test ends with none."""
        return self._api.crashes

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes a free one."""
        app = web.Application(client_max_size=64 * 1024**2, middlewares=[self._around])
        app.on_response_prepare.append(_sign)
        for routes in (AgentRoutes, ConversationRoutes, SendingRoutes):
            app.add_routes(routes(self._api).routes())
        self._api.model.open()
        # A stream may be silent for long: its handler ends when the client goes away.
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def kill(self) -> None:
        """Crash: connections break, nobody listens, active runs stay "running" for ever."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        for connection in list(runner.server.connections if runner.server else ()):
            if connection.transport is not None:
                connection.transport.abort()
        await self._api.die()
        await runner.cleanup()
        await self._api.model.close()

    async def stop(self) -> None:
        """Stop; harmless when it is not running. What was running is as dead as after a crash."""
        await self.kill()

    async def restart(self, startup: float = STARTUP_SECONDS) -> None:
        """Come back on the same port with everything that was stored.

        Args:
            startup: seconds in which nobody listens; with fewer than the real server's a test
                can't show what its clients make of so long a time.

        """
        await self.kill()
        await asyncio.sleep(startup)
        await self.start(self._port)

    def lose_redis(self, *, records: bool = True) -> None:
        """Let Redis die: its streams only ping, runs go on, and what needs a lock is 500.

        Args:
            records: whether the end of what runs still gets into the records.

        """
        for run in () if records else self.store.runs.values():
            run.stuck = run.background and run.active
        redis, self.store.redis = self.store.redis, None
        self.store.redis_is_lost = True
        for stream in redis.streams.values() if redis is not None else ():
            stream.die()

    def find_redis(self) -> None:
        """Let Redis come back, with nothing in it."""
        self.store.redis, self.store.redis_is_lost = Redis(self._lock_seconds), False

    def create_agent(
        self,
        name: str,
        *,
        tools: Sequence[str] = (),
        parallel_tool_calls: bool = False,
        tags: Sequence[str] = (),
        system: str = "You are a helpful assistant on Discord.",
        persona: str = "",
    ) -> str:
        """Create an agent and return its id; tools nobody knows become tools that do nothing."""
        for tool in tools:
            if tool not in self._api.tools:
                self.add_tool(ServerTool(tool))
        agent = Agent(
            name=name,
            system=system,
            tools=list(tools),
            model=f"{shapes.PREFIX}/{self._api.model.provider.model}",
            parallel_tool_calls=parallel_tool_calls,
            tags=list(tags),
            blocks=[shapes.block_json("persona", persona)] if persona else [],
        )
        return self._api.add_agent(agent).id

    def add_tool(self, tool: ServerTool) -> None:
        """Make a server-side tool known; agents get it by its name."""
        self._api.add_tool(tool)

    @web.middleware
    async def _around(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Note the request, let a fault happen, check the password, word the refusals."""
        self.requests.append((request.method, request.path_qs, await _json(request)))
        del self.requests[:-_REQUESTS_KEPT]
        fault = next((f for f in self.faults if f.take(request.method, request.path)), None)
        if fault is not None and (faulty := await _befall(fault, request)) is not None:
            return faulty
        if request.path not in _OPEN_PATHS and not self._authorised(request):
            return _refuse(ApiError(401, {"detail": "Unauthorized"}))
        try:
            response: web.StreamResponse = await handler(request)
        except ApiError as error:
            return _refuse(error)
        except web.HTTPNotFound:
            if f"{request.path}/" in _SLASHED:
                where = str(
                    request.rel_url.with_path(f"{request.path}/").with_query(request.query)
                )
                return web.Response(status=307, headers={"Location": where})
            return _refuse(ApiError(404, {"detail": "Not Found"}))
        except web.HTTPMethodNotAllowed as error:
            allowed = "GET" if "GET" in error.allowed_methods else min(error.allowed_methods)
            body = {"detail": "Method Not Allowed"}
            return _refuse(ApiError(405, body, {"Allow": allowed}))
        except ConnectionError:
            raise
        except Exception as error:
            self._api.crashes.append(error)
            raise
        return response

    def _authorised(self, request: web.Request) -> bool:
        if self.token is None:
            return True
        offered = request.headers.get("Authorization", "")
        return hmac.compare_digest(offered.encode(), f"Bearer {self.token}".encode())


async def _befall(fault: Fault, request: web.Request) -> web.Response | None:
    """Let a fault happen: an answer in the server's place, or a note for the stream."""
    await asyncio.sleep(fault.delay)
    if fault.hang_up and request.transport is not None:
        request.transport.abort()
        return web.Response()
    if fault.answer is not None:
        return _refuse(ApiError(*fault.answer))
    if fault.on_stream:
        request[FAULT] = fault
    return None


async def _json(request: web.Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        return None


def _refuse(error: ApiError) -> web.Response:
    response = respond(error.body, error.status)
    response.headers.update(error.headers)
    return response


async def _sign(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "uvicorn"
