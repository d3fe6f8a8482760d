"""The chat page's server: a full picture on connect, then everything that happens, live."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from . import snapshot
from .actions import ACTIONS, ActionError
from .gate import add_headers, only_this_page

if TYPE_CHECKING:
    from aurora.model import Change
    from doubles.local_discord import LocalDiscord, User

_STATIC = Path(__file__).parent / "static"
_EVENTS_KEPT = 200
_OUTBOX = 2000  # frames a page may lag behind; it then reconnects to a fresh picture
_HEARTBEAT = 20.0


class PageError(RuntimeError):
    """The page cannot be served; the message says why and what to do."""


def listen(port: int) -> socket.socket:
    """Open the page's port on loopback, before anything else takes time; 0 takes a free one.

    Raises:
        PageError: it is taken.

    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError as error:
        listener.close()
        reason = os.strerror(error.errno or 0)
        raise PageError(
            f'Port {port} cannot be used: {reason}. Choose another: make run ARGS="--port 8138".'
        ) from None
    return listener


@dataclass(frozen=True, slots=True)
class RealBot:
    """What the page says where the bot lives on the real Discord and not in here."""

    bot: str
    invite: str
    commands: Sequence[str]


class Page:
    """One chat page, for any number of browser windows.

    Args:
        discord: the local Discord to show; None when the bot is on the real one.
        people: whom one can be.
        real: what to say instead of a conversation.

    """

    def __init__(
        self,
        discord: LocalDiscord | None,
        *,
        people: Sequence[User] = (),
        real: RealBot | None = None,
    ) -> None:
        self.url = ""
        self._discord = discord
        self._people = people
        self._real = real
        self._changes: OrderedDict[str, list[dict[str, Any]]] = OrderedDict()
        self._outboxes: set[asyncio.Queue[str | None]] = set()
        self._runner: web.AppRunner | None = None
        self._news: asyncio.Queue[tuple[str, Any]] | None = None
        self._pump: asyncio.Task[None] | None = None

    async def start(self, listener: socket.socket) -> None:
        """Serve on a socket that `listen` has opened."""
        app = web.Application(middlewares=[only_this_page], client_max_size=256 * 1024)
        app.on_response_prepare.append(add_headers)
        app.router.add_get("/", self._index)
        app.router.add_get("/live", self._live)
        app.router.add_post("/api/{action}", self._act)
        app.router.add_static("/", _STATIC)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        if self._discord is not None:
            self._news = self._discord.subscribe()
            self._pump = asyncio.create_task(self._forward(self._news), name="page-news")

    async def stop(self) -> None:
        """Hang up on every window; harmless when it is not running."""
        pump, self._pump = self._pump, None
        if pump is not None:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
        if self._discord is not None and self._news is not None:
            self._discord.unsubscribe(self._news)
        for outbox in self._outboxes:
            _hang_up(outbox)
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def on_change(self, change: Change) -> None:
        """Hear of a step in an event's life; a listener for `aurora_event`."""
        told = change._asdict()
        for key in ("message_id", "channel_id", "guild_id", "author_id"):
            # A browser's numbers are too short for snowflakes.
            told[key] = None if told[key] is None else str(told[key])
        self._changes.setdefault(change.event_id, []).append(told)
        while len(self._changes) > _EVENTS_KEPT:
            self._changes.popitem(last=False)
        self._tell({"t": "change", "change": told})

    def picture(self) -> dict[str, Any]:
        """Describe everything, for a page that has just connected."""
        world = snapshot.of(self._discord, self._people) if self._discord else snapshot.NOTHING
        return {
            **world,
            "t": "state",
            "mode": "local" if self._discord is not None else "real",
            "real": asdict(self._real) if self._real else None,
            "now": time.time(),
            "changes": [one for steps in self._changes.values() for one in steps],
        }

    async def _forward(self, news: asyncio.Queue[tuple[str, Any]]) -> None:
        while True:
            kind, data = await news.get()
            self._tell({"t": "gateway", "type": kind, "data": data})

    def _tell(self, frame: dict[str, Any]) -> None:
        text = json.dumps(frame)
        for outbox in self._outboxes:
            if outbox.full():
                _hang_up(outbox)
            else:
                outbox.put_nowait(text)

    async def _index(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(_STATIC / "index.html")

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT)
        await socket.prepare(request)
        outbox: asyncio.Queue[str | None] = asyncio.Queue(_OUTBOX)
        # From here to the first frame nothing may wait: what happens meanwhile must not fall
        # between the picture and the news.
        outbox.put_nowait(json.dumps(self.picture()))
        self._outboxes.add(outbox)
        writer = asyncio.create_task(_write(socket, outbox), name="page-window")
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT and message.data == "state":
                    self._refresh(outbox)
        finally:
            self._outboxes.discard(outbox)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return socket

    def _refresh(self, outbox: asyncio.Queue[str | None]) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            outbox.put_nowait(json.dumps(self.picture()))

    async def _act(self, request: web.Request) -> web.Response:
        action = ACTIONS.get(request.match_info["action"])
        if action is None or self._discord is None:
            return web.json_response({"error": "There is no such action here."}, status=404)
        try:
            return web.json_response(await action(self._discord, await request.json()))
        except ActionError as error:
            return web.json_response({"error": str(error)}, status=400)
        except ValueError:
            return web.json_response({"error": "That was not JSON."}, status=400)


def _hang_up(outbox: asyncio.Queue[str | None]) -> None:
    """End a window's connection after what it can still be told."""
    while outbox.full():
        outbox.get_nowait()
    outbox.put_nowait(None)


async def _write(socket: web.WebSocketResponse, outbox: asyncio.Queue[str | None]) -> None:
    with contextlib.suppress(ConnectionError):
        while (text := await outbox.get()) is not None:
            await socket.send_str(text)
        await socket.close()
