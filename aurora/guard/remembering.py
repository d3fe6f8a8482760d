"""Ask the guard of the memory: who asks, what they may do now, and where a file was written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from weakref import WeakValueDictionary

import discord

from ..ledger import Store
from ..model import Event
from .memory import Asker, Within, denial, same_place
from .policy import Act, Denied, authorise, find_author


async def nobody(_user_id: int) -> bool:
    """Tell of nobody that they own the bot."""
    return False


class MemoryGuard:
    """Answers for the agents' memory, at the time of each call.

    `owns` tells whether somebody owns the bot; `role_of` returns the role that the owner named
    for the memory in a guild.
    """

    def __init__(
        self,
        bot: discord.Client,
        store: Store,
        *,
        owns: Callable[[int], Awaitable[bool]] = nobody,
        role_of: Callable[[int], int | None] = lambda _guild_id: None,
        within: Within = same_place,
    ) -> None:
        self._bot = bot
        self._store = store
        self._owns = owns
        self._role_of = role_of
        self._within = within
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def lock(self, agent_id: str) -> asyncio.Lock:
        """Return the lock under which an agent's memory is changed and the change recorded.

        Else two changes might be recorded in another order than they are made, and a file be taken
        for one from another place.
        """
        lock = self._locks.get(agent_id)
        if lock is None:
            lock = self._locks[agent_id] = asyncio.Lock()
        return lock

    async def denial(self, event: Event, agent_id: str, act: Act, path: str) -> Denied | None:
        """Tell why an event's author may not have this done; None if they may.

        Raise discord.DiscordException if Discord did not say who may do what.
        """
        asker = await self._asker(event, act)
        if isinstance(asker, Denied):
            return asker
        latest = await self._store.memory_changes(agent_id, path)
        written_in = latest[0].channel_id if latest else None
        return denial(asker, act, path, written_in, self._within)

    async def may_list(self, event: Event) -> Denied | None:
        """Tell why an event's author may not have the files listed; None if they may."""
        asker = await self._asker(event, Act.MEMORY_LIST)
        return asker if isinstance(asker, Denied) else None

    async def readable(self, event: Event, agent_id: str, paths: Collection[str]) -> list[str]:
        """Return those of some files that may be read where an event came from."""
        asker = await self._asker(event, Act.MEMORY_LIST)
        if isinstance(asker, Denied):
            return []
        places = await self._store.memory_places(agent_id)
        # Many notes come from few places.
        known: dict[int, bool] = {}

        def within(reader: int, writer: int) -> bool:
            if writer not in known:
                known[writer] = self._within(reader, writer)
            return known[writer]

        return [
            path
            for path in paths
            if denial(asker, Act.MEMORY_READ, path, places.get(path), within) is None
        ]

    async def _asker(self, event: Event, act: Act) -> Asker | Denied:
        """Return who asks, with the rights they have now."""
        owner = await self._owns(event.author_id)
        if event.guild_id is None:
            return Asker(event.author_id, event.channel_id, None, owner, owner)
        changes = act in (Act.MEMORY_WRITE, Act.MEMORY_DELETE)
        # Who may not write a message there any more may not have a note written either.
        channel = await authorise(
            self._bot, event, Act.SEND if changes else Act.READ, event.channel_id
        )
        if isinstance(channel, Denied):
            return channel
        author = await find_author(self._bot, event)
        if isinstance(author, Denied):
            return author
        role = self._role_of(event.guild_id)
        manages = owner or (role is not None and author.get_role(role) is not None)
        return Asker(event.author_id, event.channel_id, event.guild_id, manages, owner)
