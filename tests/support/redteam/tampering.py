"""Servers that do what they should not: one before Aurora's own, one that sends her away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import WSMsgType, web

from sandbox.letta import AppServer

Heard = dict[str, Any]


class Tampering:
    """An App Server that hears another frame than Aurora has sent; `frames` is what she sent."""

    def __init__(self, server: AppServer, tamper: Callable[[Heard], None]) -> None:
        self.url = ""
        self.frames: list[Heard] = []
        self._server = server
        self._tamper = tamper

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Pass frames on, in both directions."""
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        headers = {"Authorization": request.headers.get("Authorization", "")}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.ws_connect(self._server.url, max_msg_size=0) as there,
        ):
            back = asyncio.create_task(_pump(there, socket))
            try:
                await _pump(socket, there, self._change)
            finally:
                back.cancel()
                await asyncio.gather(back, return_exceptions=True)
        return socket

    def _change(self, frame: Heard) -> None:
        self.frames.append(json.loads(json.dumps(frame)))
        self._tamper(frame)


async def _pump(source: Any, sink: Any, change: Callable[[Heard], None] | None = None) -> None:
    async for message in source:
        if message.type is WSMsgType.TEXT:
            frame = json.loads(message.data)
            if change is not None:
                change(frame)
            await sink.send_str(json.dumps(frame))


@asynccontextmanager
async def tampering(
    server: AppServer, tamper: Callable[[Heard], None]
) -> AsyncIterator[Tampering]:
    """Stand between Aurora and an App Server."""
    one = Tampering(server, tamper)
    async with _listening(one.serve) as port:
        one.url = f"ws://127.0.0.1:{port}/ws"
        yield one


class Elsewhere:
    """Where a server sends Aurora; `visits` are the headers of who came."""

    def __init__(self) -> None:
        self.port = 0
        self.visits: list[dict[str, str]] = []

    async def serve(self, request: web.Request) -> web.Response:
        """Note who comes."""
        self.visits.append(dict(request.headers))
        return web.json_response([])


@asynccontextmanager
async def redirecting(status: int) -> AsyncIterator[tuple[int, Elsewhere]]:
    """Listen at a port that sends everybody elsewhere, and there."""
    elsewhere = Elsewhere()

    async def send_away(request: web.Request) -> web.Response:
        where = f"http://localhost:{elsewhere.port}{request.path_qs}"
        return web.Response(status=status, headers={"Location": where})

    async with _listening(elsewhere.serve) as port, _listening(send_away) as door:
        elsewhere.port = port
        yield door, elsewhere


@asynccontextmanager
async def _listening(serve: Callable[[web.Request], Any]) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
