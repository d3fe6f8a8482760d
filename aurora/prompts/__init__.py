"""Prompts: an event's context as the text that the agent reads, with what people wrote fenced."""

from __future__ import annotations

from .building import (
    CHAIN_BLOCK_CHARS,
    DISCORD_TOOLS,
    MEMORY_TOOL,
    MESSAGE_BLOCK_CHARS,
    PROMPT_CHARS,
    build_dm_prompt,
    build_mention_prompt,
    build_prompt,
)

__all__ = [
    "CHAIN_BLOCK_CHARS",
    "DISCORD_TOOLS",
    "MEMORY_TOOL",
    "MESSAGE_BLOCK_CHARS",
    "PROMPT_CHARS",
    "build_dm_prompt",
    "build_mention_prompt",
    "build_prompt",
]
