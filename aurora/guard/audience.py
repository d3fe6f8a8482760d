"""Audience: nothing is told in a place whose people could not all read where it comes from.

So a conversation holds only what everybody in its place may read, and nothing has to be followed
from word to word. To read one place from another, all who hear the other must read the one; to
send there, the reverse. What is said where the event came from always passes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence

import discord

from ..chat.places import Channel
from .gates import ADMINISTRATOR, VIEW, Door, Gate, gate_of
from .roles import implied

MOST_VIEWERS = 100
"""How many people of a place are asked one by one, if roles and overwrites alone don't tell."""

Loosened = Callable[[int], Collection[tuple[int, int]]]

_AT_ONCE = 500  # members before others get their turn; each takes up to 8 µs
_KEPT = 64  # places of a guild whose people are remembered


def within(
    guild: discord.Guild,
    here: Gate,
    there: Gate,
    viewers: Sequence[discord.Member] | None = None,
    *,
    needed: int | None = None,
) -> bool:
    """Tell whether everybody who hears one place may read another of this guild.

    `viewers` are those who hear it, if they are few and all of them are known. `needed` are other
    permissions than those that reading takes.
    """
    if here.place_id == there.place_id or here.parent_id == there.place_id:
        return True
    if _apart(guild, here, there):
        return False
    needed = there.reading if needed is None else needed
    by_roles = here.guild_id == guild.id and there.guests is None
    if by_roles and implied(guild, here, there, needed):
        return True
    if viewers is None:
        return False
    door = Door(there)
    return all(door.admits(member, needed) for member in viewers)


def _apart(guild: discord.Guild, here: Gate, there: Gate) -> bool:
    """Tell whether nothing goes from one place of a guild to another, whoever is there.

    Servers don't read each other. Whoever is in a thread's parent might be made a guest of it, but
    nobody has made them one.
    """
    if there.guild_id != guild.id or here.guild_id not in (guild.id, None):
        return True
    return here.place_id == there.parent_id


class Audiences:
    """Tells whether words may go from one place to another; asked last, of every act.

    `loosened` returns the pairs of places of a guild, from and to, between which admins allow it.
    """

    def __init__(self, loosened: Loosened = lambda _guild_id: ()) -> None:
        self._loosened = loosened
        self._viewers: dict[int, dict[Gate, Sequence[discord.Member] | None]] = {}

    def changed(self, guild_id: int) -> None:
        """Forget who is where in a guild: a role, a member or a guest has changed."""
        self._viewers.pop(guild_id, None)

    async def flows(self, source: Channel, place: Channel) -> bool:
        """Tell whether all who hear a place may read what is said there from another.

        Raise discord.DiscordException if Discord did not say who is in a private thread.
        """
        if source.id == place.id:
            return True
        theirs, here = await gate_with_guests(source), await gate_with_guests(place)
        if theirs is None or here is None or isinstance(source, discord.DMChannel):
            return False
        return await self.reads(source.guild, here, theirs)

    async def flows_between(self, bot: discord.Client, source_id: int, place_id: int) -> bool:
        """Tell the same of channels by their ids; from or to one that is gone nothing goes."""
        if source_id == place_id:
            return True
        source, place = await _channel(bot, source_id), await _channel(bot, place_id)
        return source is not None and place is not None and await self.flows(source, place)

    async def reads(self, guild: discord.Guild, here: Gate, there: Gate) -> bool:
        """Tell whether all who hear one place may read another, or admins have said so."""
        pair = (there.place_id, here.place_id)
        return pair in self._loosened(guild.id) or await self.within(guild, here, there)

    async def sees(self, guild: discord.Guild, here: Gate, channel: Channel) -> bool:
        """Tell whether all who hear a place see in their list that a channel exists.

        A private thread is in nobody's list but its guests'.
        """
        there = gate_of(channel)
        return there is not None and await self.within(guild, here, there, needed=VIEW)

    async def within(
        self, guild: discord.Guild, here: Gate, there: Gate, *, needed: int | None = None
    ) -> bool:
        """Tell whether everybody who hears one place may read another; see `within`."""
        if within(guild, here, there, needed=needed):
            return True
        # Those who could be asked one by one would change nothing.
        if _apart(guild, here, there):
            return False
        viewers = await self.viewers(guild, here)
        return within(guild, here, there, viewers, needed=needed)

    async def viewers(self, guild: discord.Guild, gate: Gate) -> Sequence[discord.Member] | None:
        """Return who hears a place; None if they are many, or not all of them are known."""
        if not guild.chunked:
            return None
        known = self._viewers.setdefault(guild.id, {})
        if gate not in known:
            found = await _viewers(guild, gate)
            # What has changed meanwhile is found out next time.
            if self._viewers.get(guild.id) is not known:
                return found if guild.chunked else None
            while len(known) >= _KEPT:
                known.pop(next(iter(known)))
            known[gate] = found
        return known[gate]


async def _channel(bot: discord.Client, channel_id: int) -> Channel | None:
    try:
        found = bot.get_channel(channel_id) or await bot.fetch_channel(channel_id)
    except (discord.NotFound, discord.Forbidden, discord.InvalidData):
        return None
    known = discord.abc.GuildChannel | discord.Thread | discord.DMChannel
    return found if isinstance(found, known) else None


async def gate_with_guests(channel: Channel) -> Gate | None:
    """Return who comes to read a place, and ask Discord who is in a private thread.

    None if that is nobody's to know. Raise discord.DiscordException if Discord did not say.
    """
    if not isinstance(channel, discord.Thread) or not channel.is_private():
        return gate_of(channel)
    try:
        guests = await channel.fetch_members()
    except (discord.NotFound, discord.Forbidden):
        return None
    return gate_of(channel, [one.id for one in guests])


async def _viewers(guild: discord.Guild, gate: Gate) -> list[discord.Member] | None:
    if gate.guild_id is None:
        people = [guild.get_member(who) for who in gate.guests or ()]
        known = [one for one in people if one is not None]
        # Whoever is not in the server reads nothing there.
        return known if known and len(known) == len(people) else None
    keys, door, found = _keys(guild, gate), Door(gate), list[discord.Member]()
    named = {rule.target for rule in gate.rules if not rule.is_role} | {guild.owner_id}
    for index, member in enumerate(list(guild.members)):
        if index % _AT_ONCE == _AT_ONCE - 1:
            await asyncio.sleep(0)
        if keys is not None and member.id not in named and keys.isdisjoint(member._roles):
            continue
        if member != guild.me and door.hears(member):
            found.append(member)
            if len(found) > MOST_VIEWERS:
                return None
    return found


def _keys(guild: discord.Guild, gate: Gate) -> set[int] | None:
    """Return the roles of which everybody who hears a place has one; None if it takes none."""
    everyone = next((rule for rule in gate.rules if rule.target == guild.id), None)
    open_to_all = bool(everyone and everyone.allow & VIEW)
    shut = bool(everyone and everyone.deny & VIEW and not open_to_all)
    granted = guild.default_role.permissions.value
    if granted & ADMINISTRATOR or open_to_all or (granted & VIEW and not shut):
        return None
    keys = {rule.target for rule in gate.rules if rule.is_role and rule.allow & VIEW}
    opening = ADMINISTRATOR if shut else ADMINISTRATOR | VIEW
    return keys | {one.id for one in guild._roles.values() if one._permissions & opening}
