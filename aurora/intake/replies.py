"""Replies: what the bot posted for its agent, and what for its other cogs."""

from __future__ import annotations

import math

import discord

from ..clock import Clock
from ..ids import written_at
from ..ledger import DEDUPE_SECONDS, Store
from ..reasons import Reason

_SINCE = "answers are known since"
_SAID = (Reason.FULL, Reason.PERSON_FULL, Reason.TOO_OFTEN, Reason.DM_NO_AGENT)
"""Refusals that are told in words, which no send records."""


class Replies:
    """Tells whether a message of the bot's was posted for its agent, by the ledger."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._since = math.inf

    async def start(self) -> None:
        """Learn since when the ledger knows what was posted; one that is new begins now."""
        kept = await self._store.noted(_SINCE)
        self._since = self._clock.time() if kept is None else float(kept)
        if kept is None:
            await self._store.note(_SINCE, str(self._since))

    async def for_agent(self, message_id: int, message: discord.Message | None) -> bool:
        """Tell whether a message of the bot's counts as the agent's; in doubt it does.

        `message` is itself, as far as it is known. In doubt are those from before the ledger, and
        those older than what it keeps for sure.
        """
        if await self._store.sent(message_id) is not None:
            return True
        oldest = max(self._since, self._clock.time() - DEDUPE_SECONDS)
        if written_at(message_id) < oldest:
            return True
        # A refusal in words replies to what is refused.
        refused = message.reference.message_id if message and message.reference else None
        return refused is not None and await self._store.refusal(refused) in _SAID
