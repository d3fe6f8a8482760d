"""Gates: who comes to read a place, as plain data, and whether somebody does.

Whoever sees a place *hears* what is said there from now on; only who may read its history as well
*reads* what was said. A public thread or a forum's post counts as its parent, the text of a voice
channel belongs to those who may join it, and a direct message to one person.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

import discord

_ALL = discord.Permissions.all().value
ADMINISTRATOR = discord.Permissions(administrator=True).value
VIEW = discord.Permissions(view_channel=True).value
HISTORY = discord.Permissions(read_message_history=True).value
CONNECT = discord.Permissions(connect=True).value
MANAGE_THREADS = discord.Permissions(manage_threads=True).value
COUNTS = VIEW | HISTORY | CONNECT | MANAGE_THREADS


class Rule(NamedTuple):
    """What a channel allows and denies to a role or a person, of the bits that count."""

    target: int
    is_role: bool
    allow: int
    deny: int


class Gate(NamedTuple):
    """Who comes to read a place: plain data, which can be kept and compared.

    `place_id` is a public thread's parent. `spoken` is a voice channel's text. `guests` are those
    in a private thread, `parent_id` is where it is; in a direct message the guest is its person,
    and `guild_id` is None.
    """

    place_id: int
    guild_id: int | None
    rules: tuple[Rule, ...] = ()
    spoken: bool = False
    parent_id: int | None = None
    guests: frozenset[int] | None = None

    def kept(self) -> str:
        """Return it as a text, from which `gate_kept` makes it again."""
        guests = None if self.guests is None else sorted(self.guests)
        return json.dumps([*self[:-1], guests], separators=(",", ":"))

    @property
    def hearing(self) -> int:
        """Return the permissions that let somebody hear what is said here."""
        return VIEW | CONNECT if self.spoken else VIEW

    @property
    def reading(self) -> int:
        """Return the permissions that let somebody read what was said here."""
        return self.hearing | HISTORY


def gate_kept(text: str) -> Gate:
    """Return a gate from how it was kept."""
    place_id, guild_id, rules, spoken, parent_id, guests = json.loads(text)
    known = None if guests is None else frozenset(guests)
    return Gate(place_id, guild_id, tuple(Rule(*one) for one in rules), spoken, parent_id, known)


def gate_of(
    channel: discord.abc.GuildChannel | discord.Thread | discord.DMChannel,
    guests: Iterable[int] | None = None,
) -> Gate | None:
    """Return who comes to read a place, or None if it is not known.

    For a private thread that takes its `guests`, which no cache has.
    """
    if isinstance(channel, discord.DMChannel):
        person = channel.recipient
        return None if person is None else Gate(channel.id, None, guests=frozenset({person.id}))
    if not isinstance(channel, discord.Thread):
        spoken = isinstance(channel, discord.VoiceChannel | discord.StageChannel)
        return Gate(channel.id, channel.guild.id, _rules(channel), spoken)
    if channel.parent is None:
        return None
    if not channel.is_private():
        return gate_of(channel.parent)
    if guests is None:
        return None
    rules, parent = _rules(channel.parent), channel.parent.id
    return Gate(channel.id, channel.guild.id, rules, False, parent, frozenset(guests))


def _rules(channel: discord.abc.GuildChannel) -> tuple[Rule, ...]:
    # What discord.py shows of an overwrite drops what is allowed and denied at once, and looks up
    # each name.
    found = [
        Rule(one.id, one.is_role(), one.allow & COUNTS, one.deny & COUNTS)
        for one in channel._overwrites
        if (one.allow | one.deny) & COUNTS
    ]
    return tuple(sorted(found))


class Door:
    """A gate before which many people are judged."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self._rules = {rule.target: rule for rule in gate.rules}

    def hears(self, member: discord.Member) -> bool:
        """Tell whether somebody gets to see what is said here from now on."""
        return self.admits(member, self.gate.hearing)

    def admits(self, member: discord.Member, needed: int) -> bool:
        """Tell whether somebody has permissions here, and is let in."""
        guests = self.gate.guests
        if self.gate.guild_id is None:
            return guests is not None and member.id in guests
        granted = self._granted(member)
        if granted & needed != needed:
            return False
        return guests is None or member.id in guests or bool(granted & MANAGE_THREADS)

    def _granted(self, member: discord.Member) -> int:
        """Return somebody's permissions, as if they were not timed out: that ends by itself."""
        guild, rules, nothing = member.guild, self._rules, _NOTHING
        if guild.owner_id == member.id:
            return _ALL
        granted = guild.default_role._permissions
        allow = deny = 0
        for role_id in member._roles:
            if (role := guild.get_role(role_id)) is not None:
                granted |= role._permissions
            rule = rules.get(role_id, nothing)
            allow |= rule.allow
            deny |= rule.deny
        if granted & ADMINISTRATOR:
            return _ALL
        for one in (rules.get(guild.id, nothing), Rule(0, True, allow, deny)):
            granted = granted & ~one.deny | one.allow
        own = rules.get(member.id, nothing)
        return granted & ~own.deny | own.allow


_NOTHING = Rule(0, True, 0, 0)
