"""Questions by a command, or by the menu of a message: kept first, then answered in public."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any, NamedTuple

import discord

from ..chat.anchors import anchor_text, quoted
from ..chat.failures import FAILURES
from ..chat.places import Place
from ..clock import Clock
from ..context import CHAIN_MESSAGE_CHARS, build_asked_context, quote
from ..guard.sight import may_write
from ..ids import message_id_at, task_id
from ..model import NO_WISH, Event, EventContext, Wish
from ..queue import MessageQueue
from ..reasons import REASONS, Reason
from ..words import Phrase
from ..words import asks as w
from .asking import Asking, Question
from .wishing import Wishes

log = logging.getLogger("red.aurora.intake")

_THREAD_SECONDS = 1.5
"""How long the opening of a thread may take: Discord waits three seconds for all of it."""
_THREAD_NAME_CHARS = 90
_LOOKED_BACK = 100
_QUIET = discord.AllowedMentions.none()


class Request(NamedTuple):
    """What somebody asks, and how it is to be answered.

    In a `thread` of its own; with patience, in the `background`; `about` a message; as the `wish`
    says.
    """

    text: str
    thread: bool = False
    background: bool = False
    about: discord.Message | None = None
    wish: Wish = NO_WISH


class Asks:
    """Takes questions in that come by an interaction, each on behalf of who asks."""

    def __init__(
        self,
        bot: discord.Client,
        asking: Asking,
        queue: MessageQueue,
        clock: Clock,
        wishes: Wishes,
    ) -> None:
        self.wishes = wishes
        self._bot = bot
        self._asking = asking
        self._queue = queue
        self._clock = clock

    async def ask(self, interaction: discord.Interaction[Any], request: Request) -> Phrase | None:
        """Keep a question under its interaction's id, and show it in public; or say why not.

        The message that shows it is its anchor. Nothing uses the interaction afterwards.
        """
        here, person = interaction.channel, interaction.user
        if not isinstance(here, Place | discord.DMChannel) or not _may_answer(here):
            return w.NOT_HERE
        if not request.text.strip():
            return w.NO_QUESTION
        place: Place | discord.DMChannel = here
        if request.thread:
            thread = await _open_thread(here, person, request.text)
            if thread is None:
                return w.NO_THREAD
            place = thread
        question = Question("ask", interaction.id, person, place, request.text, wish=request.wish)
        event = await self._asking.submit(question, partial(self._context, question, request))
        if isinstance(event, Reason):
            return REASONS[event].user or w.NOT_NOW
        await self.wishes.stick(place, person, request.wish)
        # Whatever becomes of the interaction: from here on an answer comes.
        shown = await self._show(interaction, event, request.text, place)
        if place is not here:
            shown = await _post(place, _said(event, request.text))
        if shown is not None:
            await self._asking.anchor(event, shown)
        return None

    async def find_anchors(self) -> None:
        """Look for the anchors of questions that were kept before theirs was known.

        Discord says of each message by which interaction it came.
        """
        for event in self._queue.waiting():
            if event.kind == "ask" and event.anchor_id is None:
                found = await self._find(event)
                if found is not None and not event.state.final:
                    await self._asking.anchor(event, found)

    async def _find(self, event: Event) -> int | None:
        place = self._bot.get_channel(event.channel_id)
        if not isinstance(place, Place | discord.DMChannel):
            return None
        after = discord.Object(message_id_at(event.accepted_at - 60.0))
        try:
            async for one in place.history(limit=_LOOKED_BACK, after=after):
                came_by = one.interaction_metadata
                if came_by is not None and came_by.id == event.message_id:
                    return one.id
        except FAILURES as error:
            log.info("No anchor for event %s: %s", event.id, type(error).__name__)
        return None

    async def _show(
        self,
        interaction: discord.Interaction[Any],
        event: Event,
        text: str,
        place: Place | discord.DMChannel,
    ) -> int | None:
        """Answer the interaction in public; return the id of the message, None if it is none."""
        said = _said(event, text, place if place != interaction.channel else None)
        try:
            sent = await interaction.response.send_message(said, allowed_mentions=_QUIET)
        except FAILURES as error:
            log.info("No reply to interaction %s: %s", interaction.id, type(error).__name__)
            return await _post(place, said)
        return sent.message_id

    async def _context(self, question: Question, request: Request) -> EventContext:
        me = self._bot.user or question.author
        at, author, place = self._clock.time(), question.author, question.channel
        context = build_asked_context("ask", author, place, request.text, at=at, me=me)
        if request.about is not None:
            context["chain"] = [quote(request.about, limit=CHAIN_MESSAGE_CHARS, viewer=author)]
        if request.background or request.thread:
            context["patient"] = True
        return context


def _said(event: Event, text: str, thread: Place | discord.DMChannel | None = None) -> str:
    person, question = f"<@{event.author_id}>", quoted(text)
    said = w.ASKS(person=person, question=question)
    if thread is not None:
        said = w.ASKS_IN(person=person, question=question, thread=f"<#{thread.id}>")
    return anchor_text(said, w.TASK_STARTED(task=f"`{task_id(event.id)}`"))


def _may_answer(place: Place | discord.DMChannel) -> bool:
    return isinstance(place, discord.DMChannel) or may_write(place, place.guild.me)


async def _post(place: Place | discord.DMChannel, text: str) -> int | None:
    try:
        return (await place.send(text, allowed_mentions=_QUIET)).id
    except FAILURES as error:
        log.info("No anchor in channel %s: %s", place.id, type(error).__name__)
        return None


async def _open_thread(
    place: Place | discord.DMChannel, person: discord.User | discord.Member, text: str
) -> discord.Thread | None:
    """Open a thread for a question, where its asker and the bot may; None if that can't be."""
    if not isinstance(place, discord.TextChannel) or not isinstance(person, discord.Member):
        return None
    for who in (person, place.guild.me):
        rights = place.permissions_for(who)
        if not (rights.create_public_threads and rights.send_messages_in_threads):
            return None
    name = " ".join(text.split())[:_THREAD_NAME_CHARS]
    try:
        async with asyncio.timeout(_THREAD_SECONDS):
            thread = await place.create_thread(name=name, type=discord.ChannelType.public_thread)
            await thread.add_user(person)
    except FAILURES as error:
        log.info("No thread in channel %s: %s", place.id, type(error).__name__)
        return None
    return thread
