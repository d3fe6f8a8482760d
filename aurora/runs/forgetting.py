"""Forgetting: of a person what is kept of them, of a lane its conversation; at Letta, too."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from enum import Enum, auto

from ..agents.protocol import AgentBackend, ConversationKey, Forgetter
from ..ledger import Store
from ..reasons import AgentError, Reason
from ..settings import Settings
from ..words import Phrase, clause
from ..words.alerts import CONVERSATION_LEFT
from ..words.servers import NOT_REACHED
from .background import Background
from .cancelling import Cancelling, Running, by
from .claim import Claims

log = logging.getLogger("red.aurora")


class Renewed(Enum):
    """What became of a lane's old conversations at the agent's server."""

    NOTHING = auto()  # there were none
    DONE = auto()  # they are put away
    LATER = auto()  # they will be, when the turn that is under way is over
    LEFT = auto()  # one could not be


class Forgetting:
    """Forgets people and conversations.

    `tell` hears, for the bot's owner, what could not be deleted.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        cancelling: Cancelling,
        backend: Callable[[], AgentBackend | None],
        tell: Callable[[Phrase], None],
        claims: Claims,
        background: Background,
    ) -> None:
        self._store = store
        self._settings = settings
        self._cancelling = cancelling
        self._backend = backend
        self._tell = tell
        self._claims = claims
        self._background = background

    async def forget(self, user_id: int, dm_channel_id: int | None, *, unlist: bool) -> None:
        """Forget a person.

        Args:
            user_id: who.
            dm_channel_id: their DM channel, if Discord names it.
            unlist: whether to take them off the servers' access lists, too.

        """
        await self._cancelling.cancel(by(user_id), Reason.FORGOTTEN, running=Running.STOP)
        # Which conversations they are is known only as long as the person is.
        keys = await self._store.take_dm_conversations(user_id, dm_channel_id)
        await self._store.forget_user(user_id)
        for guild_id in self._settings.guilds_that_list(user_id) if unlist else ():
            await self._unlist(guild_id, user_id)
        await self._put_away(ConversationKey(*one) for one in keys)

    async def _unlist(self, guild_id: int, user_id: int) -> None:
        mine = self._settings.guild(guild_id)
        await self._settings.set_guild(
            guild_id,
            users_allowed=[one for one in mine.users_allowed if one != user_id],
            users_denied=[one for one in mine.users_denied if one != user_id],
        )

    async def renew(self, lane: str) -> Renewed:
        """Let a lane begin a new conversation, and put its old ones away at the agent's server.

        A turn under way is not disturbed: they are put away when it is over.
        """
        found = await self._store.take_conversations(lane)
        keys = [ConversationKey(*one) for one in found]
        if not keys:
            return Renewed.NOTHING
        busy = [one.task for one in self._claims if one.turn.lane == lane and one.task]
        if busy:
            self._background.start(self._put_away_after(busy, keys), f"forgetting: {lane}")
            return Renewed.LATER
        return Renewed.DONE if await self._put_away(keys) else Renewed.LEFT

    async def _put_away_after(
        self, turns: Collection[asyncio.Task[None]], keys: Iterable[ConversationKey]
    ) -> None:
        await asyncio.wait(turns)
        await self._put_away(keys)

    async def _put_away(self, keys: Iterable[ConversationKey]) -> bool:
        """Put conversations away; tell whether all of them went."""
        done = True
        for key in keys:
            done &= await self._forget_at_agent(key)
        return done

    async def _forget_at_agent(self, key: ConversationKey) -> bool:
        """Put a conversation away, or tell the owner that it could not be; return which."""
        backend = self._backend()
        detail: Phrase | str = NOT_REACHED
        if isinstance(backend, Forgetter):
            try:
                await backend.forget_conversation(key)
            except AgentError as error:
                detail = error.detail
            else:
                return True
        log.warning("A conversation could not be deleted: %s", detail)
        self._tell(
            CONVERSATION_LEFT(
                agent=key.agent_id, conversation=key.conversation_id, detail=clause(detail)
            )
        )
        return False
