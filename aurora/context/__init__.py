"""Context: a Discord message as plain data, with its reply chain and what is not text in it."""

from __future__ import annotations

from ..prompts.transcript import format_metadata_for_prompt, format_reply_chain
from .building import (
    CHAIN_CHARS,
    CHAIN_MESSAGE_CHARS,
    MESSAGE_CHARS,
    MessageMetadata,
    build_answer_context,
    build_asked_context,
    build_event_context,
    extract_message_metadata,
    extract_reply_chain,
    quote,
)
from .chain import CHAIN_SECONDS
from .describe import describe_extras

__all__ = [
    "CHAIN_CHARS",
    "CHAIN_MESSAGE_CHARS",
    "CHAIN_SECONDS",
    "MESSAGE_CHARS",
    "MessageMetadata",
    "build_answer_context",
    "build_asked_context",
    "build_event_context",
    "describe_extras",
    "extract_message_metadata",
    "extract_reply_chain",
    "format_metadata_for_prompt",
    "format_reply_chain",
    "quote",
]
