"""A double of the App Server that plays a recording and refuses what the real one refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from doubles import recordings

Frame = dict[str, Any]

_KINDS = {"create_message", "approval_response"}
_MODES = {"standard", "acceptEdits", "unrestricted", "strict"}


class RecordedServer:
    """One recording behind a real WebSocket.

    A client frame of the recorded kind brings the frames that followed it; what the recording
    does not hold (switching reflection off) is answered as the real server answers it. `mute`
    names request types that get no answer, `noise` is sent before each frame of the server.
    """

    def __init__(
        self,
        recording: str,
        *,
        token: str | None = None,
        mute: Iterable[str] = (),
        noise: Iterable[str] = (),
        history: Iterable[Frame] = (),
    ) -> None:
        content = recordings.load("app_server", recording)
        self.script: list[Frame] = [one for one in content["frames"] if "frame" in one]
        self.agent_id = str(self._recorded("runtime_start")["agent_id"])
        answer = self._recorded("runtime_start_response")
        self.conversation_id = str(answer["runtime"]["conversation_id"])
        self.received: list[Frame] = []
        self.headers: list[dict[str, str]] = []
        self.complaints: list[str] = []
        self.sockets: list[web.WebSocketResponse] = []
        self._token = token
        self._mute = set(mute)
        self.noise = list(noise)
        self._history = list(history)
        self._news = asyncio.Condition()
        self._used: set[str] = set()
        self._names: dict[str, str] = {}
        app = web.Application()
        app.router.add_get("/ws", self._socket)
        self._server = TestServer(app)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._server.port}/ws"

    def of_type(self, kind: str) -> list[Frame]:
        """Return what the client sent of one type, in order."""
        return [frame for frame in self.received if frame.get("type") == kind]

    async def next_of_type(self, kind: str) -> Frame:
        """Wait for the client's next frame of one type."""
        while True:
            async with self._news:
                await self._news.wait()
            if self.received[-1].get("type") == kind:
                return self.received[-1]

    async def __aenter__(self) -> RecordedServer:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        for socket in self.sockets:
            await socket.close()
        await self._server.close()
        assert self.complaints == []

    def _recorded(self, kind: str) -> Frame:
        frames: Iterable[Frame] = (one["frame"] for one in self.script)
        return next(frame for frame in frames if frame["type"] == kind)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(dict(request.headers))
        if self._token and request.headers.get("Authorization") != f"Bearer {self._token}":
            return web.Response(status=401)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._take(socket, message.data)
        return socket

    async def _take(self, socket: web.WebSocketResponse, data: str) -> None:
        try:
            frame = json.loads(data)
        except ValueError:
            return
        if not _valid(frame):
            return
        self.received.append(frame)
        async with self._news:
            self._news.notify_all()
        if frame["type"] in self._mute:
            return
        if not await self._repeats(socket, frame) and not await self._follow(socket, frame):
            await self._improvise(socket, frame)

    async def _repeats(self, socket: web.WebSocketResponse, frame: Frame) -> bool:
        """Accept a used client_message_id, and never answer it."""
        payload = frame.get("payload", {})
        if payload.get("kind") != "create_message":
            return False
        used = payload["messages"][0]["client_message_id"]
        if used not in self._used:
            self._used.add(used)
            return False
        await self._send(
            socket,
            {
                "type": "input_accepted",
                "request_id": frame["request_id"],
                "runtime": frame["runtime"],
                "accepted": True,
                "disposition": "started",
            },
        )
        return True

    async def _follow(self, socket: web.WebSocketResponse, frame: Frame) -> bool:
        """Play what followed this frame in the recording, if it is the next one there."""
        expected = next((i for i, one in enumerate(self.script) if one["dir"] == "client"), None)
        if expected is None or _kind(self.script[expected]["frame"]) != _kind(frame):
            return False
        recorded = self.script[expected]["frame"]
        self._compare(recorded, frame)
        self._learn(recorded, frame)
        del self.script[: expected + 1]
        while self.script and self.script[0]["dir"] == "server":
            await self._send(socket, self._renamed(self.script.pop(0)["frame"]))
        return True

    def _compare(self, recorded: Frame, frame: Frame) -> None:
        """Complain of fields that matter and differ from what the real server was sent."""
        for key in ("runtime", "agent_id", "payload.decision.behavior"):
            old, new = _look(recorded, key), _look(frame, key)
            if old is not None and old != new:
                self.complaints.append(f"{_kind(frame)}: {key} is {new!r}, not {old!r}")

    def _learn(self, recorded: Frame, frame: Frame) -> None:
        if "request_id" in recorded and frame["type"] != "external_tool_call_response":
            self._names[recorded["request_id"]] = frame["request_id"]
        if _look(recorded, "payload.kind") == "create_message":
            old = recorded["payload"]["messages"][0]["client_message_id"]
            self._names[old] = frame["payload"]["messages"][0]["client_message_id"]

    def _renamed(self, frame: Frame) -> Frame:
        text = json.dumps(frame)
        for old, new in self._names.items():
            text = text.replace(f'"{old}"', f'"{new}"')
        renamed: Frame = json.loads(text)
        return renamed

    async def _improvise(self, socket: web.WebSocketResponse, frame: Frame) -> None:
        more: dict[str, Frame] = {
            "conversation_messages_list": {"messages": self._history},
            "abort_message": {"aborted": False},
            "agent_retrieve": {"agent": {"id": frame.get("agent_id"), "name": "recorded"}},
        }
        kind = frame["type"]
        if kind in ("input", "external_tool_call_response"):
            return
        answer = {"type": f"{kind}_response", "request_id": frame["request_id"]}
        await self._send(socket, {**answer, "success": True, **more.get(kind, {})})

    async def _send(self, socket: web.WebSocketResponse, frame: Frame) -> None:
        for text in self.noise:
            await socket.send_str(text)
        await socket.send_str(json.dumps(frame))


def _kind(frame: Frame) -> tuple[str, str]:
    return frame["type"], str(_look(frame, "payload.kind"))


def _look(frame: Any, path: str) -> Any:
    for key in path.split("."):
        frame = frame.get(key) if isinstance(frame, dict) else None
    return frame


def _valid(frame: Any) -> bool:
    """Judge as the real server does: what does not validate gets no answer at all."""
    if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
        return False
    if not isinstance(frame.get("request_id"), str):
        return False
    if frame["type"] == "runtime_start":
        tools = [tool for group in frame.get("external_tools", []) for tool in group["tools"]]
        known = frame.get("mode", "standard") in _MODES
        return known and all(isinstance(tool.get("parameters"), dict) for tool in tools)
    if frame["type"] == "input":
        return _look(frame, "payload.kind") in _KINDS and isinstance(frame.get("runtime"), dict)
    return True
