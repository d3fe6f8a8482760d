"""Reading the JSON of a server that may send anything."""

from __future__ import annotations

import json
from typing import Any

Frame = dict[str, Any]


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


def json_object(text: str) -> Frame:
    """Return the object that a text holds, an empty one if it holds none."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
