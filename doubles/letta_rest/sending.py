"""Routes that send messages: what is refused, what is replayed, and what becomes a run."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from aiohttp import web

from . import frames, problems
from .api import (
    Api,
    fault_of,
    read_body,
    respond,
    stream_of,
)
from .problems import ApiError, PendingApprovalError, StreamError
from .state import (
    Agent,
    Json,
    Run,
    Stream,
    Thread,
    request_token,
)
from .streaming import Reader
from .turn import MAX_STEPS, Send, Turn

_ROLES = ("user", "system", "assistant")


class SendingRoutes:
    """Messages to conversations and to agents."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        return [
            web.post("/v1/conversations/{thread_id}/messages", self._to_conversation),
            web.post("/v1/agents/{agent_id}/messages", self._to_agent),
        ]

    async def _to_conversation(self, request: web.Request) -> web.StreamResponse:
        thread_id, body = request.match_info["thread_id"], await read_body(request)
        # The path is validated together with the body, before anything is looked up.
        if not _messages(body):
            raise problems.detail(422, "Messages must not be empty")
        thread = self._api.any_thread(thread_id, body.get("agent_id"))
        agent = self._api.store.agents[thread.agent_id]
        kind = "send_conversation_message" if thread.id else "send_message"
        if body.get("streaming", True):
            return await self._streamed(request, agent, thread, body, kind=kind, lock=True)
        return await self._plain(agent, thread, body, kind=kind, lock=thread.id is None)

    async def _to_agent(self, request: web.Request) -> web.StreamResponse:
        agent = self._api.agent(request.match_info["agent_id"])
        body, thread = await read_body(request), self._api.store.main[agent.id]
        if not _messages(body):
            raise problems.detail(422, "Messages must not be empty")
        if not body.get("streaming"):
            return await self._plain(agent, thread, body, kind="send_message", lock=False)
        headers = request.headers
        if "X-Stainless-Package-Version" not in headers and "User-Agent" in headers:
            text = "streaming=true is only supported for SDK v1.0+ clients."
            raise problems.detail(422, text)
        return await self._streamed(request, agent, thread, body, kind="send_message", lock=False)

    async def _streamed(
        self,
        request: web.Request,
        agent: Agent,
        thread: Thread,
        body: Json,
        *,
        kind: str,
        lock: bool,
    ) -> web.StreamResponse:
        send, background = self._send(body), bool(body.get("background"))
        pings = bool(body.get("include_pings", True))
        redis = self._api.store.redis
        token = request_token(_otids(body))
        if lock and background and redis is not None and token in redis.otids:
            # A repeated request is a reader of the old run, whatever became of that.
            run_id = redis.otids[token]
            return await self._reader(request, run_id, pings=pings).serve(request)
        run = self._new_run(agent, thread, body, kind=kind, lock=lock)
        stream = Stream(numbered=background)
        if background:
            if redis is None:
                run.end("failed", "error")
                raise problems.no_redis()
            redis.streams[run.id] = stream
        if pings:
            stream.put(frames.ping(run.id))
        store, tools = self._api.store, self._api.tools
        self._api.play(Turn(store, self._api.model, tools, agent, run, stream, send))
        reader = Reader(stream, run.id, fault=fault_of(request))
        reader.keepalive = self._api.keepalive if pings else None
        return await reader.serve(request)

    async def _plain(
        self, agent: Agent, thread: Thread, body: Json, *, kind: str, lock: bool
    ) -> web.Response:
        # Plain requests have no background, whatever they say.
        body = {**body, "streaming": False, "background": False}
        send, stream = self._send(body), Stream(numbered=False)
        run = self._new_run(agent, thread, body, kind=kind, lock=lock, note=lock)
        store, tools = self._api.store, self._api.tools
        turn = Turn(store, self._api.model, tools, agent, run, stream, send)
        # The client may go away: the run stays.
        await asyncio.shield(self._api.play(turn))
        if turn.failure is not None:
            raise _refusal(turn.failure)
        reason = run.stop_reason or "end_turn"
        answer = {
            "messages": turn.shown,
            "stop_reason": frames.stop(reason),
            "usage": frames.usage(run.steps, tokens=False),
            "logprobs": None,
            "turns": None,
        }
        return respond(answer)

    def _reader(self, request: web.Request, run_id: str, *, pings: bool) -> Reader:
        keepalive = self._api.keepalive if pings else None
        stream = stream_of(self._api, run_id)
        return Reader(stream, run_id, keepalive=keepalive, fault=fault_of(request))

    def _new_run(
        self,
        agent: Agent,
        thread: Thread,
        body: Json,
        *,
        kind: str,
        lock: bool,
        note: bool = True,
    ) -> Run:
        """Take the lock, if there is one to take, and note the run where others look for it."""
        store, redis = self._api.store, self._api.store.redis
        if lock and store.redis_is_lost:
            raise problems.lost_redis()
        if lock and redis is not None and (holder := redis.holder(thread.lock_key)):
            raise problems.busy(holder)
        types = body.get("include_return_message_types")
        run = Run(agent.id, thread, bool(body.get("background")), kind, return_types=types)
        store.runs[run.id] = run
        if redis is not None:
            if lock:
                redis.lock(thread.lock_key, run.id)
            redis.last_run[agent.id] = run.id
        if redis is not None and note:
            otids = _otids(body)
            # Every streamed send is noted, in the background or not, but only one there looks.
            redis.otids.update(dict.fromkeys([request_token(otids), *otids], run.id))
        return run

    def _send(self, body: Json) -> Send:
        if override := body.get("override_model"):
            self._api.check_model(override)
        return Send(
            _messages(body),
            tokens=bool(body.get("streaming", True) and body.get("stream_tokens")),
            max_steps=body.get("max_steps") or MAX_STEPS,
            client_tools=body.get("client_tools") or (),
            return_types=body.get("include_return_message_types"),
            model=override,
        )


def _messages(body: Json) -> list[Json]:
    """Validate a request and list its messages; `input` is short for one of a user."""
    _check_tools(body.get("client_tools") or [])
    if body.get("messages") is None:
        if body.get("input") is None:
            text = "Must specify either 'input' or 'messages'."
            raise problems.invalid(
                "value_error", ("body",), f"Value error, {text}", body, error=ValueError(text)
            )
        body["messages"] = [{"role": "user", "content": body["input"]}]
    messages: list[Json] = body["messages"]
    _check_objects(messages, "messages")
    _check_roles(messages)
    for message in messages:
        # A message without an otid is given one, so every run can be found by its otids.
        message["otid"] = message.get("otid") or str(uuid4())
    return messages


def _check_tools(tools: Any) -> None:
    _check_objects(tools, "client_tools")
    for index, tool in enumerate(tools):
        where = ("body", "client_tools", index)
        if "name" not in tool:
            raise problems.invalid("missing", (*where, "name"), "Field required", tool)
        if not isinstance(tool.get("parameters") or {}, dict):
            text = "Input should be a valid dictionary"
            value = tool["parameters"]
            raise problems.invalid("dict_type", (*where, "parameters"), text, value)


def _check_roles(messages: list[Json]) -> None:
    for index, message in enumerate(messages):
        role = message.get("role", "user")
        if message.get("type", "message") == "message" and role not in _ROLES:
            expected = "'user', 'system' or 'assistant'"
            raise problems.invalid(
                "literal_error",
                ("body", "messages", index, "MessageCreate", "role"),
                f"Input should be {expected}",
                role,
                expected=expected,
            )


def _check_objects(items: Any, name: str) -> None:
    if not isinstance(items, list):
        text = "Input should be a valid list"
        raise problems.invalid("list_type", ("body", name), text, items)
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            text = "Input should be a valid dictionary or object to extract fields from"
            where = ("body", name, index)
            raise problems.invalid("model_attributes_type", where, text, item)


def _otids(body: Json) -> list[str]:
    return [message["otid"] for message in _messages(body)]


def _refusal(failure: StreamError) -> ApiError:
    """Build what a plain request answers when its turn fails."""
    if isinstance(failure, PendingApprovalError):
        code = {"code": "PENDING_APPROVAL", "message": failure.message}
        body = {**code, "pending_request_id": failure.request_id}
        return ApiError(409, {"detail": body})
    error = {"type": failure.kind, "message": failure.message, "detail": failure.detail}
    return ApiError(failure.status, {"error": error})
