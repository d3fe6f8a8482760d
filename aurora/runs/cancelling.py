"""Calling off: the only way in which anything that waits or runs is stopped from outside."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from enum import Enum, auto

from ..ledger import EVERYWHERE, Where
from ..model import Event, State
from ..queue import MessageQueue
from ..queue.selecting import OfChannel, OfGuild, OfMessages, Selector
from ..queue.walking import let_go, parts
from ..reasons import Reason
from .background import Background
from .claim import Claim, Claims, UnloadedError, WithheldError
from .ports import Delivery

log = logging.getLogger("red.aurora")

_SHOWN_AT_ONCE = 100


class Running(Enum):
    """What happens to the meant events that run."""

    FINISH = auto()
    """They are finished; only what waits is cancelled."""
    STOP = auto()
    """They are stopped, end as cancelled, and nothing more of them gets out."""
    LEAVE = auto()
    """They are stopped and left to the next Aurora, as is what waits: nothing ends."""


class Show(Enum):
    """Who sees on their message that nothing will come."""

    NOBODY = auto()
    OTHERS = auto()
    """Those who were not meant, but whose turn can't go on without one that was."""
    ALL = auto()


def messages(message_ids: Collection[int]) -> Selector:
    """Select for calling off: the events of these messages."""
    return OfMessages(message_ids)


def in_guild(guild_id: int | None) -> Selector:
    """Select for calling off: the events of a guild, or (None) of direct messages."""
    return OfGuild(guild_id)


def in_place(place: Where) -> Selector:
    """Select for calling off: the events of a guild, of direct messages, or of EVERYWHERE."""
    if place == EVERYWHERE:
        return everything
    return OfGuild(place if isinstance(place, int) else None)


def in_channel(channel_id: int) -> Selector:
    """Select for calling off: the events of a channel and its threads, or of a thread."""
    return OfChannel(channel_id)


def by(author_id: int) -> Selector:
    """Select for calling off: the events of a person."""
    return lambda event: event.author_id == author_id


def everything(_event: Event) -> bool:
    """Select for calling off: all events."""
    return True


class Cancelling:
    """Calls off what is meant, wherever it is: in its lane, or in the worker's hands."""

    def __init__(
        self, queue: MessageQueue, claims: Claims, delivery: Delivery, background: Background
    ) -> None:
        self._queue = queue
        self._claims = claims
        self._delivery = delivery
        self._background = background

    async def cancel(
        self,
        meant: Selector,
        reason: Reason,
        *,
        running: Running = Running.FINISH,
        show: Show = Show.ALL,
    ) -> int:
        """Call off the meant events, and return how many of them waited and have ended.

        Those that run have ended too when this returns, if they are to `STOP`. A turn for which
        another event speaks goes on without the one that was meant.
        """
        if running is Running.LEAVE:
            for claim in self._claims:
                if meant(claim.turn.speaker):
                    claim.break_off(UnloadedError())
            return 0
        # First, and before anything is awaited: from now on nothing more of them gets out.
        claims = self._withhold(meant, reason) if running is Running.STOP else []
        ended = await self._queue.cancel(meant, reason)
        shown = [one for one in ended if show is Show.ALL or not meant(one)]
        if shown and show is not Show.NOBODY:
            # Discord takes a reaction each quarter of a second; nobody waits for hundreds.
            self._background.start(self._show(shown), "calls off")
        if running is Running.STOP:
            # What was taken while others were called off.
            claims += self._withhold(meant, reason, beside=claims)
        for claim in claims:
            if claim.started:
                await self.withdraw(claim)
        stopped = {one.task for one in claims if one.task and meant(one.turn.speaker)}
        if stopped:
            await asyncio.wait(stopped)
        count = len(ended)
        await let_go(ended)
        return count

    async def withdraw(self, claim: Claim) -> None:
        """End those of a running turn that were withheld, where another speaks for it."""
        for event in claim.turn.earlier:
            reason = claim.withheld.get(event.message_id)
            if reason is not None and event.state is State.RUNNING:
                await self._queue.withdraw(claim.turn, event, reason)

    async def follow(self, claim: Claim) -> None:
        """Cancel what was withheld while its turn was on its way back into the queue."""
        if claim.turn.speaker.state is not State.WAITING:
            return
        for message_id, reason in claim.withheld.items():
            meant = messages({message_id})
            await self.cancel(meant, reason, running=Running.STOP, show=Show.OTHERS)

    async def _show(self, events: list[Event]) -> None:
        """Mark messages as called off, some at a time."""
        for some in parts(events, _SHOWN_AT_ONCE):
            marks = (self._delivery.call_off(event) for event in some)
            for event, failed in zip(
                some, await asyncio.gather(*marks, return_exceptions=True), strict=True
            ):
                if isinstance(failed, Exception):
                    log.error("Not shown as called off: %s", event.id, exc_info=failed)
        await let_go(events)

    def _withhold(
        self, meant: Selector, reason: Reason, *, beside: Collection[Claim] = ()
    ) -> list[Claim]:
        """Stop what is done for the meant events, and let none of its output through.

        Claims `beside` which it is done were stopped before.
        """
        found = []
        for claim in self._claims:
            if claim in beside:
                continue
            wanted = [event.message_id for event in claim.turn.events if meant(event)]
            for message_id in wanted:
                claim.withheld.setdefault(message_id, reason)
            if claim.turn.speaker.message_id in wanted:
                claim.break_off(WithheldError(reason))
            if wanted:
                found.append(claim)
        return found
