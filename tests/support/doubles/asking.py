"""What Letta sends to a model, and what it reads of the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from aurora.model import EventContext, Person, Quote
from aurora.prompts import build_prompt
from doubles.llm import ScriptedLLM

CHANNEL = "300000000000000001"
MESSAGE = "300000000000000002"
_SEND_TOOL = {
    "type": "function",
    "function": {"name": "discord_send", "parameters": {"type": "object"}},
}
ALICE: Person = {
    "id": "300000000000000009",
    "username": "alice",
    "display_name": "Alice",
    "global_name": None,
    "bot": False,
}


def quote(text: str, author: str = "Alice", message_id: str = MESSAGE) -> Quote:
    """Build a message as the context holds it."""
    person: Person = {**ALICE, "username": author.lower(), "display_name": author}
    return {
        "id": message_id,
        "author": person,
        "content": text,
        "at": 1_800_000_000.0,
        "extras": [],
        "cut": 0,
    }


def prompt(text: str, *chain: Quote, guidance: bool = True) -> str:
    """Build the very prompt that Aurora sends, for a message in a thread."""
    context: EventContext = {
        "kind": "mention",
        "message": quote(text),
        "place": {
            "channel_id": CHANNEL,
            "channel_name": "tea",
            "type": "public_thread",
            "guild_id": "300000000000000003",
            "guild_name": "Tea house",
            "parent_id": "300000000000000004",
            "parent_name": "general",
        },
        "mentions": {
            "users": [],
            "roles": [],
            "channels": [{"id": "300000000000000005", "name": "other"}],
        },
        "chain": list(chain),
        "bot": {"id": "300000000000000006", "name": "Aurora"},
    }
    return build_prompt(context, now=1_800_000_060.0, guidance=guidance)


@dataclass
class Completion:
    """What came back of one chat request."""

    status: int = 200
    text: str = ""
    thought: str = ""
    finish: str | None = None
    usage: dict[str, int] | None = None
    done: bool = False
    names: dict[int, str] = field(default_factory=dict)
    arguments: dict[int, str] = field(default_factory=dict)

    @property
    def calls(self) -> list[tuple[str, Any]]:
        return [(name, json.loads(self.arguments[i])) for i, name in self.names.items()]

    def take(self, line: bytes) -> None:
        """Read one line of the stream as a provider's client does."""
        data = line.removeprefix(b"data: ").strip()
        if data in (b"", b"[DONE]"):
            self.done = self.done or data == b"[DONE]"
            return
        chunk = json.loads(data)
        self.usage = chunk.get("usage", self.usage)
        for choice in chunk["choices"]:
            self.finish = choice["finish_reason"] or self.finish
            self._take_delta(choice["delta"])

    def _take_delta(self, delta: dict[str, Any]) -> None:
        self.text += delta.get("content", "")
        self.thought += delta.get("reasoning_content", "")
        for call in delta.get("tool_calls", ()):
            name, index = call["function"].get("name"), call["index"]
            if name:
                self.names[index] = name
            self.arguments[index] = self.arguments.get(index, "") + call["function"]["arguments"]


def asked(text: str, *since: dict[str, Any], tools: bool = True) -> dict[str, Any]:
    """Build a request body in the shape that Letta sends."""
    parts = [
        {"type": "text", "text": "<system-reminder>agent id</system-reminder>"},
        {"type": "text", "text": text},
    ]
    system = {"role": "system", "content": "You are a Letta Code agent."}
    messages = [system, {"role": "user", "content": parts}, *since]
    body: dict[str, Any] = {"model": "scripted", "messages": messages, "stream": True}
    return {**body, "tools": [_SEND_TOOL]} if tools else body


def after_tool(result: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Build the messages that follow a tool call."""
    call = {"id": "c1", "type": "function", "function": {"name": "discord_send", "arguments": ""}}
    return (
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": result},
    )


async def post(llm: ScriptedLLM, body: Any, *, key: str | None = None) -> Completion:
    """Send one chat request and read the answer to its end."""
    headers = {"Authorization": f"Bearer {key or llm.key}"}
    url = f"{llm.url}/chat/completions"
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, json=body) as response,
    ):
        answer = Completion(status=response.status)
        if response.status == 200:
            async for line in response.content:
                answer.take(line)
        return answer


async def ask(
    llm: ScriptedLLM, text: str, *since: dict[str, Any], tools: bool = True
) -> Completion:
    """Ask the model and return its answer."""
    return await post(llm, asked(text, *since, tools=tools))
