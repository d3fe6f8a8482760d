"""What every store knows of what runs cost: sums of days, without content."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from ..model import Used
from .where import Where

USAGE_SECONDS = 62 * 24 * 3600.0
"""For how long the sums are kept at least: that is this month and the one before."""


class UsageLog(Protocol):
    """What the runs cost that have ended; of those that never reached their agent nothing is told.

    A `person` is somebody's part in it; None is everybody's, forgotten people's too.
    """

    def usage(
        self, where: Where, since: int, person: int | None = None
    ) -> AsyncIterator[Sequence[Used]]:
        """Yield the sums since a day, some at a time, by day, channel, agent and model.

        Of all guilds together no channels are told.
        """
        ...

    async def spent(self, where: Where, since: int, person: int | None = None) -> Sequence[Used]:
        """Return the sums since a day by day and model, all of one moment."""
        ...

    async def costs(self, limit: int) -> Sequence[tuple[str, int]]:
        """Return the agents of the latest turns, each with its tokens where all are known.

        The latest comes first; of so many turns at most.
        """
        ...
