"""What it costs to tell whether all who hear one place may read another, in a large server."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import discord

from aurora.guard.audience import Audiences
from doubles.local_discord import Channel, Guild, LocalDiscord, Overwrite
from doubles.local_discord.permissions import DEFAULT, MANAGE_MESSAGES, VIEW_CHANNEL

from .figures import Figure, percentile

_MEMBERS = 20_000
_ROLES = 200
_NAMED = 40
"""How many roles the overwrites of each channel name, and as many people."""
_STAFF = 90
_TIMES = 200


async def measure(members: int = _MEMBERS, times: int = _TIMES) -> AsyncIterator[Figure]:
    """Decide by roles and overwrites, and one by one: the first time, and again."""
    large = _Large(members)
    audiences = Audiences()
    general, rules, staff, crew = map(large.channel, large.places)
    by_roles = await _median(lambda: audiences.flows(rules, general), times, expected=True)
    yield Figure("audience_by_roles_us", by_roles, "us")
    first = time.perf_counter()
    if not await audiences.flows(crew, staff):
        raise AssertionError("the staff are all of the crew")
    yield Figure("audience_counted_us", round((time.perf_counter() - first) * 1e6, 1), "us")
    again = await _median(lambda: audiences.flows(crew, staff), times, expected=True)
    yield Figure("audience_one_by_one_us", again, "us")


async def _median(ask: Callable[[], Awaitable[bool]], times: int, *, expected: bool) -> float:
    took = []
    gc.collect()
    for _ in range(times):
        begun = time.perf_counter()
        found = await ask()
        took.append(time.perf_counter() - begun)
        if found is not expected:
            raise AssertionError("the decision is wrong")
    return round(percentile(took, 50) * 1e6, 1)


class _Large:
    """A server of many members, each with some of its many roles.

    Its places: an open one and its rules, whose overwrites name many; one for the staff, and one
    for the crew, of whom all the staff are, which nothing but their names tells.
    """

    def __init__(self, members: int) -> None:
        self.local = local = LocalDiscord()
        self.guild = guild = local.add_guild("Large", owner=local.owner)
        roles = [
            local.add_role(guild, f"role {index}", permissions=DEFAULT) for index in range(_ROLES)
        ]
        people = [local.add_user(f"user {index}") for index in range(members)]
        for index, person in enumerate(people):
            held = {roles[(index * step) % (_ROLES - 2)] for step in (1, 7, 31)}
            if index < _STAFF:
                held |= {roles[-1], roles[-2]}
            local.add_member(guild, person, roles=tuple(held))
        noise: list[Any] = [*roles[:_NAMED], *people[-_NAMED:]]
        many = tuple(Overwrite.of(one, allow=MANAGE_MESSAGES | VIEW_CHANNEL) for one in noise)
        self.places = (
            self._open("general", many),
            self._open("rules", many),
            self._only("staff", roles[-1], people[0]),
            self._only("crew", roles[-2], people[1]),
        )
        self.known = _known(local, guild)

    def _open(self, name: str, rules: tuple[Overwrite, ...]) -> Channel:
        return self.local.add_channel(self.guild, name, overwrites=rules)

    def _only(self, name: str, *who: Any) -> Channel:
        hidden = Overwrite.of(self.guild.everyone, deny=VIEW_CHANNEL)
        shown = [Overwrite.of(one, allow=VIEW_CHANNEL) for one in (*who, self.local.bot_user)]
        return self._open(name, (hidden, *shown))

    def channel(self, place: Channel) -> discord.TextChannel:
        """Return a place as discord.py knows it."""
        found = self.known.get_channel(place.id)
        if not isinstance(found, discord.TextChannel):
            raise TypeError(f"{place.name} is not there")
        return found


def _known(local: LocalDiscord, guild: Guild) -> discord.Guild:
    state = discord.Client(intents=discord.Intents.all())._connection
    user: Any = local.bot_user.payload()
    state.user = discord.ClientUser(state=state, data=user)
    payload: Any = local.world.guild_payload(guild)
    return state._add_guild_from_data(payload)
