"""Pauses, a server's own and the owner's: what waits meanwhile loses none of its time."""

from __future__ import annotations

from ..clock import Clock
from ..ledger import EVERYWHERE, Where
from ..queue import MessageQueue
from ..queue.selecting import OfGuild
from ..settings import Settings


class Pauses:
    """Begins and ends the pauses that settings keep."""

    def __init__(self, settings: Settings, queue: MessageQueue, clock: Clock) -> None:
        self._settings = settings
        self._queue = queue
        self._clock = clock
        self.began: dict[Where, float] = {}
        """When the pauses that began in this process did, by the monotonic clock."""

    async def begin(self, place: Where) -> bool:
        """Let nothing run in a server, or everywhere; False if that is so already.

        Events are still accepted.
        """
        if self._since(place) is not None:
            return False
        await self._set(place, self._clock.time())
        self.began[place] = self._clock.monotonic()
        self._queue.reconsider([place] if isinstance(place, int) else None)
        return True

    async def end(self, place: Where) -> bool:
        """End a server's own pause, or the owner's; False if there is none.

        What waits gets the time back in which nothing could run (promise 5). Where both pauses
        overlap, time is given once.
        """
        since = self._since(place)
        if since is None:
            return False
        # Given first: between the two, nothing must be found to have expired.
        if isinstance(place, int):
            await self._end_in(place, since)
        else:
            await self._end_everywhere(since)
        await self._set(place, None)
        self.began.pop(place, None)
        self._queue.reconsider([place] if isinstance(place, int) else None)
        return True

    async def _end_everywhere(self, since: float) -> None:
        settings = self._settings
        for guild_id, own in settings.paused_guilds().items():
            if self._seconds(guild_id, own) < self._seconds(EVERYWHERE, since):
                # It gets all of its time when its own pause ends.
                await settings.set_guild(guild_id, paused_since=since)
                if EVERYWHERE in self.began:
                    self.began[guild_id] = self.began[EVERYWHERE]
        await self._queue.lengthen(
            lambda event: settings.guild(event.guild_id).paused_since is None,
            self._seconds(EVERYWHERE, since),
        )

    async def _end_in(self, place: int, since: float) -> None:
        world = self._settings.world.paused_since
        if world is None:
            await self._queue.lengthen(OfGuild(place), self._seconds(place, since))
        elif (before := self._seconds(place, since) - self._seconds(EVERYWHERE, world)) > 0:
            # From then on it is the owner's pause that counts, and that is given at its end.
            began = self._clock.monotonic() - self._seconds(EVERYWHERE, world)
            await self._queue.lengthen(OfGuild(place, began), before)

    def _seconds(self, place: Where, since: float) -> float:
        """Return how long a pause has lasted; one of an earlier process goes by the wall clock."""
        if (began := self.began.get(place)) is not None:
            return self._clock.monotonic() - began
        return max(0.0, self._clock.time() - since)

    def _since(self, place: Where) -> float | None:
        scope = self._settings.guild(place) if isinstance(place, int) else self._settings.world
        return scope.paused_since

    async def _set(self, place: Where, since: float | None) -> None:
        if isinstance(place, int):
            await self._settings.set_guild(place, paused_since=since)
        else:
            await self._settings.set_world(paused_since=since)
