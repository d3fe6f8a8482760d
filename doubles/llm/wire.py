"""The OpenAI chat protocol as the scripted model speaks it: what it refuses, what it streams."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from .script import Call, Step

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PIECE = 24


class BadRequestError(ValueError):
    """A request that a real provider answers with 400."""


def check_request(body: Any) -> dict[str, Any]:
    """Return the request if a real provider would take it.

    Raises:
        BadRequestError: what is wrong with it.

    """
    if not isinstance(body, dict):
        raise BadRequestError("the body must be a JSON object")
    if not isinstance(body.get("model"), str):
        raise BadRequestError("you must provide a model parameter")
    if body.get("stream") is not True:
        raise BadRequestError("this model only streams: send stream: true")
    for tool in body.get("tools") or ():
        _check_tool(tool)
    if body.get("tools") == []:
        raise BadRequestError("[] is too short - 'tools'")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequestError("messages must be a list with at least one message")
    _check_messages(messages)
    return body


def _check_tool(tool: Any) -> None:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or tool.get("type") != "function":
        raise BadRequestError("a tool must have type 'function' and a function")
    if not _TOOL_NAME.fullmatch(str(function.get("name", ""))):
        raise BadRequestError(f"invalid tool name: {function.get('name')!r}")
    if not isinstance(function.get("parameters", {}), dict):
        raise BadRequestError(f"the parameters of {function['name']} must be a JSON schema")


def _check_messages(messages: list[Any]) -> None:
    """Check each message, and that every tool call is answered before anybody goes on."""
    open_calls: set[str] = set()
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if role not in _ROLES:
            raise BadRequestError(f"invalid role: {role!r}")
        if role == "tool":
            if message.get("tool_call_id") not in open_calls:
                raise BadRequestError("a tool message must answer a preceding tool call")
            open_calls.discard(message["tool_call_id"])
            continue
        if open_calls:
            raise BadRequestError(f"tool calls were not answered: {', '.join(sorted(open_calls))}")
        calls = message.get("tool_calls") or []
        if not calls and not isinstance(message.get("content"), str | list):
            raise BadRequestError(f"the content of a {role} message must be text or a list")
        open_calls = {call["id"] for call in calls}
    if open_calls:
        raise BadRequestError(f"tool calls were not answered: {', '.join(sorted(open_calls))}")


def text_parts(message: dict[str, Any]) -> list[str]:
    """List the text parts of a message, whichever way its content is written."""
    content = message.get("content")
    if isinstance(content, str):
        return [content]
    return [part["text"] for part in content or () if part.get("type") == "text"]


def error_response(status: int, message: str, kind: str = "invalid_request_error") -> web.Response:
    """Build the error body that providers send."""
    error = {"message": message, "type": kind, "param": None, "code": None}
    headers = {"Retry-After": "1"} if status == 429 else {}
    return web.json_response({"error": error}, status=status, headers=headers)


def sse(data: dict[str, Any] | str) -> bytes:
    """Frame one server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"data: {text}\n\n".encode()


def deltas(step: Step, completion_id: str) -> Iterator[dict[str, Any]]:
    """Yield the deltas of an answer in the order in which providers stream them."""
    yield {"role": "assistant", "content": ""}
    for piece in _pieces(step.thought):
        yield {"reasoning_content": piece}
    for piece in _pieces(step.text):
        yield {"content": piece}
    for index, call in enumerate(step.calls):
        yield from _call_deltas(call, index, f"call_{completion_id}_{index}")


def _call_deltas(call: Call, index: int, call_id: str) -> Iterator[dict[str, Any]]:
    function = {"name": call.name, "arguments": ""}
    first = {"index": index, "id": call_id, "type": "function", "function": function}
    yield {"tool_calls": [first]}
    for piece in _pieces(call.arguments):
        yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _pieces(text: str) -> Iterator[str]:
    """Cut text the way tokens arrive; a long text in bigger pieces, so it does not take long."""
    size = max(_PIECE, len(text) // 100)
    for start in range(0, len(text), size):
        yield text[start : start + size]


def tokens(text: str) -> int:
    """Estimate the tokens of a text, at four characters each."""
    return len(text) // 4


def usage(body: dict[str, Any], step: Step) -> dict[str, Any]:
    """Estimate what a call cost; what stands before the last message counts as cached."""
    asked = tokens(json.dumps(body["messages"]))
    known = tokens(json.dumps(body["messages"][:-1]))
    said = tokens(step.text + step.thought + "".join(call.arguments for call in step.calls))
    return {
        "prompt_tokens": asked,
        "completion_tokens": said,
        "total_tokens": asked + said,
        "prompt_tokens_details": {"cached_tokens": known},
    }
