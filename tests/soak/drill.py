"""A drill: a town that asks without a pause, one Aurora that answers, and what is done to it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic

from doubles.local_discord import Message

from .check import OUTAGE
from .diary import Diary
from .disk import Disk
from .late import LateGuilds
from .life import Home, Life, Wishes
from .spans import Spans
from .town import (
    Asked,
    Size,
    SoakTown,
    chatter,
)

STOPPED, WARNED = "⏹️", "⚠️"
SIZE = Size(guilds=10, channels=6, people=60, broken=0.0)
_QUIET_SECONDS = 3.5  # longer than the longest pause before a third attempt
_STUCK_SECONDS = 30.0  # without a word: what is open by then stays open
_DRAIN_SECONDS = 300.0
_LOOK_SECONDS = 0.05


class Drill:
    """A town under load and the life that serves it.

    In the spans `down` no turn can begin, in `deaf` ones Aurora can't hear, and while `full` its
    disk takes nothing. `turns` are the moments at which turns began at the agents' server, and
    `over_at` the one at which waiting for more ended.
    """

    def __init__(self, town: SoakTown, home: Home, rng: random.Random, disk: Disk | None) -> None:
        self.town = town
        self.rng = rng
        self.disk = disk
        self.late = LateGuilds(town.discord)
        self.diary = Diary()
        self.down, self.deaf, self.full = Spans(), Spans(), Spans()
        self.turns: list[float] = []
        self.over_at = 0.0
        self.complaints: list[str] = []
        self._home = home
        self._life: Life | None = None
        town.on_turn = lambda: self.turns.append(monotonic())

    @property
    def life(self) -> Life:
        """Return the life that serves the town."""
        if self._life is None:
            raise RuntimeError("nobody lives here yet")
        return self._life

    async def another(self, wishes: Wishes | None = None) -> Life:
        """Start a life on the same data, beside whichever there is."""
        life = Life(self._home, wishes, heard=self.diary.hear)
        await life.start()
        if not await life.listens():
            self.complaints.append("Aurora died while it started")
        return life

    async def begin(self) -> None:
        """Start the first life."""
        self._life = await self.another(await self.town.wishes())

    async def follow(self, life: Life) -> None:
        """Kill the life that serves the town, and let another one do it."""
        with self.deaf.lasting():
            self.life.kill()
            await self.life.gone()
            self._forget_sessions()
            self._life = life
            # It may have heard all the while, but first words in private can't be read again.
            count = len(self.diary.accepted)
            await self.until(lambda: len(self.diary.accepted) > count, _STUCK_SECONDS)

    async def kill(self) -> None:
        """Kill Aurora, and start it again."""
        with self.down.lasting(), self.deaf.lasting():
            self.life.kill()
            await self.life.gone()
            self._forget_sessions()
            self._life = await self.another()

    async def end(self) -> None:
        """Kill whoever lives here."""
        if self._life is not None:
            self._life.kill()
            await self._life.gone()

    @asynccontextmanager
    async def talking(self, per_second: float) -> AsyncIterator[None]:
        """Have so many questions asked each second while inside, at random moments."""
        task = asyncio.create_task(chatter(self.town, self.rng, per_second), name="chatter")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def serves(self, seconds: float) -> None:
        """Wait until a turn begins, for so long at most: whether it came in time shows later."""
        count = len(self.turns)
        await self.until(lambda: len(self.turns) > count, seconds)

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for a condition, for so long at most; return whether it came."""
        limit = monotonic() + seconds
        while not condition() and monotonic() < limit:  # noqa: ASYNC110 - conditions tell nobody
            await asyncio.sleep(_LOOK_SECONDS)
        return condition()

    async def drain(self) -> None:
        """Wait until all that was asked has its end, as far as is heard, or nothing happens."""
        limit = monotonic() + _DRAIN_SECONDS
        diary, last = self.diary, self.town.asked[-1].at
        while monotonic() < limit and not self.life.over.is_set():
            quiet = monotonic() - max(diary.heard_at, last)
            if quiet > (_STUCK_SECONDS if diary.open else _QUIET_SECONDS):
                break
            await asyncio.sleep(_LOOK_SECONDS)
        self.over_at = monotonic()
        if self.life.over.is_set():
            self.complaints.append("Aurora died by itself")

    def marked(self, asked: Asked, mark: str) -> bool:
        """Tell whether the bot has put a mark at a message."""
        return self.town.discord.bot_user.id in asked.message.reactions.get(mark, ())

    def alerts(self) -> list[Message]:
        """Return what the owner was told."""
        discord = self.town.discord
        room = discord.open_dm(self.town.mayor)
        return [one for one in discord.messages(room) if one.author is discord.bot_user]

    def notices(self) -> list[Message]:
        """Return what was said of outages to people."""
        discord = self.town.discord
        said = discord.world.messages.values()
        return [one for one in said if one.author is discord.bot_user and OUTAGE in one.content]

    def _forget_sessions(self) -> None:
        # Nobody comes back to the session of a process that is gone.
        sessions = self.town.discord.gateway.sessions
        for name in [name for name, one in sessions.items() if one.connection is None]:
            del sessions[name]
