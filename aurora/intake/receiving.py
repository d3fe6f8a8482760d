"""The way in: a Discord message becomes an event, or is refused for a named reason."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Sequence
from functools import partial
from typing import Any, cast
from weakref import WeakValueDictionary

import discord
from redbot.core.bot import Red

from ..chat.failures import FAILURES
from ..chat.languages import speak_in
from ..clock import Clock, Throttle
from ..context import build_event_context
from ..ids import new_event_id
from ..ledger import Store
from ..model import (
    Event,
    EventContext,
    Kind,
    State,
    Wish,
)
from ..queue import EXPIRY_SECONDS, Enqueued, MessageQueue
from ..reasons import REASONS, Reason
from ..runs.background import Background
from ..runs.cancelling import Cancelling, Running, Show, messages
from ..settings import Settings
from ..words import say
from .addressing import unplaced
from .asking import Asking
from .authors import as_asked, with_member, written_by
from .edits import is_completed
from .lines import Lines, place_anew
from .proxies import Proxies
from .roles import role_replied_to
from .triggers import Refusal, Triggers
from .wishing import DEFAULT

log = logging.getLogger("red.aurora.intake")

_EXPLAIN_EVERY = 24 * 3600.0
_BOUND_NOTICE_EVERY = 60.0
_DELETED_KEPT = 200


class Intake:
    """Turns messages into events, and follows what becomes of the messages while they wait."""

    def __init__(
        self,
        bot: Red,
        settings: Settings,
        store: Store,
        queue: MessageQueue,
        clock: Clock,
        triggers: Triggers,
        cancelling: Cancelling,
        greet: Callable[[Event], Coroutine[Any, Any, None]],
        background: Background,
    ) -> None:
        self._bot = bot
        self._settings = settings
        self._store = store
        self._queue = queue
        self._clock = clock
        self.triggers = triggers
        self._cancelling = cancelling
        self._greet = greet
        self._background = background
        self.asking = Asking(bot, store, queue, clock, triggers, greet, background, settings)
        self.lines = Lines()
        self._proxies = Proxies(clock)
        # Messages of a channel are taken one after the other, or a slow look-up would let a later
        # message overtake an earlier one.
        self._order: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        # Message ids between gateway and queue, with the reason to drop them, if one came up.
        self._arriving: dict[int, Reason | None] = {}
        # Red hands a message on a moment after discord.py tells that it was deleted.
        self._lately_deleted: deque[int] = deque(maxlen=_DELETED_KEPT)
        self._explained = Throttle(clock, _EXPLAIN_EVERY)
        self._bound_notices = Throttle(clock, _BOUND_NOTICE_EVERY)

    async def heard(self, message: discord.Message) -> None:
        """Take in a message that Red has handed on, if it is meant for the agent."""
        self.triggers.turns.heard(message)
        if self.triggers.may_address(message):
            await self.receive(message)
        elif unplaced(message):
            # Who is meant can be told when its guild is here.
            self.lines.hold(message)
        self.triggers.coming.ended(message.id)

    async def receive(self, message: discord.Message) -> None:
        """Accept a message that addresses the bot, or refuse it."""
        if message.id in self._arriving or message.id in self._lately_deleted:
            return  # the gateway says it again, or has taken it back
        if unplaced(message):
            place_anew(message, self._bot)
        if self.lines.hold(message):
            return
        if message.webhook_id is not None and not self.triggers.may_ask(message):
            original = self._proxies.original_of(message)
            if original is not None:
                await self._take_copy(message, original)
                return
        self._arriving[message.id] = None
        try:
            async with self.in_order(message.channel.id):
                await self._take_in(message)
        finally:
            del self._arriving[message.id]

    async def _take_copy(self, message: discord.Message, original: discord.Message) -> None:
        """Let a proxied copy ask for the author of its original, if that had no effect yet."""
        event = await self._store.find(original.id)
        if event is None and await self._was_refused(original):
            return
        if event is not None:
            sends = await self._store.sends(event.id)
            if event.reason != Reason.MESSAGE_DELETED or any(not one.aside for one in sends):
                return
        # Behind the stranger's message that it was so far.
        async with self.in_order(message.channel.id):
            await self.receive_missed([written_by(message, original.author)])

    async def receive_missed(self, missed: Sequence[discord.Message]) -> None:
        """Accept or refuse messages of one channel that were read or had to wait, oldest first.

        The caller holds the channel's lock. All of them count as arriving from the first on.
        """
        known = {*self._arriving, *self._lately_deleted}
        fresh = [one for one in missed if one.id not in known and not self.lines.deleted(one.id)]
        self._arriving.update((message.id, None) for message in fresh)
        try:
            for message in fresh:
                await self._take_in(message)
        finally:
            for message in fresh:
                del self._arriving[message.id]

    @property
    def arriving(self) -> set[int]:
        """Return the messages that are between gateway and queue."""
        return set(self._arriving)

    async def shut(self, seconds: float) -> bool:
        """Accept nothing more, and wait until what is on its way in sees that or got there.

        False if that takes longer.
        """
        self._queue.shut()
        try:
            async with asyncio.timeout(seconds):
                for lock in list(self._order.values()):
                    async with lock:
                        pass
        except TimeoutError:
            return False
        return True

    def in_order(self, channel_id: int) -> asyncio.Lock:
        """Return the lock under which messages of a channel are taken in, one after the other."""
        return self._order.setdefault(channel_id, asyncio.Lock())

    async def _take_in(self, message: discord.Message) -> None:
        try:
            await self._receive(message)
        except Exception as error:
            log.exception("Message %s could not be taken in", message.id, exc_info=error)
            await _react(message, "⚠️")

    async def _receive(self, message: discord.Message) -> None:
        # Before it was edited it may have been refused, and is no other message now.
        if message.edited_at is not None and await self._was_refused(message):
            return
        decision = await self.triggers.check(message)
        if isinstance(decision, Refusal) and unplaced(message):
            # A new session began meanwhile, and has taken its channel away.
            if unplaced(place_anew(message, self._bot)):
                self.lines.put_back(message)
                return
            decision = await self.triggers.check(message)
        if isinstance(decision, Refusal):
            await self._refuse(message, decision.reason)
            return
        event = self._event(message, decision.kind, await self._role(message))
        match await self._queue.enqueue(event, partial(self._context, message, decision.kind)):
            case Enqueued.SHUT:
                await _react(message, REASONS[Reason.SHUT].mark)
            case Enqueued.FULL | Enqueued.PERSON_FULL | Enqueued.TOO_OFTEN as bound:
                await self._store.refuse(message.id, bound)
                # Those behind it don't wait for Discord to take a refusal.
                saying = self._say_bound(message, Reason(bound))
                self._background.start(saying, f"refuses: {message.id}")
            case Enqueued.ACCEPTED if (reason := self._arriving[message.id]) is not None:
                await self._cancelling.cancel(messages({message.id}), reason, show=Show.NOBODY)
            case Enqueued.ACCEPTED:
                self.triggers.turns.took(message)
                self._background.start(self._greet(event), f"greets: {event.id}")

    async def edited(
        self, message: discord.Message, before: discord.Message | None = None
    ) -> None:
        """Let a waiting event follow its message: new text is used, a lost mention cancels.

        `before` is the message as it was, as far as that is known.
        """
        if message.author == self._bot.user:
            # What stands for an answer or a question: what was chosen, or has come of it.
            return
        self.lines.edited(message)
        event = self._queue.find(message.id)
        if message.id not in self._arriving and event is None:
            # One that addressed the bot all along is on its way here, behind older ones.
            if before is None or not self.triggers.may_address(before):
                await self._take_edited(message)
            return
        if event is not None:
            message = as_asked(message, event)
        if not self.triggers.may_address(message):
            reason = Reason.MENTION_REMOVED
            self._drop_arriving({message.id}, reason)
            await self._cancelling.cancel(messages({message.id}), reason, show=Show.OTHERS)
            return
        # Behind the message itself, and behind an earlier edit, whose look-ups may be slower.
        async with self.in_order(message.channel.id):
            event = self._queue.find(message.id)
            if event is None or event.state is not State.WAITING:
                return
            context = await self._context(message, event.kind)
            await self._store.edit(event.id, context)

    async def _take_edited(self, message: discord.Message) -> None:
        """Accept a message whose author has added a mention."""
        if self.triggers.addressed(message) != "mention":
            return
        if is_completed(message, self._clock.time()):
            with contextlib.suppress(*FAILURES):
                if await with_member(message):
                    await self.receive(message)

    async def _was_refused(self, message: discord.Message) -> bool:
        """Tell whether a message addressed the bot, and could not ask."""
        return await self._store.refusal(message.id) not in (None, Reason.NOT_ADDRESSED)

    async def gone(self, message_ids: set[int], known: Collection[discord.Message] = ()) -> None:
        """Cancel what waits for deleted messages, and withhold the output of what runs.

        Of those `known` a copy may be there that asks instead.
        """
        reason, at = Reason.MESSAGE_DELETED, self._clock.monotonic()
        self._lately_deleted.extend(message_ids)
        asked = self.asking.asked_by(message_ids)
        self.lines.gone(message_ids)
        self._drop_arriving(message_ids, reason)
        await self._cancelling.cancel(
            messages(message_ids | asked), reason, running=Running.STOP, show=Show.OTHERS
        )
        meant = [one for one in known if self.triggers.may_address(one)]
        for copied, original in self._proxies.copies_of(meant, at):
            await self._take_copy(copied, original)

    def _drop_arriving(self, message_ids: set[int], reason: Reason) -> None:
        for message_id in message_ids & self._arriving.keys():
            self._arriving[message_id] = self._arriving[message_id] or reason

    @property
    def _me(self) -> discord.ClientUser:
        # Nothing is taken in before the login.
        return cast(discord.ClientUser, self._bot.user)

    async def _context(self, message: discord.Message, kind: Kind) -> EventContext:
        guild_id = message.guild.id if message.guild else None
        depth = self._settings.guild(guild_id).reply_thread_depth
        return await build_event_context(message, kind, me=self._me, depth=depth)

    async def _role(self, message: discord.Message) -> str:
        """Return which role a message is for: that which it replies to, else that of its place."""
        guild_id = message.guild.id if message.guild else None
        if not self._settings.guild(guild_id).roles:
            return ""
        replied = message.reference.message_id if message.reference is not None else None
        role = await role_replied_to(self._store, replied) if replied is not None else None
        if role is not None:
            return role or DEFAULT
        parent_id = getattr(message.channel, "parent_id", None)
        return self._settings.role_at(guild_id, message.channel.id, parent_id)

    def _event(self, message: discord.Message, kind: Kind, role: str) -> Event:
        now = self._clock.time()
        guild_id = message.guild.id if message.guild else None
        parent_id = getattr(message.channel, "parent_id", None)
        return Event(
            id=new_event_id(now),
            kind=kind,
            message_id=message.id,
            channel_id=message.channel.id,
            guild_id=guild_id,
            author_id=message.author.id,
            accepted_at=now,
            expires_at=now + EXPIRY_SECONDS,
            parent_id=parent_id,
            wish=str(Wish(role=role)),
        )

    async def _refuse(self, message: discord.Message, reason: Reason) -> None:
        log.debug("Message %s refused: %s", message.id, reason)
        await self._store.refuse(message.id, reason)
        if reason is Reason.DM_NO_AGENT and self._explained.allow(message.author.id):
            self._background.start(self._say_why(message, reason), f"refuses: {message.id}")

    async def _say_bound(self, message: discord.Message, reason: Reason) -> None:
        """Mark a message that is too much, and say so once a minute to a person and a channel."""
        await _react(message, REASONS[reason].mark)
        if self._bound_notices.allow(message.channel.id, message.author.id):
            await self._say_why(message, reason)

    async def _say_why(self, message: discord.Message, reason: Reason) -> None:
        """Tell the author of a message in words why it is refused, if there are any."""
        if (why := REASONS[reason].user) is not None:
            await speak_in(self._bot, message.guild.id if message.guild else None)
            with contextlib.suppress(*FAILURES):
                await message.reply(say(why), mention_author=False)


async def _react(message: discord.Message, emoji: str) -> None:
    with contextlib.suppress(*FAILURES):
        await message.add_reaction(emoji)
