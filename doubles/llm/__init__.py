"""A scripted, OpenAI-compatible language model.

What it does is said in data (`script`), by a test or by a person in a message; else it thinks of
something itself (`answers`). `server` listens, `wire` knows the format.
"""

from __future__ import annotations

from .script import Call, Step, Target
from .server import Provider, ScriptedLLM
from .wire import text_parts, tokens

__all__ = ["Call", "Provider", "ScriptedLLM", "Step", "Target", "text_parts", "tokens"]
