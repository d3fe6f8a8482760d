"""Letta's door: a WebSocket relay in front of the App Server that notes when inputs arrive."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
from aiohttp import web

_MAX_FRAME = 64 * 1024 * 1024


class Door:
    """Passes frames both ways, untouched, and notes when a message's `input` comes by."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._runner: web.AppRunner | None = None
        self._waiting: dict[str, asyncio.Future[float]] = {}
        self.url = ""

    def expect(self, message_id: int) -> asyncio.Future[float]:
        """Return the time (perf_counter, seconds) at which the input for a message will arrive."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[f'Message ID: "{message_id}"'] = future
        return future

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        app = web.Application()
        app.router.add_get("/ws", self._relay)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"ws://127.0.0.1:{self._runner.addresses[0][1]}/ws"

    async def stop(self) -> None:
        """Close the door."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _relay(self, request: web.Request) -> web.WebSocketResponse:
        inner = web.WebSocketResponse(max_msg_size=_MAX_FRAME)
        await inner.prepare(request)
        headers = {"Authorization": request.headers["Authorization"]}
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(
                self._server_url, headers=headers, max_msg_size=_MAX_FRAME
            ) as outer,
        ):
            back = asyncio.create_task(self._pump(outer, inner))
            async for frame in inner:
                self._note(frame.json())
                await outer.send_str(frame.data)
            back.cancel()
        return inner

    async def _pump(
        self, source: aiohttp.ClientWebSocketResponse, target: web.WebSocketResponse
    ) -> None:
        async for frame in source:
            await target.send_str(frame.data)

    def _note(self, frame: dict[str, Any]) -> None:
        now = time.perf_counter()
        if frame["type"] != "input" or frame["payload"]["kind"] != "create_message":
            return
        text = frame["payload"]["messages"][0]["content"]
        for needle in [needle for needle in self._waiting if needle in text]:
            self._waiting.pop(needle).set_result(now)
