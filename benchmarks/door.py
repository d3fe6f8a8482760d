"""Letta's door: a relay in front of the server that notes when the inputs of turns arrive."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from typing import Any

import aiohttp
from aiohttp import web

_MAX_FRAME = 64 * 1024 * 1024
# These belong to one connection; the relay has one on each side.
_HOP_HEADERS = frozenset({"host", "connection", "transfer-encoding", "content-length"})


class Door(ABC):
    """Passes everything both ways, untouched, and notes when a message's input comes by."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._runner: web.AppRunner | None = None
        self._waiting: dict[str, asyncio.Future[float]] = {}
        self._port = 0

    @property
    @abstractmethod
    def url(self) -> str:
        """Give the address for `lettaurl`."""

    def expect(self, message_id: int) -> asyncio.Future[float]:
        """Return the time (perf_counter, seconds) at which the input for a message will arrive."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[f'Message ID: "{message_id}"'] = future
        return future

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        app = web.Application(client_max_size=_MAX_FRAME)
        app.router.add_route("*", "/{path:.*}", self._relay)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the door."""
        if self._runner is not None:
            await self._runner.cleanup()

    @abstractmethod
    async def _relay(self, request: web.Request) -> web.StreamResponse: ...

    def _note(self, text: str) -> None:
        now = time.perf_counter()
        for needle in [needle for needle in self._waiting if needle in text]:
            self._waiting.pop(needle).set_result(now)


class SocketDoor(Door):
    """The door of the App Server, where an input is a frame on a WebSocket."""

    @property
    def url(self) -> str:
        """Give the address for `lettaurl`."""
        return f"ws://127.0.0.1:{self._port}/ws"

    async def _relay(self, request: web.Request) -> web.StreamResponse:
        inner = web.WebSocketResponse(max_msg_size=_MAX_FRAME)
        await inner.prepare(request)
        headers = {"Authorization": request.headers["Authorization"]}
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(
                self._server_url, headers=headers, max_msg_size=_MAX_FRAME
            ) as outer,
        ):
            back = asyncio.create_task(_pump(outer, inner))
            async for frame in inner:
                self._note_frame(frame.json())
                await outer.send_str(frame.data)
            back.cancel()
        return inner

    def _note_frame(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "input" and frame["payload"]["kind"] == "create_message":
            self._note(frame["payload"]["messages"][0]["content"])


class HttpDoor(Door):
    """The door of the REST API, where an input is a POST to a conversation."""

    @property
    def url(self) -> str:
        """Give the address for `lettaurl`."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen, with connections to the server that are kept as Aurora's own would be."""
        self._session = aiohttp.ClientSession(auto_decompress=False)
        await super().start()

    async def stop(self) -> None:
        """Close the door and the connections behind it."""
        await super().stop()
        await self._session.close()

    async def _relay(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if request.method == "POST" and request.path.endswith("/messages"):
            first = (await request.json())["messages"][0]
            self._note(str(first.get("content", "")))
        url, headers = self._server_url + request.path_qs, _passed_on(request.headers)
        call = self._session.request(request.method, url, data=body, headers=headers)
        async with call as answer:
            response = web.StreamResponse(status=answer.status, headers=_passed_on(answer.headers))
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            return response


async def _pump(source: aiohttp.ClientWebSocketResponse, target: web.WebSocketResponse) -> None:
    async for frame in source:
        await target.send_str(frame.data)


def _passed_on(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_HEADERS}
