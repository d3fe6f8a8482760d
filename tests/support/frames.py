"""A client of an App Server that speaks its frames and does what is asked of it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.support.doubles.asking import CHANNEL, MESSAGE

FRAME = f'From: Alice (alice)\nChannel: "general" (ID: "{CHANNEL}")\nMessage ID: "{MESSAGE}"\n'
_TEXT = {"type": "string"}
_SEND = {
    "name": "discord_send",
    "description": "Send a message.",
    "parameters": {
        "type": "object",
        "properties": {"channelId": _TEXT, "message": _TEXT, "replyToMessageId": _TEXT},
        "required": ["channelId", "message"],
    },
    "timeout_ms": 20000,
    "auto_background": False,
}


@dataclass
class Turn:
    """What a turn looked like from the socket."""

    stop_reason: str = ""
    error: str = ""
    text: str = ""
    reasoning: str = ""
    retries: int = 0
    calls: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    returns: list[str] = field(default_factory=list)


class AppServerTalk:
    """A client with one conversation of its own."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._runtime: dict[str, str] = {}

    async def open(self, agent_id: str) -> None:
        """Start a conversation that offers discord_send and asks before each call."""
        start = await self._request(
            "runtime_start",
            agent_id=agent_id,
            create_conversation={"body": {"summary": "test"}},
            mode="standard",
            external_tools=[{"tools": [_SEND]}],
        )
        self._runtime = start["runtime"]

    async def _request(self, kind: str, **fields: Any) -> dict[str, Any]:
        await self._socket.send_json({"type": kind, "request_id": "r", **fields})
        while True:
            frame: dict[str, Any] = await self._socket.receive_json(timeout=10)
            if frame.get("request_id") == "r":
                return frame

    async def say(self, text: str, *, tools: tuple[str, ...] = ("discord_send",)) -> Turn:
        """Send a message and play the client's part until the turn is finished."""
        key = secrets.token_hex(8)
        message = {"role": "user", "content": text, "client_message_id": key, "otid": key}
        await self._input(
            kind="create_message",
            messages=[message],
            client_toolset={"base": "none"},
            client_tool_allowlist=tools,
            exclude_interactive_tools=True,
        )
        turn = Turn()
        while not turn.stop_reason:
            await self._take(turn, await self._socket.receive_json(timeout=15))
        return turn

    async def _input(self, **payload: Any) -> None:
        frame = {"type": "input", "request_id": "i", "runtime": self._runtime}
        await self._socket.send_json({**frame, "payload": payload})

    async def _take(self, turn: Turn, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "control_request":
                turn.asked.append(frame["request"]["tool_name"])
                await self._input(
                    kind="approval_response",
                    request_id=frame["request_id"],
                    decision={"behavior": "allow"},
                )
            case "external_tool_call_request":
                turn.calls.append(frame["input"])
                await self._socket.send_json(
                    {
                        "type": "external_tool_call_response",
                        "request_id": frame["request_id"],
                        "result": {"content": [{"type": "text", "text": "sent 77"}]},
                    }
                )
            case "stream_delta":
                _take_delta(turn, frame["delta"])
            case "turn_finished":
                turn.stop_reason = frame["stop_reason"]
                turn.error = frame.get("error", "")


def _take_delta(turn: Turn, delta: dict[str, Any]) -> None:
    match delta["message_type"]:
        case "assistant_message":
            turn.text += "".join(part["text"] for part in delta["content"])
        case "reasoning_message":
            turn.reasoning += delta["reasoning"]
        case "retry":
            turn.retries += 1
            turn.text = ""
        case "tool_return_message":
            turn.returns.append(delta["tool_return"])
