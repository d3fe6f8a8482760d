"""An App Server whose agents take no time: a double that replays a recorded turn at once."""

from __future__ import annotations

import itertools
import json
import re
import secrets
import time
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from doubles import recordings

Frame = dict[str, Any]
OnInput = Callable[[int, float], None]

_MESSAGE_ID = re.compile(r'Message ID: "(\d+)"')
_MAX_FRAME = 64 * 2**20


class InstantServer:
    """Agents that have answered as soon as they are asked.

    A turn is the recorded one of a real server, status frames and all: reading them is part of
    what a turn costs Aurora. Refused is what matters here: a wrong token, unknown agents and
    conversations; and a used input id is, as on the real server, never answered.

    Args:
        on_input: Gets the id of the Discord message that an input is about, and the time
            (monotonic, seconds) at which it arrived.

    """

    def __init__(self, on_input: OnInput) -> None:
        recording = _Recording()
        self.text = recording.text
        self.token = secrets.token_urlsafe(16)
        self.agents: set[str] = set()
        self._recording = recording
        self._on_input = on_input
        self._conversations: dict[str, str] = {}
        self._used: set[str] = set()
        self._numbers = itertools.count(1)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Give the address for `lettaurl`; valid once it has started."""
        if self._runner is None:
            raise RuntimeError("the server has not started")
        return f"ws://127.0.0.1:{self._runner.addresses[0][1]}/ws"

    def create_agent(self) -> str:
        """Create an agent and return its id."""
        agent_id = f"agent-local-instant-{next(self._numbers)}"
        self.agents.add(agent_id)
        return agent_id

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        app = web.Application()
        app.router.add_get("/ws", self._serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._runner = runner

    async def stop(self) -> None:
        """Hang up and stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        socket = web.WebSocketResponse(max_msg_size=_MAX_FRAME)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                arrived = time.monotonic()
                for frame in self._answers(json.loads(message.data), arrived):
                    await socket.send_str(frame)
        return socket

    def _answers(self, frame: Frame, arrived: float) -> list[str]:
        kind, request_id = frame["type"], frame["request_id"]
        if kind == "input":
            return self._turn(frame, arrived)
        answer: Frame = {"type": f"{kind}_response", "request_id": request_id, "success": True}
        if kind in ("runtime_start", "agent_retrieve"):
            agent_id = frame["agent_id"]
            if agent_id not in self.agents:
                error = f"Agent {agent_id} not found"
                return [json.dumps({**answer, "success": False, "error": error})]
            if kind == "runtime_start":
                return self._start(frame)
            answer["agent"] = {"id": agent_id, "name": "instant"}
        return [json.dumps(answer)]

    def _start(self, frame: Frame) -> list[str]:
        conversation_id, agent_id = frame.get("conversation_id"), frame["agent_id"]
        if conversation_id is None:
            conversation_id = f"local-conv-{next(self._numbers)}"
            self._conversations[conversation_id] = agent_id
        elif self._conversations.get(conversation_id) != agent_id:
            error = f"Conversation {conversation_id} not found"
            answer = {"type": "runtime_start_response", "request_id": frame["request_id"]}
            return [json.dumps({**answer, "success": False, "error": error})]
        return self._recording.start(agent_id, conversation_id, frame["request_id"])

    def _turn(self, frame: Frame, arrived: float) -> list[str]:
        message, runtime = frame["payload"]["messages"][0], frame["runtime"]
        agent_id, conversation_id = runtime["agent_id"], runtime["conversation_id"]
        if self._conversations.get(conversation_id) != agent_id:
            return []
        frames = self._recording.turn(
            agent_id, conversation_id, frame["request_id"], message["client_message_id"]
        )
        if message["client_message_id"] in self._used:
            return frames[:1]
        self._used.add(message["client_message_id"])
        for message_id in _MESSAGE_ID.findall(message["content"]):
            self._on_input(int(message_id), arrived)
        return frames


class _Recording:
    """The frames of a real server, with its ids exchanged for ours."""

    def __init__(self) -> None:
        entries = recordings.load("app_server", "text_turn")["frames"]
        frames = [(one["dir"], one["frame"]) for one in entries if "frame" in one]
        asked = [at for at, (side, _) in enumerate(frames) if side == "client"]
        start, turn, history = asked[:3]
        message = frames[turn][1]["payload"]["messages"][0]
        runtime = frames[turn][1]["runtime"]
        self._runtime = (runtime["agent_id"], runtime["conversation_id"])
        self._start_id = frames[start][1]["request_id"]
        self._turn_ids = (frames[turn][1]["request_id"], message["client_message_id"])
        self._start = [json.dumps(frame) for _, frame in frames[start + 1 : turn]]
        self._turn = [json.dumps(frame) for _, frame in frames[turn + 1 : history]]
        deltas = [frame["delta"] for _, frame in frames if frame["type"] == "stream_delta"]
        said = [one for one in deltas if one["message_type"] == "assistant_message"]
        self.text = "".join(one["content"][0]["text"] for one in said)

    def start(self, agent_id: str, conversation_id: str, request_id: str) -> list[str]:
        old = (*self._runtime, self._start_id)
        return _renamed(self._start, old, (agent_id, conversation_id, request_id))

    def turn(
        self, agent_id: str, conversation_id: str, request_id: str, input_id: str
    ) -> list[str]:
        old = (*self._runtime, *self._turn_ids)
        return _renamed(self._turn, old, (agent_id, conversation_id, request_id, input_id))


def _renamed(frames: list[str], old: tuple[str, ...], new: tuple[str, ...]) -> list[str]:
    for was, now in zip(old, new, strict=True):
        frames = [frame.replace(f'"{was}"', f'"{now}"') for frame in frames]
    return frames
