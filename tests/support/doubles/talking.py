"""Somebody who talks to a double of the Letta REST API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from doubles.letta_rest import LettaRest

SEND_TOOL = {
    "name": "discord_send",
    "description": "Send a message to a Discord channel.",
    "parameters": {"type": "object", "properties": {"channelId": {"type": "string"}}},
}


async def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something has happened inside the double."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - tables have no event to wait for
            await asyncio.sleep(0.01)


@dataclass(slots=True)
class RestAnswer:
    """A response: its status, its JSON, or the frames of its stream."""

    status: int
    text: str
    json: Any

    @property
    def frames(self) -> list[Any]:
        """List the events' data."""
        events = [part.partition("data: ")[2] for part in self.text.split("\n\n") if part]
        return [json.loads(data) if data.startswith("{") else data for data in events]

    @property
    def kinds(self) -> list[str]:
        """Name the frames, without their contents."""
        return [f["message_type"] if isinstance(f, dict) else f for f in self.frames]

    @property
    def said(self) -> str:
        """Join what the agent wrote."""
        return "".join(
            frame["content"]
            for frame in self.frames
            if isinstance(frame, dict) and frame["message_type"] == "assistant_message"
        )

    @property
    def reason(self) -> str:
        """Give the reason of the end."""
        (stop, *_) = [f for f in self.frames if "stop_reason" in f]
        reason: str = stop["stop_reason"]
        return reason

    def one(self, kind: str) -> dict[str, Any]:
        """Give the only frame of a kind."""
        (found,) = [f for f in self.frames if isinstance(f, dict) and f["message_type"] == kind]
        return found


class RestTalk:
    """A client of the double with one agent and one conversation."""

    def __init__(self, rest: LettaRest, session: aiohttp.ClientSession) -> None:
        self.rest = rest
        self.session = session
        self.agent_id = ""
        self.conversation = ""

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> RestAnswer:
        """Make a request and read it to its end."""
        headers = {"Authorization": f"Bearer {self.rest.token}", **headers}
        url = self.rest.url + path
        async with self.session.request(method, url, json=body, headers=headers) as response:
            text = await response.text()
        is_json = response.headers.get("Content-Type") == "application/json"
        return RestAnswer(response.status, text, json.loads(text) if is_json else None)

    async def converse(self, agent_id: str) -> str:
        """Create a conversation."""
        created = await self.call("POST", f"/v1/conversations/?agent_id={agent_id}", {})
        conversation: str = created.json["id"]
        return conversation

    async def say(
        self, text: str, *, conversation: str = "", otid: str = "", **body: Any
    ) -> RestAnswer:
        """Send a message of a user."""
        message = {"role": "user", "content": text, **({"otid": otid} if otid else {})}
        return await self.send([message], conversation=conversation, **body)

    async def send(
        self, messages: list[Any], *, conversation: str = "", **body: Any
    ) -> RestAnswer:
        """Send messages."""
        path = f"/v1/conversations/{conversation or self.conversation}/messages"
        return await self.call("POST", path, {"messages": messages, **body})

    async def reply(self, call_id: str, text: str, **body: Any) -> RestAnswer:
        """Return a client tool's result."""
        result = {
            "type": "tool",
            "tool_call_id": call_id,
            "tool_return": text,
            "status": "success",
        }
        return await self.send([{"type": "approval", "approvals": [result]}], **body)

    async def tail(self) -> list[Any]:
        """List the conversation's messages, newest first."""
        found = await self.call("GET", f"/v1/conversations/{self.conversation}/messages")
        messages: list[Any] = found.json
        return messages

    async def run(self, run_id: str) -> dict[str, Any]:
        """Look a run up."""
        found: dict[str, Any] = (await self.call("GET", f"/v1/runs/{run_id}")).json
        return found

    async def ended(self, run_id: str) -> dict[str, Any]:
        """Wait until a run is no longer running."""
        await until(lambda: not self.rest.store.runs[run_id].active)
        return await self.run(run_id)


@asynccontextmanager
async def talking(rest: LettaRest) -> AsyncIterator[RestTalk]:
    """Start a double and open a conversation with an agent of it; it must not break itself."""
    await rest.start()
    async with aiohttp.ClientSession() as session:
        client = RestTalk(rest, session)
        client.agent_id = rest.create_agent("bot")
        client.conversation = await client.converse(client.agent_id)
        yield client
    await rest.stop()
    assert rest.crashes == []
