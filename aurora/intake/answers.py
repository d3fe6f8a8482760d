"""Answers to what agents ask back: the press of a button is a new event in the same lane."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import discord

from ..chat.failures import FAILURES
from ..chat.places import find_place
from ..clock import Clock
from ..context import build_answer_context
from ..ledger import Store
from ..model import NO_WISH, Event, EventContext, Wish
from ..reasons import REASONS, Reason
from ..settings import Settings
from ..words import Phrase
from ..words import runs as w
from .asking import Asking, Question
from .authors import written_by
from .roles import role_of


@dataclass(frozen=True, slots=True)
class Answers:
    """Takes answers in; whoever calls this has asked the guard."""

    bot: discord.Client
    settings: Settings
    store: Store
    asking: Asking
    clock: Clock

    async def answer(
        self,
        asked: Event,
        question: discord.Message,
        person: discord.Member | discord.User,
        choice: str,
        wish: Wish = NO_WISH,
    ) -> Phrase | None:
        """Accept a choice as the answer to a question, once; return why not, or None.

        The question's message stands for the answer, which has none, and by its id a second
        answer is known.
        """
        try:
            channel = await find_place(self.bot, asked, asked.channel_id)
        except FAILURES:
            channel = None
        if channel is None:
            return w.NOT_NOW
        wish = wish._replace(role=await role_of(self.store, asked))
        said = Question("press", question.id, person, channel, choice, question.id, wish)
        describe = partial(self._context, written_by(question, person), choice)
        accepted = await self.asking.submit(said, describe)
        if not isinstance(accepted, Reason):
            return None
        if accepted is Reason.DUPLICATE:
            return w.ANSWERED_ALREADY
        return REASONS[accepted].user or w.NOT_NOW

    async def _context(self, question: discord.Message, choice: str) -> EventContext:
        guild_id = question.guild.id if question.guild is not None else None
        depth = self.settings.guild(guild_id).reply_thread_depth
        me, at = self.bot.user or question.author, self.clock.time()
        return await build_answer_context(question, choice, at=at, me=me, depth=depth)
