"""Waits: messages that another cog has asked for are not the agent's as well."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakSet

import discord
from redbot.core.bot import Red

_KEPT = 200


class Waits:
    """Remembers which messages `bot.wait_for` has given to somebody.

    Whoever waited has their message before any listener is called, and discord.py forgets them
    with it. So this waits, too, and takes nothing: its check is called for each message, in the
    moment in which it is given away, and sees who else is waiting. What becomes of them they
    tell; their own checks are never called a second time, for these may count or remember.

    Who is waiting only a private attribute of discord.py knows. Where that is gone, nobody is.

    Nothing hears of a message sooner, so `see` is called with each in that moment.
    """

    def __init__(self, bot: Red, see: Callable[[discord.Message], None]) -> None:
        self._bot = bot
        self._see = see
        self._met: WeakSet[asyncio.Future[Any]] = WeakSet()
        self._taken: deque[int] = deque(maxlen=_KEPT)
        self._task: asyncio.Task[object] | None = None

    def start(self) -> None:
        """Begin to look."""
        waiting = self._bot.wait_for("message", check=self._look)
        self._task = asyncio.create_task(waiting, name="aurora looks who else waits")

    async def stop(self) -> None:
        """End looking."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    def took(self, message: discord.Message) -> bool:
        """Tell whether a message was given to somebody who waited for it."""
        return message.id in self._taken

    def _look(self, message: discord.Message) -> bool:
        """Meet all who wait; this is called for every message of every guild."""
        # What this raised would end it, and for no reason that concerns anybody.
        try:
            self._see(message)
            waiting = self._bot._listeners["message"]
            if len(waiting) > 1:
                self._meet(future for future, _ in waiting)
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
        return False

    def _meet(self, waiting: Iterable[asyncio.Future[Any]]) -> None:
        for future in waiting:
            if future not in self._met:
                self._met.add(future)
                future.add_done_callback(self._note)

    def _note(self, future: asyncio.Future[Any]) -> None:
        if not future.cancelled() and future.exception() is None:
            given = future.result()
            if isinstance(given, discord.Message):
                self._taken.append(given.id)
