"""Ask the guard of the memory: who asks, what they may do now, and where a file was written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from weakref import WeakValueDictionary

import discord

from ..agents.memory import note_of
from ..ledger import Store
from ..model import Event, Turn
from .looking import Guard
from .memory import NOTES_KEPT, Asker, crowded, denial
from .policy import NO_PERSON, Act, Denied, Target

Within = Callable[[int, int], Awaitable[bool]]
"""Whether everybody who reads in the first channel may read in the second."""


async def same_place(reader: int, writer: int) -> bool:
    """Let a note be read where it was written, and nowhere else."""
    return reader == writer


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
        store: Store,
        guard: Guard,
        *,
        owns: Callable[[int], Awaitable[bool]] = nobody,
        role_of: Callable[[int], int | None] = lambda _guild_id: None,
        within: Within = same_place,
    ) -> None:
        self._store = store
        self._guard = guard
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
        is_new = not latest or latest[0].act == "delete"
        place = None if is_new else latest[0].channel_id
        readable = place is not None and await self._readable(asker, place)
        denied = denial(asker, act, path, written=place is not None, readable=readable)
        if denied is None and act is Act.MEMORY_WRITE and is_new and note_of(path) is not None:
            folder = path.rpartition("/")[0]
            files = await self._store.memory_places(agent_id)
            if sum(one.rpartition("/")[0] == folder for one in files) >= NOTES_KEPT:
                return crowded(asker)
        return denied

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
        near = {
            place
            for place in {places.get(path) for path in paths}
            if place is not None and await self._readable(asker, place)
        }
        return [
            path
            for path in paths
            if denial(
                asker,
                Act.MEMORY_READ,
                path,
                written=path in places,
                readable=places.get(path) in near,
            )
            is None
        ]

    async def _readable(self, asker: Asker, place: int) -> bool:
        return place == asker.channel_id or await self._within(asker.channel_id, place)

    async def _asker(self, event: Event, act: Act) -> Asker | Denied:
        """Return who asks, with the rights they have now."""
        owner = await self._owns(event.author_id)
        if event.guild_id is None:
            return Asker(event.author_id, event.channel_id, None, owner, owner)
        changes = act in (Act.MEMORY_WRITE, Act.MEMORY_DELETE)
        # Who may not write a message there any more may not have a note written either.
        needed = Act.SEND if changes else Act.READ
        answer = await self._guard.ask(Turn((event,)), needed, Target(event.channel_id))
        if isinstance(answer, Denied):
            return answer
        author = await self._guard.holder(event)
        if isinstance(author, Denied):
            return author
        if isinstance(author, discord.Role):
            return NO_PERSON  # Notes are about people.
        role = self._role_of(event.guild_id)
        manages = owner or (role is not None and author.get_role(role) is not None)
        return Asker(event.author_id, event.channel_id, event.guild_id, manages, owner)
