"""What schedules need of Discord: whether they may, who is there, and a way to wake an agent."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import tzinfo
from zoneinfo import ZoneInfo

import discord
from redbot.core.bot import Red

from ..chat.failures import FAILURES
from ..chat.places import Place, find_guild, is_away
from ..guard.sight import may_write
from ..ids import message_id_at, wake_id
from ..ledger import Store
from ..model import Schedule, State
from ..reasons import Reason
from ..settings import Settings
from ..words import Phrase
from ..words import schedules as w
from .asking import Asking, Question

log = logging.getLogger("red.aurora.schedules")

_LOOKED_AT = 50
"""How many messages are looked at for one of a person's."""


class Waking:
    """Wakes agents for schedules, in a real Discord."""

    def __init__(
        self,
        bot: Red,
        settings: Settings,
        store: Store,
        asking: Asking,
        tell_guild: Callable[[int, Phrase], None],
    ) -> None:
        self._bot = bot
        self._settings = settings
        self._store = store
        self._asking = asking
        self._tell_guild = tell_guild

    async def ready(self) -> None:
        """Wait until the bot knows its servers."""
        await self._bot.wait_until_red_ready()

    def is_away(self, guild_id: int) -> bool:
        """Tell whether a guild is not to be had at the moment."""
        return is_away(self._bot, guild_id)

    def is_on(self, guild_id: int) -> bool:
        """Tell whether schedules are wanted in a guild, and somebody answers there."""
        wanted = self._settings.guild(guild_id).schedules_enabled
        return wanted and self._settings.agent_for(guild_id) is not None

    def zone(self, guild_id: int) -> tzinfo:
        """Return by what clocks a guild lives."""
        return ZoneInfo(self._settings.guild(guild_id).timezone)

    def quiet_hours(self, guild_id: int) -> tuple[int, int]:
        """Return between which hours of the day nothing is posted unasked."""
        first, last = self._settings.guild(guild_id).quiet_hours
        return first, last

    async def hindrance(self, schedule: Schedule) -> Phrase | None:
        """Return why its creator may not have the agent woken there; what nobody knows is none."""
        try:
            guild = await find_guild(self._bot, schedule.guild_id)
            if guild is None:
                return None
            member = await _member(guild, schedule.author_id)
            place = _place(guild, schedule.channel_id)
        except FAILURES:
            return None
        if member is None:
            return w.CREATOR_LEFT
        if not await self._manages(member):
            return w.CREATOR_NO_MANAGER
        if place is None or not may_write(place, member) or not may_write(place, guild.me):
            return w.NO_SUCH_PLACE
        return None

    async def is_quiet(self, schedule: Schedule) -> bool:
        """Tell whether no person wrote in the channel since it was woken last; in doubt it is."""
        guild = self._bot.get_guild(schedule.guild_id)
        place = _place(guild, schedule.channel_id) if guild is not None else None
        if place is None:
            return True
        since = discord.Object(message_id_at(schedule.woken_at or 0.0))
        try:
            async for message in place.history(limit=_LOOKED_AT, after=since, oldest_first=False):
                if not message.author.bot:
                    return False
        except FAILURES as error:
            log.info("Schedule %s is left out: %s", schedule.id, type(error).__name__)
        return True

    async def wake(self, schedule: Schedule, due: float) -> None:
        """Hand the agent its task, once for each time that is due."""
        guild = self._bot.get_guild(schedule.guild_id)
        member = await _member(guild, schedule.author_id) if guild is not None else None
        place = _place(guild, schedule.channel_id) if guild is not None else None
        if member is None or place is None:
            return
        number = wake_id(schedule.id, due)
        answer = await self._asking.submit(
            Question("wake", number, member, place, schedule.prompt)
        )
        if isinstance(answer, Reason) and answer is not Reason.DUPLICATE:
            log.info("Schedule %s is left out: %s", schedule.id, answer)

    async def came_of(self, schedule: Schedule) -> State | None:
        """Return how the event of its last time stands, None if nothing is known of it."""
        if schedule.woken_at is None:
            return None
        event = await self._store.find(wake_id(schedule.id, schedule.woken_at))
        return None if event is None else event.state

    def tell(self, schedule: Schedule, what: Phrase) -> None:
        """Tell a guild's admins, in their alert channel."""
        self._tell_guild(schedule.guild_id, what)

    async def _manages(self, member: discord.Member) -> bool:
        if member.guild_permissions.manage_guild or await self._bot.is_owner(member):
            return True
        return bool(await self._bot.is_admin(member))


async def _member(guild: discord.Guild, user_id: int) -> discord.Member | None:
    try:
        return guild.get_member(user_id) or await guild.fetch_member(user_id)
    except discord.NotFound:
        return None


def _place(guild: discord.Guild, channel_id: int) -> Place | None:
    found = guild.get_channel_or_thread(channel_id)
    return found if isinstance(found, Place) else None
