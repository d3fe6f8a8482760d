"""The way to the server: the connection of the moment, and what must be said on it once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...clock import Clock
from ..frames import Frame, part, word
from ..protocol import AgentError, Outcome, ToolSpec
from . import frames
from .connection import Connection, ConnectionLostError
from .conversation import Conversation
from .frames import Runtime
from .memory import plain
from .outcomes import refusal

CLOSED = "the connection to the agent server was closed"
_BACKOFF_SECONDS = (0.1, 0.25, 0.5, 1.0)


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
        conversation_of: Callable[[Runtime], Conversation],
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
            raise AgentError(Outcome.UNREACHABLE, CLOSED)
        if self._connection is not None and not self._connection.lost:
            return self._connection
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open(), name="aurora-app-server-opening")
        opening = self._opening
        # Who stops waiting must not end it for the others.
        await asyncio.wait({opening})
        if opening.cancelled():
            raise AgentError(Outcome.UNREACHABLE, CLOSED)
        opened = opening.result()
        if isinstance(opened, AgentError):
            raise AgentError(opened.outcome, opened.detail)
        return opened

    async def collect(self, frame: Frame, on: Connection | None = None) -> list[Frame]:
        """Send a request and return all frames of its answer; raise AgentError."""
        try:
            connection = on or await self.connection()
            return await connection.collect(frame, timeout=self.limits.request)
        except ConnectionLostError:
            raise AgentError(
                Outcome.UNREACHABLE, "the connection to the agent server was lost"
            ) from None
        except TimeoutError:
            kind = word(frame, "type")
            raise AgentError(
                Outcome.UNREACHABLE,
                f"the agent server did not answer {kind} in {self.limits.request:g} s",
            ) from None

    async def ask(self, frame: Frame, on: Connection | None = None) -> Frame:
        """Send a request and return its answer; raise AgentError, also if it is a refusal."""
        answer = (await self.collect(frame, on))[-1]
        if answer.get("success") is False:
            said = plain(word(answer, "error"))
            raise AgentError(refusal(said), said)
        return answer

    async def create(self, agent_id: str, title: str) -> Runtime:
        """Create a conversation and start its runtime; raise AgentError."""
        connection = await self.connection()
        specs = self._usual  # another run may change it before the answer is here
        groups = frames.tool_groups(specs, self.limits.tool)
        body = {"body": {"summary": title}}
        frame = frames.start(agent_id, groups, create_conversation=body)
        answer = await self.ask(frame, connection)
        runtime = frames.runtime_of(answer)
        if runtime is None:
            raise AgentError(Outcome.UNREACHABLE, "the agent server named no conversation")
        self._conversation_of(runtime).started_with(connection, specs)
        await self._stop_reflection(runtime, connection)
        return runtime

    async def ready(self, conversation: Conversation, specs: Sequence[ToolSpec]) -> Connection:
        """Have the runtime started on this connection with these tools; raise AgentError."""
        connection = await self.connection()
        runtime = conversation.runtime
        self._usual = tuple(specs)
        groups = frames.tool_groups(specs, self.limits.tool)
        if conversation.connection is not connection:
            conversation.stirs = False
            start = frames.start(runtime.agent_id, groups, conversation_id=runtime.conversation_id)
            await self.ask(start, connection)
        elif conversation.specs != self._usual:
            await self.ask(frames.update_tools(runtime, groups), connection)
        conversation.started_with(connection, specs)
        await self._stop_reflection(runtime, connection)
        return connection

    async def again(
        self, conversation: Conversation, specs: Sequence[ToolSpec], stop: asyncio.Event
    ) -> Connection:
        """Find a lost server again and start the runtime there; raise AgentError.

        Tries with growing pauses until the limit is reached or `stop` is set.
        """
        deadline = self.clock.monotonic() + self.limits.reconnect
        attempt = 0
        while True:
            try:
                return await self.ready(conversation, specs)
            except AgentError as error:
                late = self.clock.monotonic() >= deadline
                if late or stop.is_set() or error.outcome is not Outcome.UNREACHABLE:
                    raise
            pause = _BACKOFF_SECONDS[min(attempt, len(_BACKOFF_SECONDS) - 1)]
            await self.clock.wait(stop, pause)
            attempt += 1

    async def fork(self, runtime: Runtime) -> Runtime:
        """Copy a conversation with its history; return the copy, raise AgentError."""
        answer = await self.ask(frames.fork(runtime))
        copy = word(part(answer, "conversation"), "id")
        if not copy:
            raise AgentError(Outcome.UNREACHABLE, "the agent server named no conversation")
        return Runtime(runtime.agent_id, copy)

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

    async def _stop_reflection(self, runtime: Runtime, connection: Connection) -> None:
        if runtime.agent_id not in connection.reflection_off:
            await self.ask(frames.reflection_off(runtime), connection)
            connection.reflection_off.add(runtime.agent_id)
