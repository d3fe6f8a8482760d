"""Delivery: every event gets its one answer and a visible end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Literal

import discord

from ..guard.policy import UNKNOWN_CHANNEL
from ..ledger import Store
from ..model import Event, Send, Trace, Turn
from ..reasons import POSTPONED, REASONS, Reason
from ..words import Phrase, say
from .failures import (
    FAILURES,
    SendFailed,
    explain,
    insist,
)
from .languages import Speak, speak_as_before
from .places import find_place
from .sender import Sender

log = logging.getLogger("red.aurora.delivery")

FAILED = "⚠️"
"""Aurora's reaction where not even a notice could be posted."""

_TYPING_SECONDS = 8.0  # Discord shows typing for ten
_TYPING_HEAD_START = 0.05
_DELIVERY_KEY = "delivery"
_UNKNOWN_FATE = frozenset({Reason.DISCORD_ERROR, Reason.DISCORD_TIMEOUT})


class Delivery:
    """Reads the record of what a run sent, and delivers what did not get out.

    `speak` sets the language for Aurora's own words.
    """

    def __init__(
        self,
        bot: discord.Client,
        store: Store,
        sender: Sender,
        speak: Speak = speak_as_before,
    ) -> None:
        self._bot = bot
        self._store = store
        self._sender = sender
        self._speak = speak

    async def settle(self, turn: Turn, text: str, *, fallback: bool) -> Reason:
        """See to it that the answer is in Discord; return by what reason the turn ends.

        That a text is POSTPONED is shown to nobody: it is for the caller to try it again.

        `text` is the agent's last message, delivered only if nothing else answered; `fallback`
        allows that.
        """
        text = text.strip()
        try:
            try:
                reason = await self._settle(turn, text, fallback=fallback)
            except SendFailed as failure:
                if failure.reason not in _UNKNOWN_FATE:
                    raise
                # It may have arrived all the same: this time it is looked for first.
                reason = await self._settle(turn, text, fallback=fallback)
        except SendFailed as failure:
            reason = failure.reason
            log.warning("The answer to event %s was not delivered: %s", turn.speaker.id, reason)
        if REASONS[reason].mark and not (reason in POSTPONED and text):
            # Who has seen that nothing comes is to get nothing after a crash.
            await self._store.save_turn(turn)
            await self.show_ends(turn, reason)
        return reason

    async def _settle(self, turn: Turn, text: str, *, fallback: bool) -> Reason:
        how = await self._answer(turn)
        # Of a long text that Aurora itself began to deliver, the rest may still be to come.
        if how is not None and not (how is Reason.DELIVERED and text):
            return how
        if not text:
            if turn.refused:
                # An agent whose send was refused, and that wrote nothing, had something to say.
                return Reason(turn.refused)
            sent = await self._store.sends(turn.speaker.id)
            spoke = any(_is_agents(one) and one.kind == "message" for one in sent)
            return Reason.ANSWERED_ELSEWHERE if spoke else Reason.NO_ANSWER
        if not fallback and how is None:
            return Reason.TEXT_NOT_DELIVERED
        await self._deliver(turn, text)
        return Reason.DELIVERED

    async def trace(self, turn: Turn) -> Trace:
        """Find out what of the turn is to be seen in Discord."""
        try:
            if await self._answer(turn) is not None:
                return Trace.ANSWER
        except SendFailed as failure:
            # A second answer would be worse than none (promise 6).
            return Trace.LATER if failure.reason is Reason.NOT_CONNECTED else Trace.DOUBT
        sends = await self._store.sends(turn.speaker.id)
        if any(map(_is_agents, sends)):
            return Trace.ELSEWHERE
        return Trace.END if any(one.key == _notice_key("end") for one in sends) else Trace.NOTHING

    async def late(self, event: Event, words: Phrase) -> None:
        """Tell the person, once, that the answer will be late; never raise."""
        await self._tell(event, words, "outage")

    async def show_end(self, event: Event, reason: Reason) -> None:
        """Show the person how their message ended, as the reason's entry says; never raise.

        A mark is a reaction, and words without a ping where Discord refuses that, or where both
        belong together. An event has at most one notice of its end; where it can't be told, the
        message gets a mark.
        """
        entry = REASONS[reason]
        if entry.user is None:
            return
        if entry.mark:
            if not await self._react(event, entry.mark) or entry.spoken:
                await self._tell(event, entry.user, "end", ping=False)
        elif not await self._tell(event, entry.user, "end"):
            await self._react(event, FAILED)

    async def show_ends(self, turn: Turn, reason: Reason) -> None:
        """Show on each message of a turn how it ended; never raise.

        Words are said once, to the message that the answer would have replied to; the others get
        a mark, so that nobody looks for an answer to them.
        """
        await self.show_end(turn.speaker, reason)
        entry = REASONS[reason]
        for event in turn.earlier if entry.user is not None else ():
            if not await self._react(event, entry.mark or FAILED) and entry.user is not None:
                await self._tell(event, entry.user, "end", ping=False)

    async def call_off(self, event: Event) -> None:
        """Show the person that nothing will come of their message; never raise."""
        await self.show_end(event, Reason.CLEARED)

    async def _tell(
        self, event: Event, words: Phrase, kind: Literal["outage", "end"], *, ping: bool = True
    ) -> bool:
        """Reply with a notice, once for each kind; return whether the person knows now."""
        try:
            channel = await find_place(self._bot, event, event.channel_id, self._sender.patience)
            if channel is None:
                return False
            await self._speak(event.guild_id)
            await self._sender.send(
                Turn((event,)),
                channel,
                say(words),
                by="notice",
                key=_notice_key(kind),
                reply_to=event.message_id,
                ping=ping,
            )
        except SendFailed as failure:
            log.warning("No notice for event %s: %s", event.id, failure.reason)
        except Exception as error:
            log.warning("No notice for event %s: %s", event.id, type(error).__name__)
        else:
            return True
        return False

    async def _react(self, event: Event, emoji: str) -> bool:
        """Put a reaction on the message; return False if Discord refuses reactions to it."""
        try:
            channel = await find_place(self._bot, event, event.channel_id, self._sender.patience)
            if channel is not None:
                message = channel.get_partial_message(event.message_id)
                await insist(lambda: message.add_reaction(emoji), self._sender.patience)
        except Exception as error:
            log.debug("No reaction for event %s: %s", event.id, type(error).__name__)
            return not _is_refusal(error)
        return True

    @asynccontextmanager
    async def typing(self, event: Event) -> AsyncIterator[None]:
        """Show typing while inside; never delays, never raises."""
        task = asyncio.create_task(self._type(event), name=f"aurora typing: {event.id}")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _type(self, event: Event) -> None:
        try:
            # The input to the agent goes out first; nobody sees the difference in the typing.
            await asyncio.sleep(_TYPING_HEAD_START)
            channel = await find_place(self._bot, event, event.channel_id, self._sender.patience)
            while channel is not None:
                await channel.typing()
                await asyncio.sleep(_TYPING_SECONDS)
        except FAILURES as error:
            log.debug("No typing for event %s: %r", event.id, error)

    async def _answer(self, turn: Turn) -> Reason | None:
        """Return how a turn was answered, if it was; raise SendFailed."""
        known = await self._store.sends(turn.speaker.id)
        # Only if no send is known to have arrived is it worth asking what became of the others.
        return _kind_of_answer(known, turn) or _kind_of_answer(
            await self._sender.sends(turn), turn
        )

    async def _deliver(self, turn: Turn, text: str) -> None:
        event = turn.speaker
        try:
            channel = await find_place(self._bot, event, event.channel_id, self._sender.patience)
        except FAILURES as error:
            raise explain(error) from error
        if channel is None:
            raise SendFailed(UNKNOWN_CHANNEL.code, UNKNOWN_CHANNEL.text)
        await self._speak(event.guild_id)
        await self._sender.send(
            turn, channel, text, by="delivery", key=_DELIVERY_KEY, reply_to=event.message_id
        )


def _notice_key(kind: str) -> str:
    return f"notice:{kind}"


def _is_agents(send: Send) -> bool:
    """Tell whether a send is the agent's, and arrived."""
    return send.by != "notice" and bool(send.message_ids)


def _is_refusal(error: Exception) -> bool:
    # About a message that is gone there is nothing to say, and in trouble words fail as well.
    return isinstance(error, discord.HTTPException) and error.status in (400, 403)


def _kind_of_answer(sends: Iterable[Send], turn: Turn) -> Reason | None:
    """Return what the first answer among the sends is; those elsewhere and notices are none."""
    for send in sends:
        if not _is_agents(send):
            continue
        if send.channel_id != turn.speaker.channel_id:
            continue
        if send.kind == "message":
            return Reason.DELIVERED if send.by == "delivery" else Reason.SENT
        if any(send.reply_to == event.message_id for event in turn.events):
            return Reason.REACTED
    return None
