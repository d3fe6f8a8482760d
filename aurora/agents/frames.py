"""Read the JSON of a server that may send anything: parts, words, lists, texts, usage."""

from __future__ import annotations

import json
from typing import Any

import orjson

from .protocol import Reasoning, Text, Usage

Frame = dict[str, Any]


def read_json(text: str) -> Any:
    """Return what a text of JSON holds; raise ValueError if it is none.

    Some frames hold half an emoji or NaN, which only the slower reader takes.
    """
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)


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
    return value if isinstance(value, dict) else None


def said_by_agent(message: Frame) -> Text | Reasoning | Usage | None:
    """Read a message of the agent's that every server sends in the same form, None for others."""
    match word(message, "message_type"):
        case "assistant_message":
            return Text(word(message, "id"), text_of(message))
        case "reasoning_message":
            return Reasoning(word(message, "reasoning"))
        case "usage_statistics":
            return Usage(number(message, "prompt_tokens"), number(message, "completion_tokens"))
    return None
