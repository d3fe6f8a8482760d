"""Commands ask the guard: when they are given, and again when a button under them is pressed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from copy import copy
from typing import TypeVar

import discord
from redbot.core import commands

from ..chat.failures import FAILURES
from ..chat.places import Channel
from .acts import NEEDED, OWN_IN_DMS, Act, Standing
from .looking import is_guest
from .policy import Actor, Denied, Found, Here, Target, may
from .runs import RunAct

T = TypeVar("T")

_LOOKED_UP = 25
"""How many channels that are in no cache, such as old threads, are asked for at once."""


class Asked:
    """The check of a command: whether who gives it may do what it does."""

    def __init__(self, act: Act) -> None:
        self.act = act

    async def __call__(self, ctx: commands.Context) -> bool:
        """Answer for a command's context. Red's own exceptions say what else is missing."""
        answer = may(await _actor(ctx), self.act, Found(Target()), _here(ctx))
        return not isinstance(answer, Denied)


def asks(act: Act) -> Callable[[T], T]:
    """Make a command ask the guard for an act; Red's rules decide who is an admin."""
    rule = commands.is_owner()
    if NEEDED[act] is Standing.MEMBER:
        rule = _anybody
    elif act in OWN_IN_DMS:
        rule = commands.permissions_check(_in_charge)
    elif NEEDED[act] is Standing.ADMIN:
        rule = commands.admin_or_permissions(manage_guild=True)

    def decorate(command: T) -> T:
        made: T = commands.check(Asked(act))(rule(command))
        return made

    return decorate


def _anybody(command: T) -> T:
    return command


async def manages(ctx: commands.Context) -> bool:
    """Tell whether somebody is in charge of the server in which they give a command."""
    return ctx.guild is not None and (await _in_charge(ctx) or await ctx.bot.is_owner(ctx.author))


async def _in_charge(ctx: commands.Context) -> bool:
    """Tell whether a place is for somebody to look after: as an admin, or since it is their DM."""
    if not isinstance(ctx.author, discord.Member):
        return ctx.guild is None
    return ctx.permissions.manage_guild or await ctx.bot.is_admin(ctx.author)


async def ensure(ctx: commands.Context, act: Act) -> None:
    """Ask the guard for more than a command's check did, which an owner alone may do.

    Raise NotOwner, as Red's own check would.
    """
    if isinstance(may(await _actor(ctx), act, Found(Target()), _here(ctx)), Denied):
        raise commands.NotOwner("This is for the owner of the bot.")


def listens(*acts: Act | RunAct) -> Callable[[T], T]:
    """Say for which acts a listener asks the guard, by the function that it calls."""

    def decorate(listener: T) -> T:
        setattr(listener, "acts", acts)  # noqa: B010 - no attribute that the type knows
        return listener

    return decorate


async def may_still(ctx: commands.Context, interaction: discord.Interaction) -> bool:
    """Ask again, for who presses a button under a command, all that the command was asked."""
    again = copy(ctx)
    # What was worked out when the command was given is kept here.
    vars(again).pop("permissions", None)
    again.message = copy(ctx.message)
    again.message.author = interaction.user
    # A slash command's interaction keeps for good what its person was when they gave it.
    again.interaction = None
    try:
        allowed: bool = await again.command.can_run(again, check_all_parents=True)
    except commands.CommandError:
        return False
    return allowed


async def within_sight(ctx: commands.Context, act: Act, channel_ids: Collection[int]) -> set[int]:
    """Return those of some channels that a command may be about, by its invoker's own view.

    Args:
        ctx: the command, which the guard has let through.
        act: what it does.
        channel_ids: of channels of its server, or for the owner of any.

    """
    actor, here = await _actor(ctx), _here(ctx)
    unknown = 0
    seen = set()
    for channel_id in set(channel_ids):
        channel: Channel | None = None
        if ctx.guild is not None:
            channel = ctx.guild.get_channel_or_thread(channel_id)
        if ctx.guild is not None and channel is None and actor.standing is not Standing.OWNER:
            unknown += 1
            channel = await _fetch(ctx.guild, channel_id) if unknown <= _LOOKED_UP else None
        if await _reaches(actor, act, Target(channel_id), channel, here):
            seen.add(channel_id)
    return seen


async def reaches(ctx: commands.Context, act: Act, channel: Channel) -> bool:
    """Tell whether a command may be about a channel, by its invoker's own view and rights."""
    return await _reaches(await _actor(ctx), act, Target(channel.id), channel, _here(ctx))


async def _reaches(
    actor: Actor, act: Act, target: Target, channel: Channel | None, here: Here
) -> bool:
    member = actor.member
    guest = False
    if member is not None and channel is not None:
        try:
            guest = await is_guest(channel, member)
        except FAILURES:
            return False
    answer = may(actor, act, Found(target, channel, guest), here)
    return not isinstance(answer, Denied)


async def _fetch(guild: discord.Guild, channel_id: int) -> Channel | None:
    try:
        return await guild.fetch_channel(channel_id)
    except (*FAILURES, discord.InvalidData):
        return None


async def _actor(ctx: commands.Context) -> Actor:
    author = ctx.author
    member = author if isinstance(author, discord.Member) else None
    # Whoever gave a command may have left while it waited for an answer.
    if member is not None and member.guild.chunked and member not in member.guild.members:
        member = None
    return Actor(
        author.id,
        member,
        standing=await _standing(ctx),
        person=not author.bot and ctx.message.webhook_id is None,
    )


async def _standing(ctx: commands.Context) -> Standing:
    if await ctx.bot.is_owner(ctx.author):
        return Standing.OWNER
    # Its rules for single commands and people, too; asking must not change what they come to.
    state = ctx.permission_state
    try:
        granted = await ctx.command.requires.verify(ctx)
    finally:
        ctx.permission_state = state
    return Standing.ADMIN if granted else Standing.MEMBER


def _here(ctx: commands.Context) -> Here:
    guild = ctx.guild
    return Here(None if guild is None else guild.id, guild)
