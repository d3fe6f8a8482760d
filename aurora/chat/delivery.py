"""Delivery: every event gets its one answer and a visible end (DESIGN decision 6)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Literal

import discord

from ..guard.policy import Act, Denied, authorise
from ..ledger import Store
from ..model import Event, Send, State
from ..reasons import Reason
from ..runs.ports import Trace
from .failures import (
    FAILURES,
    SendFailed,
    explain,
    insist,
)
from .places import find_place
from .sender import Sender

log = logging.getLogger("red.aurora.delivery")

NO_ANSWER = "💤"
"""Aurora's reaction where the agent had nothing to say."""
TEXT_WITHHELD = "💬"
"""Aurora's reaction where the agent wrote a text that may not be delivered."""
FAILED = "⚠️"
"""Aurora's reaction where a text could not be delivered."""
CALLED_OFF = "⏹️"
"""Aurora's reaction where nobody will answer any more."""

_IN_WORDS = {
    NO_ANSWER: "I have nothing to say to this.",
    TEXT_WITHHELD: "I have an answer, but may not post it as text here.",
    FAILED: "My answer may not have arrived.",
    CALLED_OFF: "This will not be answered any more.",
}
"""What is said where Discord refuses the reaction."""

_TYPING_SECONDS = 8.0  # Discord shows typing for ten
_TYPING_HEAD_START = 0.05
_DELIVERY_KEY = "delivery"
_UNKNOWN_FATE = frozenset({Reason.DISCORD_ERROR, Reason.DISCORD_TIMEOUT})


class Delivery:
    """Reads the record of what a run sent, and delivers what did not get out."""

    def __init__(self, bot: discord.Client, store: Store, sender: Sender) -> None:
        self._bot = bot
        self._store = store
        self._sender = sender

    async def settle(self, event: Event, text: str, *, fallback: bool) -> tuple[State, Reason]:
        """See to it that the answer is in Discord; return the final state and its reason.

        `text` is the agent's last message, delivered only if nothing else answered; `fallback`
        allows that.
        """
        text = text.strip()
        try:
            try:
                return await self._settle(event, text, fallback=fallback)
            except SendFailed as failure:
                if failure.reason not in _UNKNOWN_FATE:
                    raise
                # It may have arrived all the same: this time it is looked for first.
                return await self._settle(event, text, fallback=fallback)
        except SendFailed as failure:
            log.warning("The answer to event %s was not delivered: %s", event.id, failure.reason)
            await self.doubt(event)
            return State.FAILED, failure.reason

    async def _settle(self, event: Event, text: str, *, fallback: bool) -> tuple[State, Reason]:
        how = await self._answer(event)
        # Of a long text that Aurora itself began to deliver, the rest may still be to come.
        if how is not None and not (how == Reason.DELIVERED and text):
            return State.ANSWERED, how
        if not text:
            await self.mark(event, NO_ANSWER)
            return State.DECLINED, Reason.NO_ANSWER
        if not fallback and how is None:
            await self.mark(event, TEXT_WITHHELD)
            return State.DECLINED, Reason.TEXT_NOT_DELIVERED
        await self._deliver(event, text)
        return State.ANSWERED, Reason.DELIVERED

    async def trace(self, event: Event) -> Trace:
        """Find out what of the turn is to be seen in Discord."""
        try:
            if await self._answer(event) is not None:
                return Trace.ANSWER
        except SendFailed:
            # A second answer would be worse than none (promise 6).
            return Trace.DOUBT
        sends = await self._store.sends(event.id)
        if any(one.by != "notice" and one.message_ids for one in sends):
            return Trace.ELSEWHERE
        return Trace.END if any(one.key == _notice_key("end") for one in sends) else Trace.NOTHING

    async def notice(
        self, event: Event, text: str, *, kind: Literal["outage", "end"] = "end"
    ) -> None:
        """Tell the person that something is wrong; never raise.

        An event has at most one notice that its answer will be late ("outage") and one of its
        end. Where the end can't be told, the message gets the mark of a failure.
        """
        if not await self._tell(event, text, kind) and kind == "end":
            await self._react(event, FAILED)

    async def call_off(self, event: Event) -> None:
        """Show the person that nothing will come of their message; never raise."""
        await self.mark(event, CALLED_OFF)

    async def doubt(self, event: Event) -> None:
        """Show the person that an answer may not have arrived; never raise."""
        await self.mark(event, FAILED)

    async def mark(self, event: Event, emoji: str) -> None:
        """Put a reaction of Aurora's on the message, or say it where that is refused; never raise.

        Words come without a ping, and not in an event that was told of its end.
        """
        if not await self._react(event, emoji) and emoji in _IN_WORDS:
            await self._tell(event, _IN_WORDS[emoji], "end", ping=False)

    async def _tell(
        self, event: Event, text: str, kind: Literal["outage", "end"], *, ping: bool = True
    ) -> bool:
        """Reply with a notice, once for each kind; return whether the person knows now."""
        try:
            channel = await find_place(self._bot, event, event.channel_id)
            if channel is None:
                return False
            await self._sender.send(
                event,
                channel,
                text,
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
            channel = await find_place(self._bot, event, event.channel_id)
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
            channel = await find_place(self._bot, event, event.channel_id)
            while channel is not None:
                await channel.typing()
                await asyncio.sleep(_TYPING_SECONDS)
        except FAILURES as error:
            log.debug("No typing for event %s: %r", event.id, error)

    async def _answer(self, event: Event) -> Reason | None:
        """Return how a turn was answered, if it was; raise SendFailed."""
        known = await self._store.sends(event.id)
        # Only if no send is known to have arrived is it worth asking what became of the others.
        return _kind_of_answer(known, event) or _kind_of_answer(
            await self._sender.sends(event), event
        )

    async def _deliver(self, event: Event, text: str) -> None:
        try:
            # The agent's words may go no further than its tools (DESIGN promise 11).
            channel = await authorise(self._bot, event, Act.SEND, event.channel_id)
        except FAILURES as error:
            raise explain(error) from error
        if isinstance(channel, Denied):
            raise SendFailed(channel.code, channel.text)
        await self._sender.send(
            event, channel, text, by="delivery", key=_DELIVERY_KEY, reply_to=event.message_id
        )


def _notice_key(kind: str) -> str:
    return f"notice:{kind}"


def _is_refusal(error: Exception) -> bool:
    # About a message that is gone there is nothing to say, and in trouble words fail as well.
    return isinstance(error, discord.HTTPException) and error.status in (400, 403)


def _kind_of_answer(sends: Iterable[Send], event: Event) -> Reason | None:
    """Return what the first answer among the sends is; those elsewhere and notices are none."""
    for send in sends:
        if not send.message_ids or send.channel_id != event.channel_id or send.by == "notice":
            continue
        if send.kind == "message":
            return Reason.DELIVERED if send.by == "delivery" else Reason.SENT
        if any(send.reply_to == member.message_id for member in event.members):
            return Reason.REACTED
    return None
