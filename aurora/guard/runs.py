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

    SEE = "see"  # that it is there, what became of it and what it took; no word of it
    STOP = "stop"  # whether it waits or runs
    RETRY = "retry"
    ANSWER = "answer"  # what the agent asks back
    JUDGE = "judge"  # its answer
    GO_ON = "go_on"  # with what got stuck, or not


class Part(StrEnum):
    """What somebody is to a run; of several each counts."""

    ASKER = "asker"  # whose message it answers
    MODERATOR = "moderator"  # may manage messages in its place
    MANAGER = "manager"  # sees its place, and may manage its server or is the bot's admin there
    OWNER = "owner"  # of the bot
    OTHER = "other"  # sees its place, and no more


ALL = frozenset(Part)
TABLE: Mapping[RunAct, frozenset[Part]] = {
    RunAct.SEE: frozenset({Part.ASKER, Part.MANAGER, Part.OWNER}),
    RunAct.STOP: ALL - {Part.OTHER},
    RunAct.RETRY: frozenset({Part.ASKER, Part.MANAGER, Part.OWNER}),
    RunAct.ANSWER: frozenset({Part.ASKER}),
    RunAct.JUDGE: ALL,
    RunAct.GO_ON: frozenset({Part.ASKER}),
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
        if member is not None and member.bot and user_id != event.author_id:
            # Of another bot nothing is taken, whatever rights it has.
            return frozenset()
        found = {
            Part.ASKER: user_id == event.author_id,
            Part.OWNER: await self._owns(user_id),
        }
        if member is not None:
            manages = await self._manages(member)
            # Of a place that is gone nobody knows any more who saw it.
            inside = place is None and member.guild_permissions.administrator
            if place is not None:
                # In a private thread even a moderator is nobody, until they are in it.
                inside = sees(member, place, guest=await is_guest(place, member))
                moderates = place.permissions_for(member).manage_messages
                found[Part.OTHER], found[Part.MODERATOR] = inside, inside and moderates
            found[Part.MANAGER] = inside and manages
        return frozenset(part for part, is_so in found.items() if is_so)

    async def reads(self, user_id: int, event: Event, channel_id: int) -> bool:
        """Tell whether somebody may read what was sent for an event there; in doubt they may not.

        The bot's owner, too, reads only what Discord shows them.
        """
        if event.guild_id is None:
            return user_id == event.author_id and channel_id == event.channel_id
        try:
            guild = await find_guild(self._bot, event.guild_id, self.patience)
            member = await _member(guild, user_id) if guild is not None else None
            place = await find_channel(self._bot, event, channel_id, self.patience)
            if member is None or place is None:
                return False
            allowed = place.permissions_for(member)
            inside = sees(member, place, guest=await is_guest(place, member))
        except FAILURES:
            return False
        return inside and allowed.read_message_history


async def _member(guild: discord.Guild, user_id: int) -> discord.Member | None:
    try:
        return guild.get_member(user_id) or await guild.fetch_member(user_id)
    except discord.NotFound:
        return None
