"""Read the JSON of a server that may send anything: parts, words, lists, texts, usage."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from ..files import Picture
from .protocol import Reasoning, Text, ToolReturned, Usage

Frame = dict[str, Any]

UNREADABLE = (
    "The arguments could not be read: they are no JSON object, are nested too deeply, or hold a "
    "number that is too long. Nothing was done; call again with what the tool describes."
)

_DEEPEST = 64
_LONGEST_OUTLINE = 2**17
_LONGEST_NUMBER = 1000
# Strings whole, for the brackets in them are none.
_BRACKETS = re.compile(r'"(?:[^"\\]++|\\(?:.|\Z))*+(?:"|\Z)|[\[{]+|[\]}]+', re.DOTALL)


def read_json(text: str) -> Any:
    """Return what a text of JSON holds; raise ValueError if it is none.

    Some frames hold half an emoji or NaN, which only the slower reader takes.
    """
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)


def write_json(frame: Frame) -> str:
    """Write a frame; pictures make some long, and others wait meanwhile."""
    try:
        return orjson.dumps(frame).decode()
    except TypeError:
        # Half an emoji, or a number that is too large.
        return json.dumps(frame)


class Outline(Frame):
    """The outer parts of a frame of which the rest can't be read."""


def read_outline(text: str) -> Outline:
    """Read a frame that `read_json` can't: what is nested too deeply in it is left out.

    Raise ValueError if it is no JSON all the same, or so long that this would take long.
    """
    if len(text) > _LONGEST_OUTLINE:
        raise ValueError("too long")
    kept: list[str] = []
    depth = start = 0
    for found in _BRACKETS.finditer(text):
        some = found[0]
        if some[0] == '"':
            continue
        before = depth
        depth += len(some) if some[0] in "[{" else -len(some)
        if before <= _DEEPEST < depth:
            kept += (text[start : found.start() + _DEEPEST - before], "null")
        elif depth <= _DEEPEST < before:
            start = found.start() + before - _DEEPEST
    if depth:
        raise ValueError("cut off")
    value = json.loads("".join((*kept, text[start:])), parse_int=_whole)
    return Outline(value if isinstance(value, dict) else {})


def is_deep(value: object) -> bool:
    """Tell whether a value is nested so deeply that nobody can mean it, and much fails on it."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return False
    return True


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) < _LONGEST_NUMBER else None


def content(text: str, pictures: Sequence[Picture]) -> str | list[Frame]:
    """Write what a message says, in the form that both kinds of server take."""
    if not pictures:
        return text
    shown = ({"type": "image", "source": _source(one)} for one in pictures)
    return [{"type": "text", "text": text}, *shown]


def _source(picture: Picture) -> Frame:
    data = base64.b64encode(picture.data).decode("ascii")
    return {"type": "base64", "media_type": picture.media_type, "data": data}


def part(frame: Frame, key: str) -> Frame:
    """Return the object under `key`, an empty one if there is none."""
    value = frame.get(key)
    return value if isinstance(value, dict) else {}


def word(frame: Frame, key: str) -> str:
    """Return the string under `key`, an empty one if there is none."""
    value = frame.get(key)
    return value if isinstance(value, str) else ""


def items(frame: Frame, key: str) -> list[Frame]:
    """Return the objects listed under `key`; what is no object is left out."""
    value = frame.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def number(frame: Frame, key: str) -> int:
    """Return the whole number under `key`, 0 if there is none."""
    value = frame.get(key)
    return value if isinstance(value, int) else 0


def text_of(delta: Frame) -> str:
    """Join the text of a message delta; its content is a list of parts or a string."""
    return word(delta, "content") or "".join(word(one, "text") for one in items(delta, "content"))


def json_object(text: str) -> Frame | None:
    """Return the object that a text holds, None if it holds none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and not is_deep(value) else None


def said_by_agent(message: Frame) -> Text | Reasoning | Usage | None:
    """Read a message of the agent's that every server sends in the same form, None for others."""
    match word(message, "message_type"):
        case "assistant_message":
            return Text(word(message, "id"), text_of(message))
        case "reasoning_message":
            return Reasoning(word(message, "reasoning"))
        case "usage_statistics":
            return _usage(message)
    return None


def _usage(message: Frame) -> Usage:
    """Read what calls of the model cost.

    An App Server leaves out of the prompt what was cached of it, a REST server does not; the total
    has it in both.
    """
    written = number(message, "completion_tokens")
    return Usage(
        max(number(message, "prompt_tokens"), number(message, "total_tokens") - written),
        written,
        max(1, number(message, "step_count")),
        number(message, "cached_input_tokens"),
    )


def returned_by_tool(message: Frame) -> ToolReturned:
    """Read the end of one tool call."""
    is_error = word(message, "status") != "success"
    fault = hash(word(message, "tool_return")) if is_error else 0
    return ToolReturned(word(message, "tool_call_id"), is_error, fault)
