"""The model's server: it chooses what to do at a call, and streams it."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from time import time
from typing import Any

from aiohttp import web

from .answers import Prompt, read_prompt, usual_step
from .script import DirectiveError, Step, read_directives
from .sight import colour_of, pictures_in
from .wire import (
    BadRequestError,
    check_request,
    deltas,
    error_response,
    sse,
    text_parts,
    usage,
)

_REQUESTS_KEPT = 200
_CONTEXT_LENGTH = 128_000
_BLIND = "Invalid content type. image_url is only supported by certain models."
# How the requests begin that Letta sends for itself: reflection, titles, compaction.
_SIDE_REQUESTS = (
    "You are a reflection subagent",
    "You are a conversation title generator",
    "Your task is to create a detailed summary",
    "The following messages are being evicted",
)


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a model is found: base URL (with /v1), key, and the model's id there, and others'."""

    url: str
    key: str
    model: str
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Turn:
    """What one request asks: the prompt, and how far its turn has come."""

    prompt: Prompt
    index: int
    returned: str | None
    side: bool
    can_send: bool

    @property
    def name(self) -> str:
        """Name the message across repeated requests for it."""
        return self.prompt.target.message_id or self.prompt.text


class ScriptedLLM:
    """A model that answers sensibly through discord_send, or as it is told to.

    A person tells it with directives in a message (see `script.py`), a test with `script`.
    `requests` holds the bodies of the last 200 chat requests, oldest first, and `told` the tokens
    that it has told of the answers to each message, by the message's id.

    Args:
        about: what it answers when somebody asks who it is.
        sees: whether it takes pictures; a model that takes none refuses the whole request.

    """

    model = "scripted"
    strong = "scripted-strong"
    light = "scripted-light"

    def __init__(
        self, about: str = "I am an agent with a scripted model behind me.", *, sees: bool = True
    ) -> None:
        self.sees = sees
        self.key = f"sk-sandbox-{secrets.token_hex(8)}"
        self.url = ""
        self.requests: list[dict[str, Any]] = []
        self.told: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._about = about
        self._scripts: list[tuple[str, tuple[Step, ...]]] = []
        self._failures: Counter[tuple[str, int]] = Counter()
        self._runner: web.AppRunner | None = None

    @property
    def provider(self) -> Provider:
        """Say where this model is found."""
        return Provider(self.url, self.key, self.model, self.models[1:])

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes a free one."""
        app = web.Application(client_max_size=64 * 1024**2, middlewares=[self._authorise])
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/api/v0/models", self._native_models)
        # A model can be told to think for ever: neither a client that has gone away nor our own
        # end waits for that.
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.05
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def stop(self) -> None:
        """Hang up on everybody; harmless when it is not running."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def script(self, match: str, *steps: Step) -> None:
        """Play `steps`, one per model call, in turns whose message contains `match`.

        The newest script that matches wins; after its last step the turn ends with empty text.
        """
        self._scripts.insert(0, (match, steps))

    def forget(self) -> None:
        """Drop the scripts and the record of requests and failures."""
        self._scripts.clear()
        self._failures.clear()
        self.requests.clear()
        self.told.clear()

    @web.middleware
    async def _authorise(self, request: web.Request, handler: Any) -> web.StreamResponse:
        offered = request.headers.get("Authorization", "")
        if not hmac.compare_digest(offered.encode(), f"Bearer {self.key}".encode()):
            return error_response(401, "Incorrect API key provided.")
        response: web.StreamResponse = await handler(request)
        return response

    @property
    def models(self) -> tuple[str, str, str]:
        """Return its names: it answers alike under each, and a request shows which it was."""
        return (self.model, self.strong, self.light)

    async def _models(self, _: web.Request) -> web.Response:
        model = {"object": "model", "created": 0, "owned_by": "nobody"}
        data = [{"id": one, **model, "context_length": _CONTEXT_LENGTH} for one in self.models]
        return web.json_response({"object": "list", "data": data})

    async def _native_models(self, _: web.Request) -> web.Response:
        """Tell what LM Studio tells of its models: servers learn of it which of them see."""
        kind = "vlm" if self.sees else "llm"
        model = {"object": "model", "type": kind, "state": "loaded", "capabilities": ["tool_use"]}
        more = {**model, "max_context_length": _CONTEXT_LENGTH}
        data = [{"id": one, **more} for one in self.models]
        return web.json_response({"object": "list", "data": data})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        try:
            body = check_request(await request.json())
        except ValueError as error:
            reason = str(error) if isinstance(error, BadRequestError) else "the body is not JSON"
            return error_response(400, reason)
        if body["model"] not in self.models:
            return error_response(404, f"The model {body['model']!r} does not exist.")
        if not self.sees and any(map(pictures_in, body["messages"])):
            return error_response(400, _BLIND)
        self.requests.append(body)
        del self.requests[:-_REQUESTS_KEPT]
        turn = _read_turn(body)
        step = self._step(turn)
        failing = self._fails(step, turn)
        await asyncio.sleep(step.wait)
        if step.gate is not None:
            await step.gate.wait()
        if failing and step.body:
            return web.Response(
                text=step.body, status=step.status, content_type="application/json"
            )
        if failing and step.fault == "error":
            return error_response(step.status, f"scripted error {step.status}", "scripted_error")
        step = self._spoken(step, body)
        cost = usage(body, step)
        response = await self._stream(request, cost, step, failing=failing)
        if not failing and not turn.side:
            # What is told in part, as of a cached prompt, is a mapping.
            self.told[turn.name].update(
                {key: count for key, count in cost.items() if isinstance(count, int)}
            )
        return response

    def _spoken(self, step: Step, _body: dict[str, Any]) -> Step:
        """Return what is said of a step, by a model that knows what it was given."""
        return step

    def _step(self, turn: _Turn) -> Step:
        """Choose what to do: a script, then directives, then the model's own answer."""
        if turn.side:
            return Step(text="Nothing to note.")
        steps = self._steps(turn)
        if turn.index < len(steps):
            step = steps[turn.index]
        else:
            step = Step(usual=not steps or steps[-1].usual)
        if not step.usual:
            return step
        own = usual_step(
            turn.prompt, about=self._about, can_send=turn.can_send, returned=turn.returned
        )
        return replace(step, text=own.text, calls=own.calls)

    def _steps(self, turn: _Turn) -> tuple[Step, ...]:
        for match, steps in self._scripts:
            if match in turn.prompt.text:
                return steps
        try:
            return read_directives(turn.prompt.text, turn.prompt.target)
        except DirectiveError as error:
            return (Step(text=f"I cannot read that: {error}."),)

    def _fails(self, step: Step, turn: _Turn) -> bool:
        """Count a call towards its fault and say whether it is still to fail."""
        if step.fault is None:
            return False
        self._failures[turn.name, turn.index] += 1
        return step.times is None or self._failures[turn.name, turn.index] <= step.times

    async def _stream(
        self, request: web.Request, cost: dict[str, Any], step: Step, *, failing: bool
    ) -> web.StreamResponse:
        if failing and step.fault == "never":
            await asyncio.Event().wait()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        if failing and step.fault == "garbage":
            await response.write(b"data: {this is not JSON\n\ndata: [DONE]\n\n")
            return response
        number = secrets.token_hex(8)
        chunk: dict[str, Any] = {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk"}
        chunk |= {"created": int(time()), "model": self.model}
        pieces = list(deltas(step, number))
        if failing:
            pieces = pieces[: max(1, len(pieces) // 2)]
        for delta in pieces:
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            await response.write(sse({**chunk, "choices": [choice]}))
            await asyncio.sleep(step.pace)
        if failing:
            return _hang_up(request, response)
        reason = "tool_calls" if step.calls else "stop"
        last = {"index": 0, "delta": {}, "finish_reason": reason}
        await response.write(sse({**chunk, "choices": [last]}))
        await response.write(sse({**chunk, "choices": [], "usage": cost}))
        await response.write(sse("[DONE]"))
        return response


def _hang_up(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Cut the connection without the end of the body, as a crashed provider does."""
    if request.transport is not None:
        request.transport.abort()
    return response


def _read_turn(body: dict[str, Any]) -> _Turn:
    """Read what is asked: the last message of a user, and what has happened since."""
    messages: list[dict[str, Any]] = body["messages"]
    asked = max((i for i, m in enumerate(messages) if m["role"] == "user"), default=0)
    parts = text_parts(messages[asked]) or [""]
    since = messages[asked + 1 :]
    returns = [text for m in since if m["role"] == "tool" for text in text_parts(m)]
    tools = {tool["function"]["name"] for tool in body.get("tools") or ()}
    heads = [text.lstrip() for m in (messages[0], messages[asked]) for text in text_parts(m)]
    return _Turn(
        prompt=replace(
            read_prompt(parts[-1]),
            colours=tuple(colour_of(data) for _, data in pictures_in(messages[asked])),
        ),
        index=sum(m["role"] == "assistant" for m in since),
        returned=returns[-1] if returns else None,
        side=any(head.startswith(_SIDE_REQUESTS) for head in heads),
        can_send="discord_send" in tools,
    )
