"""Who may do what with somebody's run: one table, for buttons, reactions and commands alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum

import discord

from ..chat.failures import FAILURES, PATIENCE, Patience
from ..chat.places import find_channel, find_guild
from ..model import Event
from .barring import Barred, nobody_barred
from .looking import is_guest
from .sight import sees


class RunAct(StrEnum):
    """What somebody wants to do with a run."""

    STOP = "stop"


class Part(StrEnum):
    """What somebody is to a run; of several each counts."""

    ASKER = "asker"  # whose message it answers
    MODERATOR = "moderator"  # may manage messages in its place
    MANAGER = "manager"  # may manage its server, or is an admin of the bot's there
    OWNER = "owner"  # of the bot
    OTHER = "other"  # sees its place, and no more


ALL = frozenset(Part)
TABLE: Mapping[RunAct, frozenset[Part]] = {
    RunAct.STOP: ALL - {Part.OTHER},
}
"""Who may do what; who the bot's lists keep out is nothing to any run."""


async def _manages(member: discord.Member) -> bool:
    return member.guild_permissions.manage_guild


async def _owns_nothing(_user_id: int) -> bool:
    return False


class RunGuard:
    """Tells what somebody is to a run, and what they may do with it, at this moment.

    `owns` tells of a user who the bot's owner is, `manages` of a member who may manage the server.
    """

    def __init__(
        self,
        bot: discord.Client,
        barred: Barred = nobody_barred,
        owns: Callable[[int], Awaitable[bool]] = _owns_nothing,
        manages: Callable[[discord.Member], Awaitable[bool]] = _manages,
        *,
        patience: Patience = PATIENCE,
    ) -> None:
        self._bot = bot
        self._barred = barred
        self._owns = owns
        self._manages = manages
        self.patience = patience

    async def may(self, act: RunAct, user_id: int, event: Event) -> bool:
        """Tell whether somebody may do something with an event's run; in doubt they may not."""
        try:
            return not TABLE[act].isdisjoint(await self.parts(user_id, event))
        except FAILURES:
            return False

    async def parts(self, user_id: int, event: Event) -> frozenset[Part]:
        """Return what somebody is to an event's run; raise one of FAILURES if nobody can tell."""
        place = await find_channel(self._bot, event, event.channel_id, self.patience)
        guild, member = None, None
        if event.guild_id is not None:
            guild = await find_guild(self._bot, event.guild_id, self.patience)
            member = await _member(guild, user_id) if guild is not None else None
        if await self._barred(user_id, member, guild, place) is not None:
            return frozenset()
        found = {
            Part.ASKER: user_id == event.author_id,
            Part.OWNER: await self._owns(user_id),
            Part.MANAGER: member is not None and await self._manages(member),
        }
        if member is not None and place is not None:
            # In a private thread even a moderator is nobody, until they are in it.
            guest = await is_guest(place, member)
            inside = sees(member, place, guest=guest)
            found[Part.OTHER] = inside
            found[Part.MODERATOR] = inside and place.permissions_for(member).manage_messages
        return frozenset(part for part, is_so in found.items() if is_so)


async def _member(guild: discord.Guild, user_id: int) -> discord.Member | None:
    try:
        return guild.get_member(user_id) or await guild.fetch_member(user_id)
    except discord.NotFound:
        return None
