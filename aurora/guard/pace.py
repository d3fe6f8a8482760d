"""Slowmode: how long somebody still has to wait before their agent writes in a channel again."""

from __future__ import annotations

import discord

from ..chat.places import Channel, Place
from ..clock import Clock

_KEPT = 10_000
_LONGEST = 6 * 3600.0
"""The longest slowmode that Discord has, in seconds."""


class Pace:
    """Remembers, while Aurora runs, when an agent began to write somewhere for somebody.

    In the event's own place nobody asks: there the message that asked has used its author's slot.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[tuple[int, int], float] = {}

    def sent(self, user_id: int, channel_id: int) -> None:
        """Note that something was sent for somebody."""
        key, now = (user_id, channel_id), self._clock.monotonic()
        self._last.pop(key, None)
        self._last[key] = now
        while len(self._last) > _KEPT or now - next(iter(self._last.values())) > _LONGEST:
            del self._last[next(iter(self._last))]

    def wait(self, member: discord.Member, channel: Channel) -> float:
        """Return for how many more seconds slowmode keeps somebody from writing in a channel."""
        # discord.py annotates it for some kinds of channels only.
        delay: int = getattr(channel, "slowmode_delay", 0)
        if not isinstance(channel, Place) or not delay:
            return 0.0
        last = self._last.get((member.id, channel.id))
        if last is None or channel.permissions_for(member).bypass_slowmode:
            return 0.0
        return max(0.0, last + delay - self._clock.monotonic())
