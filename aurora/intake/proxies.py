"""Proxies: a bot that deletes what somebody writes, and has a webhook say it in another name."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import discord

from ..clock import Clock
from ..ids import written_at

SECONDS = 5.0
"""How long a copy and the deletion of its original may be apart."""
FRESH_SECONDS = 30.0
"""How much younger than its original a copy may be: what was said long ago nobody says again."""
_KEPT, _KEPT_SECONDS = 200, 60.0
"""How many are remembered, and how long: what people deleted is soon forgotten here, too."""


class Proxies:
    """Finds the original of a webhook's message: what a person wrote there, and was deleted.

    Only what is equal, letter by letter, counts; each original has one copy. Either may come
    first, the copy or the deletion.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._deleted: deque[tuple[float, discord.Message]] = deque(maxlen=_KEPT)
        self._copies: deque[tuple[float, discord.Message]] = deque(maxlen=_KEPT)

    def original_of(self, message: discord.Message) -> discord.Message | None:
        """Return the original of a copy, or keep the copy until that is deleted."""
        now = self._forget()
        for at, one in self._deleted:
            if now - at <= SECONDS and _is_copy(message, one):
                self._deleted.remove((at, one))
                return one
        self._copies.append((now, message))
        return None

    def copies_of(
        self, deleted: Iterable[discord.Message], at: float
    ) -> list[tuple[discord.Message, discord.Message]]:
        """Return the copies of messages that were deleted at a time, each with its original."""
        self._forget()
        found = []
        for original in deleted:
            if original.guild is None or not isinstance(original.author, discord.Member):
                continue
            if original.author.bot or not original.content:
                continue
            copied = next(
                (
                    (came, one)
                    for came, one in self._copies
                    if abs(at - came) <= SECONDS and _is_copy(one, original)
                ),
                None,
            )
            if copied is None:
                self._deleted.append((at, original))
            else:
                self._copies.remove(copied)
                found.append((copied[1], original))
        return found

    def _forget(self) -> float:
        """Let go of what nothing belongs to any more; return the time."""
        now = self._clock.monotonic()
        for kept in (self._deleted, self._copies):
            while kept and now - kept[0][0] > _KEPT_SECONDS:
                kept.popleft()
        return now


def _is_copy(message: discord.Message, original: discord.Message) -> bool:
    return (
        message.channel.id == original.channel.id
        and message.content == original.content
        and message.id > original.id
        and written_at(message.id) - written_at(original.id) <= FRESH_SECONDS
    )
