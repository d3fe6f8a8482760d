"""Find out what the policy goes by: who acts, about what, from where, as it is at this moment."""

from __future__ import annotations

from typing import NamedTuple

import discord

from ..chat.failures import PATIENCE, Patience
from ..chat.places import Channel, Place, find_channel, find_guild
from ..clock import Clock
from ..model import Event, Turn
from ..reasons import Reason
from ..settings import Settings
from .acts import IN_CHANNELS, READING, Act
from .audience import Audiences
from .barring import Barred, nobody_barred
from .pace import Pace
from .policy import (
    AUTHOR_GONE,
    GUILD_GONE,
    NARROWER,
    UNKNOWN_CHANNEL,
    WIDER,
    Actor,
    Allowed,
    Denied,
    Found,
    Here,
    Target,
)
from .policy import may as _may
from .sight import Holder, sees


class Snapshot(NamedTuple):
    """All that one answer goes by."""

    actor: Actor
    found: Found
    here: Here


class Guard:
    """Asks the policy for runs, with what is known when it is asked.

    `barred` tells who may not use the bot; `patience` is with a guild that has not come yet.
    """

    def __init__(
        self,
        bot: discord.Client,
        settings: Settings,
        clock: Clock,
        barred: Barred = nobody_barred,
        *,
        patience: Patience = PATIENCE,
    ) -> None:
        self._bot = bot
        self._settings = settings
        self._barred = barred
        self._pace = Pace(clock)
        self.audiences = Audiences(settings.loosened)
        self.patience = patience

    async def ask(
        self,
        turn: Turn,
        act: Act,
        target: Target,
        *,
        begins: bool = False,
    ) -> Allowed | Denied:
        """Answer whether a turn's agent may do something now.

        A guild that a new session does not know yet is waited for. Raise discord.DiscordException
        if it does not come, or if Discord did not say who may do what.

        Args:
            turn: what the agent answers; it acts for the speaker.
            act: what is to be done.
            target: what it is about.
            begins: whether it is the first message of a send, which slowmode holds back.

        """
        actor, found, here = await self.look(turn, target, begins=begins)
        answer = _may(actor, act, found, here)
        if isinstance(answer, Denied) or turn.consented or act not in IN_CHANNELS:
            return answer
        if act is Act.SEARCH and target.channel_id is None:
            return answer
        return await self._heard(act, answer, here.channel, found.channel)

    async def _heard(
        self, act: Act, answer: Allowed, here: Channel | None, there: Channel | None
    ) -> Allowed | Denied:
        """Deny what would carry words to people who may not read where they are from.

        From the event's own place, and into it, all may be carried.
        """
        if here is None or there is None:
            return UNKNOWN_CHANNEL
        if there.id == here.id or isinstance(there, discord.DMChannel):
            return answer
        if act in READING:
            return answer if await self.audiences.flows(there, here) else NARROWER
        if await self.audiences.flows(here, there):
            return answer
        return WIDER._replace(place=there if isinstance(there, Place) else None)

    async def look(self, turn: Turn, target: Target, *, begins: bool = False) -> Snapshot:
        """Find out what an answer goes by; raise discord.DiscordException."""
        event, settings = turn.speaker, self._settings
        guild, holder = await self._find_holder(event)
        member = holder if isinstance(holder, discord.Member) else None
        own, channel, guest = None, None, False
        if guild is not None or event.guild_id is None:
            own = await find_channel(self._bot, event, event.channel_id, self.patience)
            channel = own
            if target.channel_id != event.channel_id:
                channel = await self._find(event, target.channel_id)
        if channel is not None and member is not None:
            guest = await is_guest(channel, member)
        barred = await self._barred(event.author_id, member, guild, own)
        # From here on nothing is awaited: what is read is of one moment.
        wait = 0.0
        if begins and member is not None and channel is not None and channel is not own:
            wait = self._pace.wait(member, channel)
        agent_id = settings.agent_of(event, turn.route.role)
        return Snapshot(
            Actor(
                event.author_id,
                holder,
                barred,
                turn.agent_id,
                person=member is None or not member.bot or trusts(settings, event),
            ),
            Found(target, channel, guest, wait),
            Here(
                event.guild_id,
                guild,
                own,
                agent_id,
                why_shut(settings, event.guild_id) if agent_id is None else None,
                settings.paused_since(event.guild_id) is not None,
            ),
        )

    def sent(self, turn: Turn, channel_id: int) -> None:
        """Note that a send has begun in a channel, for its slowmode."""
        self._pace.sent(turn.speaker.author_id, channel_id)

    async def _find(self, event: Event, channel_id: int | None) -> Channel | None:
        if channel_id is None:
            return None
        return await find_channel(self._bot, event, channel_id, self.patience)

    async def _find_holder(self, event: Event) -> tuple[discord.Guild | None, Holder | None]:
        if event.guild_id is None:
            return None, None
        found = await self.holder(event)
        if isinstance(found, Denied):
            return (None if found is GUILD_GONE else self._bot.get_guild(event.guild_id)), None
        return found.guild, found

    async def holder(self, event: Event) -> Holder | Denied:
        """Return whose rights count in an event's guild, or why nobody's do.

        A webhook that is trusted has those of everybody. Raise discord.DiscordException if Discord
        did not say.
        """
        if event.author_id in self._settings.guild(event.guild_id).webhooks_trusted:
            guild = await find_guild(self._bot, event.guild_id or 0, self.patience)
            return GUILD_GONE if guild is None else guild.default_role
        return await find_author(self._bot, event, self.patience)


def trusts(settings: Settings, event: Event) -> bool:
    """Tell whether an event's author is a bot that may ask in its guild."""
    return event.author_id in settings.guild(event.guild_id).bots_trusted


async def find_author(
    bot: discord.Client, event: Event, patience: Patience = PATIENCE
) -> discord.Member | Denied:
    """Return who wrote in a guild, from the cache if possible, or why nobody can be asked for.

    Raise discord.DiscordException if Discord did not say.
    """
    guild = await find_guild(bot, event.guild_id or 0, patience)
    if guild is None:
        return GUILD_GONE
    try:
        return guild.get_member(event.author_id) or await guild.fetch_member(event.author_id)
    except discord.NotFound:
        return AUTHOR_GONE


async def can_view(
    member: discord.Member, channel: Channel | discord.GroupChannel | discord.PartialMessageable
) -> bool:
    """Tell whether a member sees a channel or thread.

    Raise discord.DiscordException if Discord did not say who is in a private thread.
    """
    if isinstance(channel, discord.GroupChannel | discord.PartialMessageable):
        return False
    if not sees(member, channel, guest=True):
        return False
    return sees(member, channel, guest=False) or await is_guest(channel, member)


async def is_guest(channel: Channel, member: discord.Member) -> bool:
    """Tell of a private thread whether somebody is in it."""
    if not isinstance(channel, discord.Thread) or not channel.is_private():
        return False
    if not sees(member, channel, guest=True) or sees(member, channel, guest=False):
        return False  # It makes no difference, and asking takes a request.
    # The cache knows only who joined or left since the bot started.
    try:
        await channel.fetch_member(member.id)
    except (discord.NotFound, discord.Forbidden):
        return False
    return True


def why_shut(settings: Settings, guild_id: int | None) -> Reason | None:
    """Return why nobody is answered in a guild, or in direct messages (None); None if they are."""
    if guild_id is None and not settings.world.enable_dm_responses:
        return Reason.DM_DISABLED
    if settings.world.letta_base_url is None:
        return Reason.NOT_CONFIGURED
    if settings.agent_for(guild_id) is None:
        return Reason.NOT_ENABLED if guild_id is not None else Reason.DM_NO_AGENT
    return None
