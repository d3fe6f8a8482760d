"""How many events wait, by guild and by person."""

from __future__ import annotations

from ..model import Event

Person = tuple[int | None, int]
"""Somebody in a guild, or (None) in direct messages."""


class Waiting:
    """Counts events that wait; who has none is not kept."""

    def __init__(self) -> None:
        self.guilds: dict[int | None, int] = {}
        self.persons: dict[Person, int] = {}

    def add(self, event: Event, count: int = 1) -> None:
        """Count an event, or so many of the same author and guild."""
        guild_id, person = event.guild_id, (event.guild_id, event.author_id)
        self.guilds[guild_id] = self.guilds.get(guild_id, 0) + count
        self.persons[person] = self.persons.get(person, 0) + count

    def remove(self, event: Event, count: int = 1) -> None:
        """Count an event no more, or so many of the same author and guild."""
        guild_id, person = event.guild_id, (event.guild_id, event.author_id)
        if (left := self.guilds[guild_id] - count) > 0:
            self.guilds[guild_id] = left
        else:
            del self.guilds[guild_id]
        if (left := self.persons[person] - count) > 0:
            self.persons[person] = left
        else:
            del self.persons[person]
