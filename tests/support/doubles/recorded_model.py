"""The model that stood behind the recorded server: the directives of the recordings.

It is not the sandbox's model: it cuts its words and counts its tokens as the recordings have it,
so that they can be compared frame by frame.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from aiohttp import web

from doubles.llm import Provider, text_parts
from doubles.llm.wire import check_request

_ARGUMENT_PIECE = 12
_LOREM = "lorem ipsum dolor sit amet "


class RecordedModel:
    """Obeys the directives of the last user text; waits are scaled, and can be held."""

    def __init__(self, scale: float) -> None:
        self.url = ""
        self._scale = scale
        self._runner: web.AppRunner | None = None
        self._gates: set[asyncio.Event] = set()
        # Set while nobody is being answered, and while somebody is.
        self.idle, self.busy = asyncio.Event(), asyncio.Event()
        self.idle.set()

    @property
    def provider(self) -> Provider:
        """Say where this model is found."""
        return Provider(self.url, "key", "gpt-4o-mini")

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_post("/v1/chat/completions", self._chat)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def stop(self) -> None:
        """Hang up."""
        if self._runner is not None:
            await self._runner.cleanup()

    def hold(self) -> None:
        """Hold back everything that is being answered now, and nothing that comes later."""
        for gate in self._gates:
            gate.clear()

    def release(self) -> None:
        """Go on."""
        for gate in self._gates:
            gate.set()

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = check_request(await request.json())
        gate = asyncio.Event()
        gate.set()
        self._gates.add(gate)
        self.idle.clear()
        self.busy.set()
        try:
            return await self._answer(request, body, gate)
        finally:
            self._gates.discard(gate)
            if not self._gates:
                self.idle.set()
                self.busy.clear()

    async def _answer(
        self, request: web.Request, body: dict[str, Any], gate: asyncio.Event
    ) -> web.StreamResponse:
        messages = body["messages"]
        asked = max(i for i, m in enumerate(messages) if m["role"] == "user")
        text = " ".join(text_parts(messages[asked]))
        returned = [m["content"] for m in messages[asked + 1 :] if m["role"] == "tool"]
        await self._wait(float(_directive(text, "sleep") or 0), gate)
        if status := _status(text, after=bool(returned)):
            error = {"message": f"fake error {status}", "type": "fake", "code": status}
            return web.json_response({"error": error}, status=status)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        deltas = list(_deltas(text, returned))
        if "[[drop]]" in text:
            deltas = deltas[: len(deltas) // 2]
        for delta in deltas:
            await self._wait(float(_directive(text, "slow") or 0), gate)
            await _write(response, {"choices": [{"index": 0, "delta": delta}]})
        if "[[drop]]" in text and request.transport is not None:
            request.transport.abort()
            return response
        tokens = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}
        await _write(response, {"choices": [], "usage": tokens})
        await response.write(b"data: [DONE]\n\n")
        return response

    async def _wait(self, seconds: float, gate: asyncio.Event) -> None:
        await asyncio.sleep(seconds * self._scale)
        await gate.wait()


async def _write(response: web.StreamResponse, chunk: dict[str, Any]) -> None:
    await response.write(f"data: {json.dumps(chunk)}\n\n".encode())


def _directive(text: str, name: str) -> str | None:
    found = re.search(rf"\[\[{name}:(.*?)\]\](?!\])", text, re.DOTALL)
    return found[1] if found else None


def _status(text: str, *, after: bool) -> int | None:
    found = _directive(text, "aftererr" if after else "err")
    return int(found) if found else None


def _deltas(text: str, returned: list[str]) -> Iterator[dict[str, Any]]:
    loop = _directive(text, "loop")
    if returned and loop is None:
        yield from _words("content", _afterwards(text, returned))
        return
    yield from _words("reasoning_content", _directive(text, "think") or "")
    calls = _calls(text, loop)
    if calls:
        yield from _words("content", _directive(text, "pre") or "")
    elif "[[empty]]" not in text:
        yield from _words("content", _says(text))
    for index, (name, arguments) in enumerate(calls):
        call = {"index": index, "id": f"call_{uuid4().hex[:16]}", "type": "function"}
        yield {"tool_calls": [{**call, "function": {"name": name, "arguments": ""}}]}
        for start in range(0, len(arguments), _ARGUMENT_PIECE):
            piece = {"arguments": arguments[start : start + _ARGUMENT_PIECE]}
            yield {"tool_calls": [{"index": index, "function": piece}]}


def _words(key: str, text: str) -> Iterator[dict[str, Any]]:
    for word in re.findall(r"\S+\s*", text):
        yield {key: word}


def _calls(text: str, loop: str | None) -> list[tuple[str, str]]:
    if several := _directive(text, "tools"):
        return [(name, json.dumps(arguments)) for name, arguments in json.loads(several)]
    if one := loop or _directive(text, "tool"):
        name, _, arguments = one.partition(" ")
        return [(name, arguments)]
    return []


def _says(text: str) -> str:
    if length := _directive(text, "long"):
        return (_LOREM * (int(length) // len(_LOREM) + 1))[: int(length)]
    return _directive(text, "say") or f"echo: {text}"


def _afterwards(text: str, returned: list[str]) -> str:
    if "[[aftertext:none]]" in text:
        return ""
    if "[[aftersay]]" in text:
        return f"tool said: {returned[-1]}"
    return _directive(text, "after") or "Done."
