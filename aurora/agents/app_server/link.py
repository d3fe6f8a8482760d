"""The way to an App Server: connect when needed, create, start and fork conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...clock import Clock
from ...reasons import AgentError, Outcome
from ...words import servers as w
from ..frames import Frame, part, word
from ..protocol import ConversationKey, ToolSpec
from ..reconnecting import Search
from . import requests
from .connection import Connection, ConnectionLostError
from .conversation import Conversation
from .memory import plain
from .outcomes import refusal


class Limits(NamedTuple):
    """How long, in seconds, the backend waits for what."""

    request: float
    tool: float
    reconnect: float
    patience: float


class Link:
    """Requests to the server; it connects when there is something to ask."""

    def __init__(
        self,
        url: str,
        token: str | None,
        clock: Clock,
        limits: Limits,
        on_frame: Callable[[Connection, Frame], None],
        on_lost: Callable[[Connection], None],
        conversation_of: Callable[[ConversationKey], Conversation],
    ) -> None:
        self.clock = clock
        self.limits = limits
        self._closed = False
        self._url = url
        self._token = token
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._conversation_of = conversation_of
        self._connection: Connection | None = None
        self._opening: asyncio.Task[Connection | AgentError] | None = None
        # Conversations opened early register the tools that runs were seen to bring.
        self._usual: tuple[ToolSpec, ...] = ()

    async def connection(self) -> Connection:
        """Return the open connection, or open one; raise AgentError.

        All who want it at once share one attempt: behind a silent server, nobody waits for the
        time-outs of the others.
        """
        if self._closed:
            raise AgentError(Outcome.UNREACHABLE, w.CLOSED)
        if self._connection is not None and not self._connection.lost:
            return self._connection
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open(), name="aurora-app-server-opening")
        opening = self._opening
        # Who stops waiting must not end it for the others.
        await asyncio.wait({opening})
        if opening.cancelled():
            raise AgentError(Outcome.UNREACHABLE, w.CLOSED)
        opened = opening.result()
        if isinstance(opened, AgentError):
            raise AgentError(opened.outcome, opened.detail)
        return opened

    async def collect(
        self, frame: Frame, on: Connection | None = None, *, timeout: float | None = None
    ) -> list[Frame]:
        """Send a request and return all frames of its answer; raise AgentError."""
        limit = self.limits.request if timeout is None else timeout
        try:
            connection = on or await self.connection()
            return await connection.collect(frame, timeout=limit)
        except ConnectionLostError:
            raise AgentError(Outcome.UNREACHABLE, w.CONNECTION_LOST) from None
        except TimeoutError:
            seconds = f"{limit:g}"
            late = w.REQUEST_NOT_ANSWERED(request=word(frame, "type"), seconds=seconds)
            raise AgentError(Outcome.UNREACHABLE, late) from None

    async def ask(
        self, frame: Frame, on: Connection | None = None, *, timeout: float | None = None
    ) -> Frame:
        """Send a request and return its answer; raise AgentError, also if it is a refusal."""
        answer = (await self.collect(frame, on, timeout=timeout))[-1]
        if answer.get("success") is False:
            said = plain(word(answer, "error"))
            raise AgentError(refusal(said), said)
        return answer

    async def create(self, agent_id: str, title: str) -> ConversationKey:
        """Create a conversation and make it ready for its first input; raise AgentError."""
        connection = await self.connection()
        specs = self._usual  # another run may change it before the answer is here
        groups = requests.tool_groups(specs, self.limits.tool)
        body = {"body": {"summary": title}}
        frame = requests.start(agent_id, groups, create_conversation=body)
        return await self._created(frame, connection, specs)

    async def create_free(self, system: str, model: str) -> ConversationKey:
        """Create a conversation without an agent; raise AgentError."""
        body = {"body": {"model": model, "system": system}}
        frame = requests.start("", [], create_conversation=body)
        return await self._created(frame, await self.connection(), ())

    async def _created(
        self, frame: Frame, connection: Connection, specs: tuple[ToolSpec, ...]
    ) -> ConversationKey:
        answer = await self.ask(frame, connection)
        key = requests.key_of(answer)
        if key is None:
            raise AgentError(Outcome.UNREACHABLE, w.NO_CONVERSATION)
        made = self._conversation_of(key)
        made.learn(answer)
        made.started_with(connection, specs)
        await self._stop_reflection(key, connection)
        return key

    async def ready(self, conversation: Conversation, specs: Sequence[ToolSpec]) -> Connection:
        """Have the runtime started on this connection with these tools; raise AgentError."""
        connection = await self.connection()
        key = conversation.key
        self._usual = tuple(specs)
        groups = requests.tool_groups(specs, self.limits.tool)
        if conversation.connection is not connection:
            conversation.stirs = False
            start = requests.start(key.agent_id, groups, conversation_id=key.conversation_id)
            conversation.learn(await self.ask(start, connection))
        elif conversation.specs != self._usual:
            await self.ask(requests.update_tools(key, groups), connection)
        conversation.started_with(connection, specs)
        await self._stop_reflection(key, connection)
        return connection

    async def use_model(
        self, conversation: Conversation, model: str, connection: Connection
    ) -> None:
        """Have a started conversation go on with a model, its agent's own if empty.

        Raise AgentError.
        """
        wanted, now = model or conversation.agents_model, conversation.model
        if wanted and wanted != (now or conversation.agents_model):
            await self.ask(requests.use_model(conversation.key, wanted), connection)
            conversation.model = wanted

    async def again(
        self, conversation: Conversation, specs: Sequence[ToolSpec], stop: asyncio.Event
    ) -> Connection:
        """Find a lost server again and start the runtime there; raise AgentError.

        Tries with growing pauses until the limit is reached or `stop` is set.
        """
        search = Search(self.clock, self.limits.reconnect)
        while True:
            try:
                return await self.ready(conversation, specs)
            except AgentError as error:
                if search.over or stop.is_set() or error.outcome is not Outcome.UNREACHABLE:
                    raise
            await search.pause(stop)

    async def fork(self, key: ConversationKey, *, through: str = "") -> ConversationKey:
        """Copy a conversation with its history, up to a message if one is named.

        Return the copy; raise AgentError.
        """
        answer = await self.ask(requests.fork(key, through))
        copy = word(part(answer, "conversation"), "id")
        if not copy:
            raise AgentError(Outcome.UNREACHABLE, w.NO_CONVERSATION)
        return ConversationKey(key.agent_id, copy)

    async def close(self) -> None:
        """Close the socket and open none again; whoever waits for one is told."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait({self._opening})
        if self._connection is not None:
            await self._connection.close()

    async def _open(self) -> Connection | AgentError:
        """Open a connection; an error is returned, since several may wait for it, or none."""
        try:
            self._connection = await Connection.open(
                self._url, self._token, self._on_frame, self._on_lost, timeout=self.limits.request
            )
        except AgentError as error:
            return error
        return self._connection

    async def _stop_reflection(self, key: ConversationKey, connection: Connection) -> None:
        if key.agent_id and key.agent_id not in connection.reflection_off:
            await self.ask(requests.reflection_off(key), connection)
            connection.reflection_off.add(key.agent_id)
