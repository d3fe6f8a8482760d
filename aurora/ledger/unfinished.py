"""Which events wait and which run, in the memory of the writer's thread."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..model import State
from . import EVERYWHERE, Where

_WAITING, _RUNNING = str(State.WAITING), str(State.RUNNING)
Place = int | None
"""A guild's id, or None for direct messages."""


class Unfinished:
    """The ids of what is not over, by guild.

    An index in the file would write a page more at every step of every event.
    """

    def __init__(self) -> None:
        self._waiting: dict[Place, dict[str, None]] = {}
        self._running: dict[str, Place] = {}

    def fill(self, rows: Iterable[tuple[str, Place, str]]) -> None:
        """Begin anew with these: id, guild and state."""
        self._waiting.clear()
        self._running.clear()
        for event_id, guild_id, state in rows:
            self.put(event_id, guild_id, state)

    def put(self, event_id: str, guild_id: Place, state: str) -> None:
        """Note the state that an event is in now; one that is over is forgotten."""
        if state == _WAITING:
            self._running.pop(event_id, None)
            self._waiting.setdefault(guild_id, {})[event_id] = None
            return
        mine = self._waiting.get(guild_id)
        if mine is not None:
            mine.pop(event_id, None)
            if not mine:
                del self._waiting[guild_id]
        if state == _RUNNING:
            self._running[event_id] = guild_id
        else:
            self._running.pop(event_id, None)

    def counts(self, where: Where) -> dict[str, int]:
        """Count them by state."""
        if where == EVERYWHERE:
            waiting, running = sum(map(len, self._waiting.values())), len(self._running)
        else:
            waiting = len(self._waiting.get(_place(where), ()))
            running = sum(guild_id == where for guild_id in self._running.values())
        found = {_WAITING: waiting, _RUNNING: running}
        return {state: number for state, number in found.items() if number}

    def ids(self, where: Where, states: Collection[str]) -> list[str]:
        """Return the ids of those in one of the states."""
        everywhere = where == EVERYWHERE
        found: list[str] = []
        if _RUNNING in states:
            running = self._running.items()
            found += (one for one, guild_id in running if everywhere or guild_id == where)
        if _WAITING in states:
            for guild_id in self._waiting if everywhere else (_place(where),):
                found += self._waiting.get(guild_id, ())
        return found


def _place(where: Where) -> Place:
    return where if isinstance(where, int) else None
