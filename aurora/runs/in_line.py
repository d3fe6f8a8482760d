"""Who waits is told how many are before them, where a server's admins want to see everything."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from ..clock import Clock, sleep
from ..model import Change, State
from ..model.progress import Progress
from ..queue import MessageQueue
from ..settings import EVERY_TOOL, Settings
from .ports import Lines
from .progress import QUIET_SECONDS

MOST_TOLD = 50
"""How many are told at a time; the others see as much as everywhere."""

MOST_AHEAD = 10
"""Behind how many one is told: the lines of more would take turns for too long to be true."""


class InLine:
    """Hears of all changes, and shows to who waits for long where they stand."""

    def __init__(
        self, queue: MessageQueue, settings: Settings, lines: Lines, clock: Clock
    ) -> None:
        self._queue = queue
        self._settings = settings
        self._lines = lines
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._news: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def heard(self, change: Change) -> None:
        """Follow who is accepted; look again at those behind who need not wait any more."""
        if change.step != "queued":
            for news in self._news.get(change.lane, ()):
                news.set()
        elif self._wanted(change.guild_id) and len(self._tasks) < MOST_TOLD:
            following = self._follow(change)
            task = asyncio.create_task(following, name=f"aurora in line: {change.event_id}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Tell nobody any more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _wanted(self, guild_id: int | None) -> bool:
        return self._settings.guild(guild_id).progress == EVERY_TOOL

    async def _follow(self, change: Change) -> None:
        await sleep(self._clock, QUIET_SECONDS)
        news = asyncio.Event()
        self._news[change.lane].add(news)
        try:
            while (event := self._queue.find(change.message_id)) is not None:
                turn = self._queue.turn_of(change.message_id)
                if event.state is not State.WAITING or turn is None:
                    # What runs along with a later message is told of under that.
                    if turn is not None and turn.speaker is not event:
                        self._lines.remove(event)
                    return
                ahead = self._queue.ahead(turn)
                if not event.unasked and ahead <= MOST_AHEAD:
                    self._lines.show(event, Progress(event.accepted_at, ahead=ahead))
                news.clear()
                await news.wait()
        finally:
            self._news[change.lane].discard(news)
            if not self._news[change.lane]:
                del self._news[change.lane]
