"""What an agent does, without a model that decides it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_CHANNEL = re.compile(r'^Channel: .*\(ID: "(\d+)", type: ', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an agent does with an input: it thinks `delay` seconds, calls tools, writes `text`.

    `calls` are tools with their arguments, one after the other. With `error` the turn fails as if
    the model's provider had answered so, such as "500: {}". `oversteps` is a tool of the server's
    own that runs first, though it was not offered, and asks nobody.
    """

    text: str = ""
    delay: float = 0.0
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    error: str = ""
    oversteps: str = ""


Script = Callable[[str], Plan]


def channel_of(prompt: str) -> str:
    """Read from a prompt in which channel it was asked; raise ValueError if it does not say."""
    found = _CHANNEL.search(prompt)
    if found is None:
        raise ValueError("this prompt names no channel")
    return found[1]
