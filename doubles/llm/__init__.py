"""A scripted, OpenAI-compatible language model.

What it does is said in data (`script`), by a test or by a person in a message; else it thinks of
something itself (`answers`). `server` listens, `wire` knows the format.
"""

from __future__ import annotations

from .script import Call, Step, Target
from .server import Provider, ScriptedLLM
from .sight import pictures_in
from .wire import text_parts, tokens

__all__ = [
    "Call",
    "Provider",
    "ScriptedLLM",
    "Step",
    "Target",
    "pictures_in",
    "text_parts",
    "tokens",
]
