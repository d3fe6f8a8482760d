"""Letta's App Server as an AgentBackend: look-ups, runs, memory, calls of tools, closing."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator

from ...clock import Clock, SystemClock
from ...reasons import AgentError
from ..frames import UNREADABLE, Frame, Outline, is_deep, items, part, word
from ..protocol import (
    AgentInfo,
    AgentModel,
    ConversationKey,
    Input,
    RunEvent,
    ToolHost,
    ToolResult,
)
from ..runs import NOT_OFFERED, Runs
from . import requests
from .connection import Connection, ConnectionLostError
from .conversation import Conversation
from .driver import Driver
from .link import Limits, Link
from .memory import Memory
from .outcomes import conversation_gone
from .run import AppServerRun

_log = logging.getLogger("red.aurora.agents")

_MOST_FOLDERS = 200  # each agent has one
_BLIND = "openai-compatible/"
"""Begins the models of a provider of which the server takes none for one that sees."""


class AppServer:
    """One App Server. Nothing is opened before the first call."""

    results_show_pictures = True

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        clock: Clock | None = None,
        request_timeout: float = 10.0,
        tool_timeout: float = 120.0,
        reconnect_limit: float = 60.0,
        abort_patience: float = 3.0,
    ) -> None:
        """Prepare a backend.

        Args:
            url: ws:// or wss:// address, with its path (`/ws`).
            token: what `--ws-auth capability-token` asks for; goes into one header, nowhere else.
            clock: the source of time for waits.
            request_timeout: seconds for the answer to one request.
            tool_timeout: seconds the server waits for one of our tools.
            reconnect_limit: seconds to look for a lost server while a turn is under way.
            abort_patience: seconds a run waits for a turn whose caller left, before it forks.

        """
        self.url = url
        limits = Limits(request_timeout, tool_timeout, reconnect_limit, abort_patience)
        self._link = Link(
            url,
            token,
            clock or SystemClock(),
            limits,
            on_frame=self._route,
            on_lost=self._lost,
            conversation_of=self._conversation,
        )
        self._memory = Memory(self._link.collect)
        self._conversations: dict[ConversationKey, Conversation] = {}
        self._runs: Runs[AppServerRun] = Runs("aurora-app-server")
        self.folders: set[str] = set()

    async def ping(self) -> None:
        """Find out whether the server can be used; raise AgentError if not."""
        await self._link.ask({"type": "app_server_info"})

    async def agent(self, agent_id: str) -> AgentInfo:
        """Look the agent up; raise AgentError (CONFIG when it does not exist)."""
        found = await self._found(agent_id)
        return AgentInfo(word(found, "id") or agent_id, word(found, "name"))

    async def model(self, agent_id: str) -> AgentModel:
        """Tell what model the agent has; raise AgentError."""
        name = word(await self._found(agent_id), "model")
        # Of what such a model is shown the server makes words, and tells nobody.
        return AgentModel(name, False if name.startswith(_BLIND) else None)

    async def models(self) -> list[str]:
        """Return the handles of the models that the server has; raise AgentError."""
        listed = await self._link.ask({"type": "list_models"})
        return [handle for one in items(listed, "entries") if (handle := word(one, "handle"))]

    async def system(self, agent_id: str) -> str:
        """Return the agent's system prompt, without persona and memory; raise AgentError."""
        return word(await self._found(agent_id), "system")

    async def set_system(self, agent_id: str, text: str) -> None:
        """Replace it, from the next input of each conversation on; raise AgentError."""
        await self._link.ask(requests.set_system(agent_id, text))

    async def open_conversation(self, agent_id: str, title: str) -> str:
        """Create a conversation and make it ready for its first input; raise AgentError."""
        return (await self._link.create(agent_id, title)).conversation_id

    async def open_free(self, system: str, model: str) -> str:
        """Create a conversation without an agent and return its id; raise AgentError."""
        return (await self._link.create_free(system, model)).conversation_id

    async def forget_conversation(self, key: ConversationKey) -> None:
        """Archive a conversation, for the server deletes none; raise AgentError."""
        try:
            await self._link.ask(requests.archive(key))
        except AgentError as error:
            if not conversation_gone(error):
                raise

    def run(self, given: Input, tools: ToolHost) -> AsyncGenerator[RunEvent, None]:
        """Give an agent an input, as AgentBackend says."""
        run = AppServerRun(given, tools)
        return self._runs.follow(run, lambda: Driver(self._link, self._conversation, run).drive())

    async def memory_list(self, agent_id: str) -> list[str]:
        """List the agent's memory files."""
        return await self._memory.paths(agent_id)

    async def memory_read(self, agent_id: str, path: str) -> str:
        """Read a memory file; raise MemoryRefused or AgentError."""
        return await self._memory.read(agent_id, path)

    async def memory_write(self, agent_id: str, path: str, content: str) -> str:
        """Write a memory file; raise MemoryRefused (it is as before then) or AgentError."""
        return await self._memory.write(agent_id, path, content)

    async def memory_delete(self, agent_id: str, path: str) -> str:
        """Delete a memory file; raise MemoryRefused (it is as before then) or AgentError."""
        return await self._memory.delete(agent_id, path)

    async def memory_undo(self, agent_id: str, path: str, version: str) -> str:
        """Put a memory file back to before a version; raise MemoryRefused or AgentError."""
        return await self._memory.undo(agent_id, path, version)

    async def close(self, *, grace: float = 2.0) -> None:
        """Abort what runs, wait up to `grace` seconds for the server, leave nothing behind."""
        await self._runs.abort(grace)
        # First the socket: each frame that comes in may start a task.
        await self._link.close()
        await self._runs.end()
        self._conversations.clear()

    async def _found(self, agent_id: str) -> Frame:
        return part(await self._link.ask(requests.agent(agent_id)), "agent")

    def _conversation(self, key: ConversationKey) -> Conversation:
        return self._conversations.setdefault(key, Conversation(key))

    def _lost(self, connection: Connection) -> None:
        """Wake every run that was on a lost connection, and forget its idle conversations."""
        for run in self._runs:
            run.news.set()
        self._forget_idle()
        if not self._runs.closed:
            _log.warning("The connection to the App Server is lost.")
            self._runs.spawn(connection.close())

    def _forget_idle(self) -> None:
        """Forget conversations without a run whose connection is gone: they start anew anyway."""
        # A run may be on its way into its conversation, and not hold it yet.
        entered = {run.given.conversation for run in self._runs}
        for key, one in list(self._conversations.items()):
            started = one.connection is not None and not one.connection.lost
            if one.run is None and not started and key not in entered:
                del self._conversations[key]

    def _route(self, connection: Connection, frame: Frame) -> None:
        """Take what the server says by itself; of conversations that are not ours, nothing."""
        key = requests.key_of(frame)
        conversation = self._conversations.get(key) if key else None
        match word(frame, "type"):
            case "external_tool_call_request":
                self._runs.spawn(self._serve_tool(connection, conversation, frame))
            case "control_request" if conversation is not None:
                self._runs.spawn(self._judge(connection, conversation, frame))
            case "update_device_status":
                self._see_folders(part(frame, "device_status"))
            case _ if conversation is not None:
                conversation.feed(frame)

    def _see_folders(self, device: Frame) -> None:
        """Note where on the server's host its agents live: what they say must not tell."""
        for key in ("current_working_directory", "memory_directory"):
            if (folder := word(device, key)) and len(self.folders) < _MOST_FOLDERS:
                self.folders.add(folder)

    async def _serve_tool(
        self, connection: Connection, conversation: Conversation | None, frame: Frame
    ) -> None:
        """Run a tool for the turn that calls it; a turn nobody waits for gets an error."""
        run = conversation.run if conversation else None
        if run is None or not run.begun.is_set() or not run.offers(word(frame, "tool_name")):
            result = ToolResult("Nobody waits for this turn any more; nothing was done.", True)
        elif _unreadable(frame, part(frame, "input")):
            result = ToolResult(UNREADABLE, True)
        else:
            name = word(frame, "tool_name")
            run.serve(word(frame, "tool_call_id"), name)
            result = await run.use(name, part(frame, "input"))
        answer = requests.tool_result(word(frame, "request_id"), result)
        with contextlib.suppress(ConnectionLostError):
            await connection.send(answer)

    async def _judge(
        self, connection: Connection, conversation: Conversation, frame: Frame
    ) -> None:
        """Allow the tools of the run in progress, deny everything else."""
        request, run = part(frame, "request"), conversation.run
        is_call, name = word(request, "subtype") == "can_use_tool", word(request, "tool_name")
        refusal = None
        if run is None or not run.begun.is_set() or not (is_call and run.offers(name)):
            refusal = NOT_OFFERED
            _log.warning("Denied the agent a tool that is not Aurora's.")
        elif _unreadable(frame, part(part(frame, "request"), "input")):
            refusal = UNREADABLE
        answer = requests.verdict(conversation.key, word(frame, "request_id"), refusal)
        with contextlib.suppress(ConnectionLostError, TimeoutError):
            await connection.request(answer, timeout=self._link.limits.request)


def _unreadable(frame: Frame, arguments: Frame) -> bool:
    return isinstance(frame, Outline) or is_deep(arguments)
