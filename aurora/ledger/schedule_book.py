"""What every store keeps of schedules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..model import Schedule


class ScheduleBook(Protocol):
    """The schedules of all guilds. Unlike an event's context, their prompts stay until removed."""

    async def keep_schedule(self, schedule: Schedule) -> Schedule:
        """Keep a schedule; one without a number (0) is new, and gets one.

        One that was removed meanwhile is not kept again.
        """
        ...

    async def drop_schedule(self, schedule_id: int) -> None:
        """Remove a schedule."""
        ...

    async def schedules(self) -> Sequence[Schedule]:
        """Return all schedules, in the order in which they were made."""
        ...
