"""Discord's ids: they sort by time and carry it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

EPOCH_MS = 1_420_070_400_000


class Snowflakes:
    """Hand out ids that never repeat and never go back.

    Args:
        now: Seconds since 1970; discord.py reads a message's age and an interaction's expiry
            from the id, so this must be the real time unless a test moves both.

    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._last = 0

    def new(self) -> int:
        """Return the next id."""
        self._last = max(self._last + 1, (int(self._now() * 1000) - EPOCH_MS) << 22)
        return self._last


def moment(snowflake: int) -> datetime:
    """Return the time an id was made."""
    return datetime.fromtimestamp(((snowflake >> 22) + EPOCH_MS) / 1000, tz=UTC)
