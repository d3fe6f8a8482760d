"""Data deletion: what is kept about a person goes, and their direct messages at Letta, too."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..agents.protocol import AgentBackend, ConversationKey, Forgetter
from ..ledger import Store
from ..reasons import AgentError, Reason
from ..settings import Settings
from ..words import Phrase, clause
from ..words.alerts import CONVERSATION_LEFT
from ..words.servers import NOT_REACHED
from .cancelling import Cancelling, Running, by

log = logging.getLogger("red.aurora")


class Forgetting:
    """Forgets people; `tell` hears, for the bot's owner, what could not be deleted."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        cancelling: Cancelling,
        backend: Callable[[], AgentBackend | None],
        tell: Callable[[Phrase], None],
    ) -> None:
        self._store = store
        self._settings = settings
        self._cancelling = cancelling
        self._backend = backend
        self._tell = tell

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
        for agent_id, conversation_id in keys:
            await self._forget_at_agent(ConversationKey(agent_id, conversation_id))

    async def _unlist(self, guild_id: int, user_id: int) -> None:
        mine = self._settings.guild(guild_id)
        await self._settings.set_guild(
            guild_id,
            users_allowed=[one for one in mine.users_allowed if one != user_id],
            users_denied=[one for one in mine.users_denied if one != user_id],
        )

    async def _forget_at_agent(self, key: ConversationKey) -> None:
        backend = self._backend()
        detail: Phrase | str = NOT_REACHED
        if isinstance(backend, Forgetter):
            try:
                await backend.forget_conversation(key)
            except AgentError as error:
                detail = error.detail
            else:
                return
        log.warning("A conversation of direct messages could not be deleted: %s", detail)
        self._tell(
            CONVERSATION_LEFT(
                agent=key.agent_id, conversation=key.conversation_id, detail=clause(detail)
            )
        )
