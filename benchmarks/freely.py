"""How a few people may ask for many, in each commit that is measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurora.settings import GUILD_DEFAULTS

_WANTED: Mapping[str, Any] = {"user_queue_size": 1_000_000, "user_limit": (0, 0)}
ASKING_FREELY: Mapping[str, Any] = {
    key: value for key, value in _WANTED.items() if key in GUILD_DEFAULTS
}
"""Settings of a guild; a commit from before may not know them."""
