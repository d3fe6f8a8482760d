"""Tools with which an agent changes or searches its memory on its own server."""

from __future__ import annotations

from collections.abc import Iterable

from .protocol import OwnTool

# Letta's own, of all its kinds of agents; in small letters, with underscores.
_NAMES = (
    "memory memory_insert memory_replace memory_rethink memory_finish_edits memory_apply_patch "
    "memory_str_replace memory_str_insert core_memory_append core_memory_replace "
    "core_memory_insert rethink_memory rethink_user_memory finish_rethinking_memory "
    "store_memories archival_memory_insert archival_memory_search"
)
_MEMORY = frozenset(_NAMES.split())


def memory_tools(tools: Iterable[OwnTool]) -> list[OwnTool]:
    """Return those by which what is said in one place gets into another."""
    return [tool for tool in tools if tool.name.lower().replace("-", "_") in _MEMORY]
