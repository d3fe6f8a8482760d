"""What people's reactions ask for: one listener, which knows whose run a message belongs to."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import NamedTuple

import discord

from ..guard.runs import RunAct, RunGuard
from ..ledger import LedgerError, Store
from ..model import Event, Sent
from ..runs.stopping import Stopping

log = logging.getLogger("red.aurora.intake")


class Reaction(NamedTuple):
    """Somebody's reaction to a message of a run, added or taken back; the guard has been asked.

    `event` is what was asked. `sent` tells which part of what was sent for it the message is; None
    for the message that asks.
    """

    user_id: int
    emoji: str
    added: bool
    message_id: int
    event: Event
    sent: Sent | None


STOP = "🛑"

Handler = Callable[[Reaction], Awaitable[None]]


class _Listening(NamedTuple):
    act: RunAct
    handler: Handler
    taken_back: bool


@dataclass(slots=True)
class Reactions:
    """Gives each reaction that asks for something to who handles it, if the guard permits it.

    `asked_by` returns the sources of the unfinished events that some messages stand for.
    """

    bot: discord.Client
    store: Store
    guard: RunGuard
    asked_by: Callable[[set[int]], set[int]] = lambda _message_ids: set()
    _listening: dict[str, _Listening] = field(default_factory=dict)

    def on(
        self, emojis: Collection[str], act: RunAct, handler: Handler, *, taken_back: bool = False
    ) -> None:
        """Handle some emojis, whatever their form and colour; also where they are `taken_back`."""
        for emoji in emojis:
            self._listening[plain(emoji)] = _Listening(act, handler, taken_back)

    async def heard(self, payload: discord.RawReactionActionEvent) -> None:
        """Take a reaction that was added or taken back; never raise."""
        listening = self._listening.get(plain(str(payload.emoji)))
        added = payload.event_type == "REACTION_ADD"
        if listening is None or not (added or listening.taken_back) or self._is_bot(payload):
            return
        try:
            await self._take(payload, listening, added=added)
        except LedgerError as error:
            log.warning("A reaction to %s came to nothing: %s", payload.message_id, error)
        except Exception as error:
            log.exception("A reaction to %s came to nothing", payload.message_id, exc_info=error)

    async def _take(
        self, payload: discord.RawReactionActionEvent, listening: _Listening, *, added: bool
    ) -> None:
        event, sent = await self._of(payload.message_id)
        if event is None or event.guild_id != payload.guild_id:
            return
        if not await self.guard.may(listening.act, payload.user_id, event):
            return
        emoji = plain(str(payload.emoji))
        await listening.handler(
            Reaction(payload.user_id, emoji, added, payload.message_id, event, sent)
        )

    async def _of(self, message_id: int) -> tuple[Event | None, Sent | None]:
        """Return the event that a message asks for, or that it was sent for."""
        (source,) = self.asked_by({message_id}) or {message_id}
        event = await self.store.find(source)
        if event is not None:
            return event, None
        sent = await self.store.sent(message_id)
        return (await self.store.get(sent.event_id), sent) if sent is not None else (None, None)

    def _is_bot(self, payload: discord.RawReactionActionEvent) -> bool:
        user = payload.member or self.bot.get_user(payload.user_id)
        return user is not None and user.bot


def plain(emoji: str) -> str:
    """Return an emoji without what only changes its form or colour."""
    return "".join(one for one in emoji if one != "\ufe0f" and not "🏻" <= one <= "🏿")


async def stop_by(stopping: Stopping, reaction: Reaction) -> None:
    """Stop a run for who has reacted."""
    await stopping.stop(reaction.event, reaction.user_id)
