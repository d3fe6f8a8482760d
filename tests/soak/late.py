"""Guilds that come late: Discord tells of some only seconds after a new session has begun."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from doubles.local_discord import Guild, LocalDiscord
from doubles.local_discord.gateway import Session


class LateGuilds:
    """Holds guilds back in new sessions, with all that happens in them, as Discord does.

    `delay` says for how many seconds a guild is held back, 0 for not at all; `held` counts those
    that are still to come.
    """

    def __init__(self, discord: LocalDiscord) -> None:
        self.delay: Callable[[Guild], float] = lambda _guild: 0.0
        self.held = 0
        self._world = discord.world
        self._open = discord.gateway.open
        discord.gateway.open = self._opened  # type: ignore[method-assign] # all sessions pass here

    def _opened(self, session: Session) -> None:
        delays = {one.id: self.delay(one) for one in self._world.guilds.values()}
        late = {guild_id for guild_id, delay in delays.items() if delay}
        kept: dict[int, dict[str, Any]] = {}
        tell, owns = session.dispatch, session.owns

        def told(name: str, data: Any) -> None:
            if name == "GUILD_CREATE" and int(data["id"]) in late:
                kept[int(data["id"])] = data
            else:
                tell(name, data)

        def hears(guild: Guild | None) -> bool:
            return (guild is None or guild.id not in late) and owns(guild)

        def come(guild_id: int) -> None:
            self.held -= 1
            late.discard(guild_id)
            # As it is now: what was written meanwhile shows in the last messages of its channels.
            now = self._world.guild_payload(self._world.guilds[guild_id])
            tell("GUILD_CREATE", {**kept[guild_id], "channels": now["channels"]})

        session.dispatch = told  # type: ignore[method-assign] # while it opens
        self._open(session)
        session.dispatch = tell  # type: ignore[method-assign] # as it was
        session.owns = hears  # type: ignore[method-assign] # until they come
        for guild_id in kept:
            self.held += 1
            asyncio.get_running_loop().call_later(delays[guild_id], come, guild_id)
