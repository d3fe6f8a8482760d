"""Roles: what follows from roles and overwrites alone, whoever holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import discord

from .gates import ADMINISTRATOR, CONNECT, COUNTS, HISTORY, VIEW, Door, Gate, Rule, gate_of

_NOBODY, _BY_ROLES, _EVERYBODY = range(3)
"""To whom a place is open whom no overwrite for a role names."""


class _Way(NamedTuple):
    """How people get a permission in a place: by a role of theirs, or as `rest` says."""

    opens: frozenset[int]
    shuts: frozenset[int]
    rest: int


def implied(guild: discord.Guild, reader: Gate, source: Gate, needed: int) -> bool:
    """Tell whether all who hear one place have permissions in another, by roles alone.

    Only a yes is certain: it holds for any combination of roles. Aurora itself is not asked, and
    whom an overwrite names is asked in person.
    """
    roles = _Roles(guild, (*reader.rules, *source.rules))
    heard = [bit for bit in (VIEW, CONNECT) if reader.hearing & bit]
    for bit in (VIEW, HISTORY, CONNECT):
        if needed & bit and not any(
            roles.imply(reader.rules, one, source.rules, bit) for one in heard
        ):
            return False
    mine, theirs = Door(reader), Door(source)
    for who in roles.named:
        member = guild.get_member(who)
        if member is not None:
            if mine.hears(member) and not theirs.admits(member, needed):
                return False
        elif not guild.chunked and not _is_let_in(who, source, needed):
            # Perhaps they are there.
            return False
    return True


def _is_let_in(who: int, source: Gate, needed: int) -> bool:
    return any(one.target == who and one.allow & needed == needed for one in source.rules)


def open_to_all(guild: discord.Guild, place: Gate) -> bool:
    """Tell by roles alone whether everybody in a server may read a place."""
    all_hear = Gate(guild.id, guild.id, (Rule(guild.id, True, VIEW, 0),))
    return place.guests is None and implied(guild, all_hear, place, place.reading)


def all_see(here: object, there: discord.abc.GuildChannel | discord.Thread) -> bool:
    """Tell by roles alone whether all who hear a place see in their list that a channel exists.

    A private thread is in the list of its guests alone, and is heard by some of its channel.
    """
    if not isinstance(here, discord.abc.GuildChannel | discord.Thread):
        return False
    if here.id == there.id:
        return True
    home = here.parent if isinstance(here, discord.Thread) else here
    mine, theirs = gate_of(home) if home is not None else None, gate_of(there)
    if mine is None or theirs is None:
        return False
    return mine.place_id == theirs.place_id or implied(there.guild, mine, theirs, VIEW)


class _Roles:
    """The roles that one person can hold in any combination, and who is `named` besides.

    Administrators read everything, and a bot's own role is that bot's alone.
    """

    def __init__(self, guild: discord.Guild, rules: Sequence[Rule]) -> None:
        self._guild_id = guild.id
        self._everyone = guild.default_role.permissions.value
        self._grants: dict[int, int] = {}
        self.named = {rule.target for rule in rules if not rule.is_role}
        ruled = {rule.target for rule in rules if rule.is_role}
        # guild.roles would sort them.
        for role in guild._roles.values():
            granted = role._permissions
            if granted & ADMINISTRATOR or role.id == guild.id:
                continue
            bot_id = role.tags.bot_id if role.tags is not None else None
            if bot_id is None:
                self._grants[role.id] = granted
            elif role.id in ruled or granted & ~self._everyone & COUNTS:
                self.named.add(bot_id)
        if guild.me is not None:
            self.named.discard(guild.me.id)

    def imply(self, here: Sequence[Rule], has: int, there: Sequence[Rule], needs: int) -> bool:
        """Tell whether whoever has one permission in one place has another in another.

        Looks for roles that together break this: something lets in here, by a role or as one of
        the rest, and something keeps out there. At most two roles do.
        """
        mine, theirs = self._way(here, has), self._way(there, needs)
        bars = theirs.shuts - theirs.opens
        let_in = mine.opens - theirs.opens
        if let_in and (bars or not self._rest_passes(theirs, needs, let_in)):
            return False
        if mine.rest == _NOBODY:
            return True
        bars -= mine.shuts
        if mine.rest == _EVERYBODY:
            return not bars and theirs.rest == _EVERYBODY
        granting = {role for role, granted in self._grants.items() if granted & has}
        granting -= mine.shuts | theirs.opens
        return not granting or (not bars and self._rest_passes(theirs, needs, granting))

    def _rest_passes(self, way: _Way, needs: int, roles: Iterable[int]) -> bool:
        """Tell whether each of these roles gets through as one of the rest."""
        if way.rest == _BY_ROLES:
            return all(self._grants[role] & needs for role in roles)
        return way.rest == _EVERYBODY

    def _way(self, rules: Sequence[Rule], bit: int) -> _Way:
        rest = _EVERYBODY if self._everyone & bit else _BY_ROLES
        opens, shuts = set(), set()
        for rule in rules:
            if rule.target == self._guild_id:
                rest = _EVERYBODY if rule.allow & bit else _NOBODY if rule.deny & bit else rest
            elif rule.target not in self._grants:
                continue
            elif rule.allow & bit:
                opens.add(rule.target)
            elif rule.deny & bit:
                shuts.add(rule.target)
        return _Way(frozenset(opens), frozenset(shuts), rest)
