"""Decide whether a message is for the agent, and whether its author may ask: one list of gates."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import discord
from redbot.core import commands
from redbot.core.bot import Red

from ..chat.failures import FAILURES
from ..chat.places import Place, find_place
from ..clock import Clock
from ..guard.barring import barred_by_red, barred_there, kept_out
from ..guard.looking import trusts, why_shut
from ..guard.policy import NO_PERSON, Act, Actor, Denied, Found, Here, Target, may
from ..guard.sight import Holder, may_write
from ..ledger import Store
from ..model import Event, Kind
from ..reasons import Reason
from ..settings import MCP_TOOLS, TO_ANY, GuildSettings, Settings
from .addressing import addressed, called, replied_to, unplaced, unresolved
from .bot_turns import BotTurns, is_person
from .coming import Coming
from .prefixes import is_command, is_of_other_bot
from .replies import Replies
from .waits import Waits


class Trigger(NamedTuple):
    """A message that the agent is to answer."""

    kind: Kind


class Refusal(NamedTuple):
    """A message that the agent is not to see."""

    reason: Reason


@dataclass(slots=True)
class _Asked:
    """A message on its way through the gates, and what they found out."""

    message: discord.Message
    mine: GuildSettings
    actor: Actor
    found: Found
    here: Here
    kind: Kind | None = None
    replied: discord.Message | None = None


class Triggers:
    """Passes messages through the gates; whoever takes one in goes by these, however it came."""

    def __init__(
        self, bot: Red, cog: commands.Cog, settings: Settings, store: Store, clock: Clock
    ) -> None:
        self._bot = bot
        self._cog = cog
        self._settings = settings
        self.coming = Coming(clock)
        self.waits = Waits(bot, self._see)
        self.replies = Replies(store, clock)
        self.turns = BotTurns()

    async def start(self) -> None:
        """Begin to see what the gates go by."""
        await self.replies.start()
        self.waits.start()

    async def stop(self) -> None:
        """See nothing more."""
        await self.waits.stop()

    def addressed(self, message: discord.Message) -> Kind | None:
        """Tell how a message addresses the bot, from the message alone."""
        me = self._bot.user
        return None if me is None else addressed(message, me, self._of(message))

    def may_address(self, message: discord.Message) -> bool:
        """Tell whether a message addresses the bot; in doubt it does.

        Every message of every guild passes here, and most show at a glance that they do not.
        """
        guild = message.guild
        if guild is not None and message.reference is None and not message.mentions:
            word = self._settings.guild(guild.id).wake_word
            if word is None and not message.role_mentions:
                return False
        return self.addressed(message) is not None or unresolved(message)

    def _see(self, message: discord.Message) -> None:
        """Hold a message that may be for the agent until something has come of it."""
        if self.may_address(message) or unplaced(message):
            self.coming.came(message.id)

    def may_ask(self, message: discord.Message) -> bool:
        """Tell whether a message is a person's, or of a bot or webhook that is trusted there."""
        if is_person(message):
            return True
        # The author of a webhook's message has the webhook's id, which nobody can choose.
        mine, author_id = self._of(message), message.author.id
        return author_id in mine.bots_trusted or author_id in mine.webhooks_trusted

    async def check(self, message: discord.Message) -> Trigger | Refusal:
        """Pass a message through every gate, in order, or name the one that stopped it."""
        asked = self._of_message(message)
        reason = await self._first(_GATES, asked)
        if reason is not None or asked.kind is None:
            return Refusal(reason or Reason.NOT_ADDRESSED)
        return Trigger(asked.kind)

    async def why_not(self, message: discord.Message) -> Reason | None:
        """Tell why a message is not for the agent, whoever wrote it; None if it is."""
        return await self._first(_OF_MESSAGES, self._of_message(message))

    async def still_welcome(self, event: Event) -> Reason | None:
        """Ask again, when an event's turn has come, what may have changed; a reason to cancel it.

        What can't be found out (not connected yet, an outage of Discord) is no reason.
        """
        bot, settings, guild_id = self._bot, self._settings, event.guild_id
        shut = why_shut(settings, guild_id)
        if shut is not None:
            return shut
        if not bot.is_ready():
            return None
        guild = bot.get_guild(guild_id) if guild_id is not None else None
        if guild is not None and guild.unavailable:
            return None
        member = guild.get_member(event.author_id) if guild is not None else None
        barred, place = await barred_by_red(bot, self._cog, event.author_id, member, guild), None
        if barred is None and guild is not None:
            try:
                place = await find_place(bot, event, event.channel_id)
            except FAILURES:
                return None
            if place is not None:
                barred = await barred_there(bot, settings, event.author_id, member, guild, place)
        holder: Holder | None = member
        if guild is not None and event.author_id in settings.guild(guild_id).webhooks_trusted:
            holder = guild.default_role
        person = member is None or not member.bot or trusts(settings, event)
        actor = Actor(event.author_id, holder, barred, person=person)
        found = Found(Target(event.channel_id), place)
        answer = may(actor, Act.ASK, found, Here(guild_id, guild, place))
        return answer.code if isinstance(answer, Denied) else None

    # -- what is asked of a message

    async def _first(self, gates: Iterable[_Gate], asked: _Asked) -> Reason | None:
        for gate in gates:
            if (reason := await gate(self, asked)) is not None:
                return reason
        return None

    async def _author(self, asked: _Asked) -> Reason | None:
        """A person wrote it, or who is trusted here like one."""
        return None if asked.actor.person else NO_PERSON.code

    async def _address(self, asked: _Asked) -> Reason | None:
        """It addresses the bot."""
        message, me = asked.message, self._bot.user
        asked.kind, asked.replied = self.addressed(message), replied_to(message)
        if asked.kind is None and me and asked.here.shut is None and unresolved(message):
            replied = asked.replied = await _fetch_replied(message)
            asked.kind = "reply" if replied and replied.author.id == me.id else None
        return Reason.NOT_ADDRESSED if asked.kind is None else None

    async def _wait(self, asked: _Asked) -> Reason | None:
        """No other cog has waited for it."""
        return Reason.AWAITED if self.waits.took(asked.message) else None

    async def _command(self, asked: _Asked) -> Reason | None:
        """It is no command of this bot, nor of another."""
        if await is_command(asked.message, self._bot):
            return Reason.COMMAND
        if is_of_other_bot(asked.message, asked.mine.prefixes_ignored):
            return Reason.OTHER_BOTS_COMMAND
        return None

    async def _reply(self, asked: _Asked) -> Reason | None:
        """A reply is to what was posted for the agent, or calls the bot."""
        message, mine, me = asked.message, asked.mine, self._bot.user
        if asked.kind != "reply" or mine.replies == TO_ANY or mine.discord_tools == MCP_TOOLS:
            return None
        # Where nobody answers, the ledger need not be asked.
        if asked.here.shut is not None or me is None or called(message, me, mine):
            return None
        reference = message.reference
        replied_id = reference.message_id if reference is not None else None
        if replied_id is None or await self.replies.for_agent(replied_id, asked.replied):
            return None
        return Reason.OTHER_COGS_MESSAGE

    # -- and of who wrote it

    async def _leave(self, asked: _Asked) -> Reason | None:
        """Its author may ask here."""
        actor, here = asked.actor, asked.here
        missing = here.shut
        # Of a missing agent a person is told in a DM, and so only one who may use the bot.
        if missing is Reason.DM_NO_AGENT:
            here = here._replace(shut=None)
        if here.shut is None:
            actor = actor._replace(barred=await self._barred(asked))
        answer = may(actor, Act.ASK, asked.found, here)
        return answer.code if isinstance(answer, Denied) else missing

    async def _turns(self, asked: _Asked) -> Reason | None:
        """Bots have not had their turns already."""
        if is_person(asked.message):
            return None
        had = self.turns.given(asked.message.channel.id)
        return Reason.BOTS_ALONE if had >= asked.mine.bot_turns else None

    async def _barred(self, asked: _Asked) -> Reason | None:
        """Return why somebody may not use the bot where they write."""
        bot, message, guild = self._bot, asked.message, asked.here.guild
        if await bot.cog_disabled_in_guild(self._cog, guild):
            return Reason.COG_DISABLED
        # Red counts a place where it can't write as ineligible.
        place = asked.found.channel
        if guild is not None and (place is None or not may_write(place, guild.me)):
            return Reason.CANNOT_SEND
        member = asked.actor.member
        if guild is not None and place is not None and not is_person(message):
            # To Red no bot is eligible; its lists count all the same.
            author_id = message.author.id
            return await barred_by_red(
                bot, self._cog, author_id, member, guild
            ) or await barred_there(bot, self._settings, author_id, member, guild, place)
        try:
            eligible = await bot.message_eligible_as_command(message)
        except discord.ClientException:  # a thread whose parent channel the bot can't see
            return Reason.CANNOT_SEND
        if not eligible:
            return Reason.INELIGIBLE
        if guild is None:
            return None
        return await kept_out(
            bot, self._settings, message.author.id, member, guild, message.channel
        )

    # -- what is known of a message without asking anybody

    def _of(self, message: discord.Message) -> GuildSettings:
        return self._settings.guild(message.guild.id if message.guild is not None else None)

    def _of_message(self, message: discord.Message) -> _Asked:
        author, guild, place = message.author, message.guild, message.channel
        guild_id = guild.id if guild is not None else None
        channel = place if isinstance(place, Place | discord.DMChannel) else None
        holder: Holder | None = author if isinstance(author, discord.Member) else None
        mine = self._of(message)
        if guild is not None and author.id in mine.webhooks_trusted:
            holder = guild.default_role
        actor = Actor(author.id, holder, person=self.may_ask(message))
        here = Here(guild_id, guild, channel, shut=why_shut(self._settings, guild_id))
        found = Found(Target(place.id, message.id), channel)
        return _Asked(message, mine, actor, found, here)


_Gate = Callable[[Triggers, _Asked], Awaitable[Reason | None]]
"""Returns why a message does not pass, or None."""

# In order: of several reasons the first counts. What Red or the ledger is asked comes late.
_OF_MESSAGES: tuple[_Gate, ...] = (
    Triggers._address,
    Triggers._wait,
    Triggers._command,
    Triggers._reply,
)
_GATES: tuple[_Gate, ...] = (
    Triggers._author,
    *_OF_MESSAGES,
    Triggers._leave,
    Triggers._turns,
)


async def _fetch_replied(message: discord.Message) -> discord.Message | None:
    reference = message.reference
    if reference is None or reference.message_id is None:
        return None
    try:
        return await message.channel.fetch_message(reference.message_id)
    except FAILURES:
        return None
