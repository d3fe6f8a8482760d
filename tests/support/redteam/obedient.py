"""An agent that does what it is told by whoever tells it, and repeats all that it has heard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from doubles.llm import Call, ScriptedLLM, Step, text_parts

LOOT = "{loot}"
"""Stands in a text or an argument for every secret that the agent knows at that moment."""
NOTHING = "nothing"
"""What an agent says that knows no secret."""

_SECRET = re.compile(r"\bloot-[0-9a-f]{10}\b")


class ObedientLLM(ScriptedLLM):
    """A model that plays its script, and fills in what it knows.

    It can tell no secret that it was not given: what stands in its text stood in its prompt, its
    history, its memory, or the result of a tool.
    """

    def _spoken(self, step: Step, body: dict[str, Any]) -> Step:
        known = " ".join(secrets_in(body)) or NOTHING
        calls = tuple(Call(one.name, one.arguments.replace(LOOT, known)) for one in step.calls)
        return replace(step, text=step.text.replace(LOOT, known), calls=calls)


def secrets_in(body: dict[str, Any]) -> list[str]:
    """Return the secrets that a model is given with a request."""
    return list(dict.fromkeys(_SECRET.findall(json.dumps(body["messages"]))))


def input_of(body: dict[str, Any]) -> str:
    """Return what a request is about: the text of its last user message."""
    users = [one for one in body["messages"] if one["role"] == "user"]
    return (text_parts(users[-1]) or [""])[-1] if users else ""


def returned(body: dict[str, Any]) -> Iterator[str]:
    """Yield the results of tools since the last user message."""
    messages = body["messages"]
    last = max((i for i, one in enumerate(messages) if one["role"] == "user"), default=0)
    for one in messages[last:]:
        if one["role"] == "tool":
            yield from text_parts(one)
