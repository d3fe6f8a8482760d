"""Which events are meant: tests that also tell the queue where to look."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from ..model import Event

Selector = Callable[[Event], bool]
"""Tells which events are meant; for one that is none of these all are looked at."""


@dataclass(frozen=True, slots=True)
class OfMessages:
    """The events of these messages."""

    message_ids: Collection[int]

    def __call__(self, event: Event) -> bool:
        """Tell whether an event is one of them."""
        return event.message_id in self.message_ids


@dataclass(frozen=True, slots=True)
class OfGuild:
    """The events of a guild, or (None) of direct messages; before a moment, if one is given.

    `came_before` is in seconds of the monotonic clock.
    """

    guild_id: int | None
    came_before: float | None = None

    def __call__(self, event: Event) -> bool:
        """Tell whether an event is one of them."""
        early = self.came_before is None or event.came_at < self.came_before
        return event.guild_id == self.guild_id and early


@dataclass(frozen=True, slots=True)
class OfChannel:
    """The events of a channel and its threads, or of a thread."""

    channel_id: int

    def __call__(self, event: Event) -> bool:
        """Tell whether an event is one of them."""
        return self.channel_id in (event.channel_id, event.parent_id)
