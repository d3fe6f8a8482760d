"""The other way in: what is asked by a command, a button or a schedule, without a message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, NamedTuple, cast

import discord
from redbot.core.bot import Red

from ..chat.places import Place
from ..clock import Clock
from ..context import build_asked_context
from ..guard.sight import may_write
from ..ids import new_event_id
from ..ledger import Store
from ..model import NO_WISH, Event, EventContext, Kind, Wish
from ..queue import EXPIRY_SECONDS, Enqueued, MessageQueue
from ..reasons import Reason
from ..runs.background import Background
from ..settings import Settings
from .triggers import Triggers

Describe = Callable[[], Awaitable[EventContext]]


class Question(NamedTuple):
    """What is asked without a message.

    `number` is the id of the interaction, or a schedule's `wake_id`: the same one is accepted
    once. `author` is who asks; for a schedule that is who made it. `anchor_id` is the message of
    the bot's that stands for the question, where there is one already.
    """

    kind: Kind
    number: int
    author: discord.User | discord.Member
    channel: Place | discord.DMChannel
    text: str
    anchor_id: int | None = None
    wish: Wish = NO_WISH


class Asking:
    """Turns questions into events, by the gates and limits that messages go through."""

    def __init__(
        self,
        bot: Red,
        store: Store,
        queue: MessageQueue,
        clock: Clock,
        triggers: Triggers,
        greet: Callable[[Event], Coroutine[Any, Any, None]],
        background: Background,
        settings: Settings,
    ) -> None:
        self._settings = settings
        self._bot = bot
        self._store = store
        self._queue = queue
        self._clock = clock
        self._triggers = triggers
        self._greet = greet
        self._background = background
        # Of what waits or runs, by the message that stands for it.
        self._anchored: dict[int, Event] = {}

    def start(self) -> None:
        """Know the anchors of what was accepted by an Aurora before this one."""
        for event in self._queue.waiting():
            self._keep_anchor(event)

    async def submit(self, question: Question, describe: Describe | None = None) -> Event | Reason:
        """Accept a question, on behalf of who asks; or return the reason why not.

        Accepted means that it is kept. Whoever asks with the rights of a person must be that
        person, or have asked them: here only those are looked at which every message needs.
        `describe` makes a context that tells of more than the question does.
        """
        event = self._event(question)
        reason = await self._why_not(event, question.channel)
        if reason is not None:
            return reason
        answer = await self._queue.enqueue(event, describe or partial(self._context, question))
        if answer is not Enqueued.ACCEPTED:
            return Reason(answer)
        self._keep_anchor(event)
        self._background.start(self._greet(event), f"greets: {event.id}")
        return event

    async def anchor(self, event: Event, message_id: int) -> None:
        """Keep which message of the bot's stands for an event that was accepted without one."""
        event.anchor_id = message_id
        self._keep_anchor(event)
        await self._store.keep_anchor(event, message_id)

    def asked_by(self, message_ids: set[int]) -> set[int]:
        """Return the ids of the sources of unfinished events that some messages stand for."""
        found = {one: self._anchored[one] for one in message_ids & self._anchored.keys()}
        return {event.message_id for event in found.values() if not event.state.final}

    async def _why_not(self, event: Event, channel: Place | discord.DMChannel) -> Reason | None:
        if not isinstance(channel, discord.DMChannel) and not may_write(channel, channel.guild.me):
            return Reason.CANNOT_SEND
        return await self._triggers.still_welcome(event)

    def _keep_anchor(self, event: Event) -> None:
        if event.anchor_id is not None:
            over = [key for key, one in self._anchored.items() if one.state.final]
            for message_id in over:
                del self._anchored[message_id]
            self._anchored[event.anchor_id] = event

    def _event(self, question: Question) -> Event:
        now, channel = self._clock.time(), question.channel
        guild = None if isinstance(channel, discord.DMChannel) else channel.guild
        return Event(
            id=new_event_id(now),
            kind=question.kind,
            message_id=question.number,
            channel_id=channel.id,
            guild_id=guild.id if guild is not None else None,
            author_id=question.author.id,
            accepted_at=now,
            expires_at=now + EXPIRY_SECONDS,
            parent_id=getattr(channel, "parent_id", None),
            anchor_id=question.anchor_id,
            wish=str(self._wish(question)),
        )

    def _wish(self, question: Question) -> Wish:
        """Return what is wanted: who answers in that place, unless another is named."""
        channel, wish = question.channel, question.wish
        if wish.role or isinstance(channel, discord.DMChannel):
            return wish
        parent_id = getattr(channel, "parent_id", None)
        role = self._settings.role_at(channel.guild.id, channel.id, parent_id)
        return wish._replace(role=role)

    async def _context(self, question: Question) -> Any:
        me = cast(discord.ClientUser, self._bot.user)
        return build_asked_context(
            question.kind,
            question.author,
            question.channel,
            question.text,
            at=self._clock.time(),
            me=me,
        )
