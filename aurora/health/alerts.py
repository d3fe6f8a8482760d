"""Alerts: the bot's owner and a server's admins learn of an outage once, and once of its end."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

import discord
from redbot.core.bot import Red

from ..chat.failures import FAILURES
from ..chat.languages import speak_in
from ..chat.splitting import shorten
from ..clock import Clock, Throttle
from ..errors import (
    BreakerState,
    ErrorStats,
    Key,
    Provider,
)
from ..model import Event, Unread
from ..reasons import ExplainedError
from ..runs.background import Background
from ..settings import Settings
from ..words import Phrase, say
from ..words import alerts as w

log = logging.getLogger("red.aurora.alerts")

_REPEAT_SECONDS = 3600.0
_SAME_OUTAGE_SECONDS = 120.0
"""How soon after an agent's breaker the server's must open to be the same outage."""
_LASTING_SECONDS = 30.0
"""How long runs must have failed for an alert: a breaker that opens meanwhile says it better."""
PATIENCE_SECONDS = 30.0
"""How long a webhook may take."""
_MOST_SPANS = 12
"""How many channels an alert of unread messages names; that many fit into one."""
_MOST_CHARS = 1900
"""Discord takes 2,000; what is cut is said."""
_WEBHOOK = re.compile(
    r"https://(?:canary\.|ptb\.)?discord(?:app)?\.com/api/(?:v\d{1,2}/)?"
    r"webhooks/(\d{17,20})/([\w.-]{60,100})"
)


class WebhookError(ExplainedError):
    """A webhook can't be used; what is said has no secret in it."""


@dataclass(slots=True)
class _Trouble:
    """A breaker that opened. `part` is one of the server's outage, of which people know."""

    since: float
    at: float
    part: bool = False
    guilds: set[int] = field(default_factory=set)
    """Where it was told."""


class Alerts:
    """Tells those who can do something about it: the owners, their webhook, alert channels.

    `waiting` counts the events that wait, by guild; `failing_for` tells since how many seconds a
    breaker's other side fails. Nothing here blocks or raises: messages are
    sent in the background, and what Discord refuses is logged.
    """

    def __init__(
        self,
        bot: Red,
        settings: Settings,
        stats: ErrorStats,
        background: Background,
        clock: Clock,
        waiting: Callable[[], Mapping[int | None, int]],
        failing_for: Callable[[Key], float] = lambda _key: 0.0,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._bot = bot
        self._settings = settings
        self._stats = stats
        self._background = background
        self._clock = clock
        self._waiting = waiting
        self._failing_for = failing_for
        self.patience = patience
        self._troubles: dict[Key, _Trouble] = {}
        self._order: WeakValueDictionary[int | None, asyncio.Lock] = WeakValueDictionary()
        self._repeats = Throttle(clock, _REPEAT_SECONDS)
        self._failing_since: float | None = None

    def changed(self, key: Key, _old: BreakerState, new: BreakerState) -> None:
        """Hear of an outage: it is tried again in vain each time that its breaker opens."""
        if new is BreakerState.OPEN:
            self._opened(key)
        elif new is BreakerState.CLOSED:
            trouble = self._troubles.pop(key, None)
            # What is part of the server's outage ends with that.
            if trouble is not None and not trouble.part:
                self._ended(key, trouble)

    def recorded(self) -> None:
        """Hear that a run ended; tell if too many of the last ones failed."""
        now = self._clock.monotonic()
        if self._troubles or not self._stats.too_many_errors():
            self._failing_since = None
            return
        if self._failing_since is None:
            self._failing_since = now
        if now - self._failing_since >= _LASTING_SECONDS and self._stats.alert_due():
            found = self._stats.summary()
            said = w.TOO_MANY_ERRORS(errors=found.recent_errors, runs=found.recent_operations)
            self._start(self._tell_owners(said), "error rate")

    async def alert(self, what: Phrase) -> None:
        """Tell the owners what only they can mend; the same thing once an hour."""
        if self._repeats.allow(str(what)):
            self._start(self._tell_owners(what), "configuration")

    def tell(self, what: Phrase) -> None:
        """Tell the owners at once; whoever calls sees to it that it is not said twice."""
        self._start(self._tell_owners(what), "news")

    def tell_guild(self, guild_id: int, what: Phrase) -> None:
        """Tell a server's alert channel, if it has one."""
        self._start(self._tell_guild(guild_id, what), "news")

    def renewed(self, event: Event) -> None:
        """Tell a server's alert channel that a place of its has a new conversation."""
        if event.guild_id is not None:
            self.tell_guild(event.guild_id, w.RENEWED(channel=f"<#{event.channel_id}>"))

    def missed(self, unread: Sequence[Unread]) -> None:
        """Tell which channels have messages from while the bot was away that nobody looked at."""
        for guild_id in {one.guild_id for one in unread if one.guild_id is not None}:
            if self._settings.guild(guild_id).alert_channel_id is not None:
                theirs = [one for one in unread if one.guild_id == guild_id]
                self._start(self._tell_guild(guild_id, _spans(theirs)), "missed messages")
        self._start(self._tell_owners(_spans(unread)), "missed messages")

    def _opened(self, key: Key) -> None:
        trouble = self._troubles.get(key)
        if trouble is None:
            age = self._failing_for(key)
            trouble = _Trouble(self._clock.time() - age, self._clock.monotonic() - age)
            self._troubles[key] = trouble
        elif not trouble.part:
            return  # tried again, in vain
        server = self._troubles.get(None)
        trouble.part = isinstance(key, str) and server is not None
        if trouble.part:
            return
        known = key is None and self._take_over(trouble)
        told = trouble.guilds.copy()
        trouble.guilds |= self._concerned(key)
        self._stats.start_cooldown()
        if not known:
            self._start(self._tell_owners(self._down(key, trouble)), "outage")
        for guild_id in trouble.guilds - told:
            what = self._down(key, trouble, guild_id)
            self._start(self._tell_guild(guild_id, what), "outage")

    def _take_over(self, server: _Trouble) -> bool:
        """Make agents' troubles that just began part of the server's; False if there is none."""
        found = False
        for key, trouble in self._troubles.items():
            if isinstance(key, str) and server.at - trouble.at < _SAME_OUTAGE_SECONDS:
                trouble.part = found = True
                server.guilds |= trouble.guilds
                trouble.guilds.clear()
        return found

    def _ended(self, key: Key, trouble: _Trouble) -> None:
        self._stats.start_cooldown()
        self._start(self._tell_owners(self._up(key, trouble)), "end of an outage")
        for guild_id in trouble.guilds:
            what = self._up(key, trouble, guild_id)
            self._start(self._tell_guild(guild_id, what), "end of an outage")

    def _concerned(self, key: Key) -> set[int]:
        """Return the guilds that have an alert channel and use the agent, or any (None)."""
        whose = key.agent_id if isinstance(key, Provider) else key
        return {
            guild.id
            for guild in self._bot.guilds
            if self._settings.guild(guild.id).alert_channel_id is not None
            and (agent_id := self._settings.agent_for(guild.id)) is not None
            and whose in (None, agent_id)
        }

    def _count(self, key: Key, guild_id: int | None) -> int:
        """Count what waits for a breaker, in a guild or (None) everywhere."""
        whose = key.agent_id if isinstance(key, Provider) else key
        waiting = self._waiting()
        if guild_id is not None:
            return waiting.get(guild_id, 0)
        agent_for = self._settings.agent_for
        return sum(count for place, count in waiting.items() if whose in (None, agent_for(place)))

    def _down(self, key: Key, trouble: _Trouble, guild_id: int | None = None) -> Phrase:
        if guild_id is not None:
            what, todo = w.GUILD_DOWN, w.GUILD_REMEDY
        elif key is None:
            what = w.SERVER_DOWN(url=self._settings.world.letta_base_url)
            todo = w.SERVER_REMEDY
        elif isinstance(key, Provider):
            what, todo = w.AGENT_LIMITED(agent=key.agent_id), w.LIMITED_REMEDY
        else:
            what, todo = w.AGENT_DOWN(agent=key), w.AGENT_REMEDY
        since, waiting = f"<t:{trouble.since:.0f}:t>", self._count(key, guild_id)
        return w.DOWN(what=what, since=since, waiting=waiting, todo=todo)

    def _up(self, key: Key, trouble: _Trouble, guild_id: int | None = None) -> Phrase:
        if guild_id is not None:
            who = w.THE_GUILDS_AGENT
        elif isinstance(key, Provider):
            who = w.THE_LIMITED(agent=key.agent_id)
        else:
            who = w.THE_SERVER if key is None else w.THE_AGENT(agent=key)
        minutes, seconds = divmod(round(self._clock.monotonic() - trouble.at), 60)
        after = (w.MINUTES if minutes else w.SECONDS)(minutes=minutes, seconds=seconds)
        return w.UP(who=who, after=after, waiting=self._count(key, guild_id))

    def _turn(self, guild_id: int | None) -> asyncio.Lock:
        """Return what keeps an outage's end from overtaking its beginning."""
        return self._order.setdefault(guild_id, asyncio.Lock())

    def _start(self, work: Coroutine[Any, Any, None], what: str) -> None:
        self._background.start(work, f"alert: {what}")

    async def _tell_owners(self, what: Phrase) -> None:
        async with self._turn(None):
            said = await self._said(what, None)
            try:
                quiet = discord.AllowedMentions.none()
                await self._bot.send_to_owners(said, allowed_mentions=quiet)
            except FAILURES as error:
                log.warning("No alert to the owners: %s", type(error).__name__)
            await self._tell_webhook(said)

    async def _tell_guild(self, guild_id: int, what: Phrase) -> None:
        """Write into a guild's alert channel; one that is gone is forgotten."""
        async with self._turn(guild_id):
            guild = self._bot.get_guild(guild_id)
            channel_id = self._settings.guild(guild_id).alert_channel_id
            if guild is None or channel_id is None:
                return
            try:
                channel = guild.get_channel_or_thread(channel_id)
                channel = channel or await guild.fetch_channel(channel_id)
                await send_alert(channel, await self._said(what, guild))
            except (discord.NotFound, discord.InvalidData):
                log.warning("The alert channel of server %s is gone; alerts are off", guild_id)
                await self._settings.set_guild(guild_id, alert_channel_id=None)
            except FAILURES as error:
                log.warning("No alert in server %s: %s", guild_id, type(error).__name__)

    async def _said(self, what: Phrase, guild: discord.Guild | None) -> str:
        """Say something in the language, and with the prefix, of a guild or (None) the owners."""
        await speak_in(self._bot, guild.id if guild is not None else None)
        prefix = (await self._bot.get_valid_prefixes(guild))[0]
        return shorten(f"**Aurora**: {say(what, prefix)}", _MOST_CHARS)

    async def _tell_webhook(self, text: str) -> None:
        url = self._settings.world.alert_webhook
        if url is None:
            return
        try:
            await send_to_webhook(self._bot, url, text, self.patience)
        except WebhookError as error:
            # discord.py's own words may carry the address, which is a secret.
            log.warning("No alert by the webhook: %s", error)


def _spans(unread: Sequence[Unread]) -> Phrase:
    """Name channels with from when to when they were not read, latest first."""
    latest = sorted(unread, key=lambda one: one.until, reverse=True)
    named = [_span(one) for one in latest[:_MOST_SPANS]]
    if len(latest) > _MOST_SPANS:
        named.append(w.UNREAD_MORE(count=len(latest) - _MOST_SPANS))
    values = {f"span{number}": one for number, one in enumerate(named)}
    spans = Phrase("".join(f"\n- {{{name}}}" for name in values), values)
    return w.UNREAD(spans=spans)


def _span(one: Unread) -> Phrase:
    since, until = f"<t:{one.since:.0f}:f>", f"<t:{one.until:.0f}:f>"
    if one.guild_id is None:
        return w.UNREAD_DM(since=since, until=until)
    return w.UNREAD_CHANNEL(channel=f"<#{one.channel_id}>", since=since, until=until)


async def send_alert(channel: discord.abc.Snowflake, text: str) -> None:
    """Write into a channel without pinging anybody; raise discord.DiscordException."""
    if not isinstance(channel, discord.abc.Messageable):
        raise discord.InvalidData("The channel holds no messages.")
    await channel.send(text, allowed_mentions=discord.AllowedMentions.none())


def parse_webhook(text: str) -> str | None:
    """Return the address of a Discord webhook as Discord writes it; None if it is none."""
    found = _WEBHOOK.fullmatch(text.strip().strip("<>"))
    return f"https://discord.com/api/webhooks/{found[1]}/{found[2]}" if found else None


def masked(url: str) -> str:
    """Write a webhook's address without what makes it a key."""
    return re.sub(r"/[^/]+$", "/…", url)


async def send_to_webhook(
    bot: discord.Client, url: str, text: str, patience: float = PATIENCE_SECONDS
) -> None:
    """Let a webhook say something within `patience` seconds, without pings.

    Raises WebhookError, whose text says what Discord had against it.
    """
    try:
        hook = discord.Webhook.from_url(url, client=bot)
        async with asyncio.timeout(patience):
            await hook.send(text, allowed_mentions=discord.AllowedMentions.none())
    except (discord.NotFound, ValueError):
        raise WebhookError(w.NO_SUCH_WEBHOOK) from None
    except discord.HTTPException as error:
        raise WebhookError(w.WEBHOOK_REFUSED(status=error.status)) from None
    except FAILURES as error:
        raise WebhookError(w.WEBHOOK_OUT_OF_REACH(error=type(error).__name__)) from None
