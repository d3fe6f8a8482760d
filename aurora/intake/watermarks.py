"""Watermarks: up to where was heard, as it is kept over a restart or a crash."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Collection
from typing import NamedTuple

from redbot.core.bot import Red

from ..ids import message_id_at
from ..ledger import Store
from .gaps import DMS, Gaps
from .passes import WINDOW_SECONDS
from .receiving import Intake
from .times import DiscordTime

log = logging.getLogger("red.aurora.catchup")

_HEARD = "listening"
_BEHIND = "behind"


class Heard(NamedTuple):
    """Up to which message all was heard (None: nobody hears), and which guilds are behind that."""

    everywhere: int | None
    behind: dict[int, int]


class Watermarks:
    """Keeps one mark for all guilds that hear, and one for each that is behind.

    So what costs is the exception, and no guild holds back another.
    """

    def __init__(self, bot: Red, store: Store, intake: Intake, time: DiscordTime) -> None:
        self._bot = bot
        self._store = store
        self._intake = intake
        self._time = time
        self._gaps = Gaps(bot, None)
        self._kept_behind = ""

    async def load(self) -> Gaps:
        """Return the gaps as they are after what was kept."""
        heard, behind = await self._store.noted(_HEARD), await self._store.noted(_BEHIND)
        self._kept_behind = behind or ""
        known = {int(key): int(value) for key, value in json.loads(behind or "{}").items()}
        self._gaps = Gaps(self._bot, int(heard) if heard is not None else None, known)
        return self._gaps

    async def now(self, *, done: Collection[int] = ()) -> Heard:
        """Return what was heard and has come to something, or as good as `done`.

        Were Aurora killed now, all else would have to be read.
        """
        heard = self._gaps.heard()
        # Whoever is told of what was parsed up to here is told in this turn of the loop.
        await asyncio.sleep(0)
        behind = self._gaps.behind()
        rest = {*self._intake.arriving, *self._intake.triggers.coming.look()} - {*done}
        for message_id, guild_id in self._intake.lines.held.items():
            if guild_id in behind:
                behind[guild_id] = min(behind[guild_id], message_id - 1)
            else:
                rest.add(message_id)
        if rest:
            before = min(rest) - 1
            heard = None if heard is None else min(heard, before)
            behind = {key: min(floor, before) for key, floor in behind.items()}
        return Heard(heard, behind)

    async def keep(self, heard: Heard) -> None:
        """Keep what was heard; a failure is logged, for the next time makes it good."""
        # A guild that is gone is forgotten when nothing of it could be answered any more.
        here = {DMS, *(guild.id for guild in self._bot.guilds)}
        oldest = message_id_at(self._time.now() - WINDOW_SECONDS)
        behind = {key: at for key, at in heard.behind.items() if key in here or at > oldest}
        text = json.dumps(behind, sort_keys=True) if behind else ""
        try:
            # First who is behind, or a kill in between would let them have heard.
            if text != self._kept_behind:
                await self._store.note(_BEHIND, text)
                self._kept_behind = text
            # Never back: what has been heard stays heard when its channel is gone.
            kept, now = self._gaps.kept, heard.everywhere
            if now is not None and (kept is None or now > kept):
                await self._store.note(_HEARD, str(now))
                self._gaps.kept = now
        except Exception as error:
            log.exception("It can't be kept what was heard", exc_info=error)
