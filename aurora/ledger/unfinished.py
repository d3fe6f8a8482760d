"""Which events wait and which run, in the memory of the writer's thread."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..model import State
from . import EVERYWHERE, Where

_WAITING, _RUNNING = str(State.WAITING), str(State.RUNNING)
Home = int | None
"""A guild's id, or None for direct messages."""


class Unfinished:
    """The numbers (`seq`) of what is not over, by guild and id, and by author.

    An index in the file would write a page more at every step of every event.
    """

    def __init__(self) -> None:
        self._waiting: dict[Home, dict[str, int]] = {}
        self._running: dict[str, tuple[int, Home]] = {}
        self._authors: dict[int, dict[str, int]] = {}

    def fill(self, rows: Iterable[tuple[str, int, Home, int, str]]) -> None:
        """Begin anew with these: id, number, guild, author and state."""
        self._waiting.clear()
        self._running.clear()
        self._authors.clear()
        for row in rows:
            self.put(*row)

    def put(self, event_id: str, seq: int, guild_id: Home, author_id: int, state: str) -> None:
        """Note the state that an event is in now; one that is over is forgotten."""
        if state in (_WAITING, _RUNNING):
            self._authors.setdefault(author_id, {})[event_id] = seq
        elif (theirs := self._authors.get(author_id)) is not None:
            theirs.pop(event_id, None)
            if not theirs:
                del self._authors[author_id]
        if state == _WAITING:
            self._running.pop(event_id, None)
            self._waiting.setdefault(guild_id, {})[event_id] = seq
            return
        mine = self._waiting.get(guild_id)
        if mine is not None:
            mine.pop(event_id, None)
            if not mine:
                del self._waiting[guild_id]
        if state == _RUNNING:
            self._running[event_id] = seq, guild_id
        else:
            self._running.pop(event_id, None)

    def seq(self, event_id: str, guild_id: Home) -> int | None:
        """Return the number of an event of a guild; None if it is over, or not known."""
        if (running := self._running.get(event_id)) is not None:
            return running[0]
        mine = self._waiting.get(guild_id)
        return mine.get(event_id) if mine is not None else None

    def of_author(self, author_id: int) -> list[int]:
        """Return the numbers of what a person has waiting or running."""
        return list(self._authors.get(author_id, {}).values())

    def counts(self, where: Where) -> dict[str, int]:
        """Count them by state."""
        if where == EVERYWHERE:
            waiting, running = sum(map(len, self._waiting.values())), len(self._running)
        else:
            waiting = len(self._waiting.get(_home(where), ()))
            running = sum(guild_id == where for _, guild_id in self._running.values())
        found = {_WAITING: waiting, _RUNNING: running}
        return {state: number for state, number in found.items() if number}

    def seqs(self, where: Where, states: Collection[str]) -> list[int]:
        """Return the numbers of those in one of the states."""
        everywhere = where == EVERYWHERE
        found: list[int] = []
        if _RUNNING in states:
            running = self._running.values()
            found += (seq for seq, guild_id in running if everywhere or guild_id == where)
        if _WAITING in states:
            for guild_id in self._waiting if everywhere else (_home(where),):
                found += self._waiting.get(guild_id, {}).values()
        return found


def _home(where: Where) -> Home:
    return where if isinstance(where, int) else None
