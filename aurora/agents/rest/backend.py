"""Letta's REST API as an AgentBackend: look-ups, own tools, runs, a lock per conversation."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable
from types import ModuleType

from ...clock import Clock, SystemClock
from ...reasons import AgentError, Outcome
from ...words import servers as w
from ..frames import Frame, items, part, word
from ..protocol import (
    AgentInfo,
    AgentModel,
    ConversationKey,
    Finished,
    Input,
    OwnTool,
    RunEvent,
    ToolHost,
)
from ..runs import Runs
from .api import Api, CutError, Limits, about_agent, explain
from .driver import Driver
from .outcomes import RefusedError
from .recall import recall
from .run import RestRun
from .undertaking import Undertaking

_MCP_TAG = "mcp:"
_TASKS = "aurora-letta-rest"


class LettaRest:
    """One server. Nothing is opened, and no SDK is loaded, before the first call."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        load: Callable[[], ModuleType],
        direct: bool = False,
        clock: Clock | None = None,
        request_timeout: float = 10.0,
        silence_limit: float = 65.0,
        reconnect_limit: float = 60.0,
        quiet_limit: float = 5.0,
        stall_limit: float = 30.0,
        patience: float = 5.0,
        drain_limit: float = 30.0,
    ) -> None:
        """Prepare a backend.

        Args:
            url: http:// or https:// address of the server.
            token: API key or server password; goes into one header, nowhere else.
            load: returns the SDK or raises InstallError (`SdkFolder.activate`); runs in a thread.
            direct: connect without the environment's proxies, as to a server on this machine.
            clock: the source of time for waits.
            request_timeout: seconds for a connection, and for the answer to a look-up.
            silence_limit: seconds a stream may be silent; the server pings every 20.
            reconnect_limit: seconds to look for a lost server while a turn is under way.
            quiet_limit: seconds a stream may say nothing before the run's record is read.
            stall_limit: seconds without news after which a run of a server that was away is dead.
            patience: seconds a run that nobody waits for may still hold a conversation.
            drain_limit: seconds to wait for the end of a turn whose caller left.

        """
        self.url = url
        self.background = True
        """Whether the server is asked for background runs; it may turn out to have none."""
        limits = Limits(
            request_timeout,
            silence_limit,
            reconnect_limit,
            quiet_limit,
            stall_limit,
            patience,
            drain_limit,
        )
        self._api = Api(url, token, load, limits, direct=direct)
        self._clock = clock or SystemClock()
        self._locks: weakref.WeakValueDictionary[ConversationKey, asyncio.Lock] = (
            weakref.WeakValueDictionary()
        )
        self._runs: Runs[RestRun] = Runs(_TASKS)
        self.undertaking = Undertaking(self._api, self._clock, self.lock, _TASKS)

    async def ping(self) -> None:
        """Find out whether the server can be used with this token; raise AgentError if not."""
        self._check_open()
        try:
            await self._api.check()
        except (CutError, RefusedError) as error:
            raise explain(error) from None

    async def agent(self, agent_id: str) -> AgentInfo:
        """Look the agent up; raise AgentError (CONFIG when it does not exist)."""
        found = await self._find(agent_id)
        return AgentInfo(word(found, "id") or agent_id, word(found, "name"))

    async def model(self, agent_id: str) -> AgentModel:
        """Tell what model the agent has; raise AgentError. The server does not know if it sees."""
        found = await self._find(agent_id)
        return AgentModel(word(found, "model") or word(part(found, "llm_config"), "handle"))

    async def models(self) -> list[str]:
        """Return the handles of the models that the server has; raise AgentError."""
        self._check_open()
        try:
            found = await self._api.models()
        except (CutError, RefusedError) as error:
            raise explain(error) from None
        return [handle for one in found if (handle := word(one, "handle"))]

    async def own_tools(self, agent_id: str) -> list[OwnTool]:
        """Return the tools that the agent carries itself; raise AgentError.

        They run on its server, out of reach of Aurora's guard.
        """
        found = await self._find(agent_id, "agent.tools")
        return [
            OwnTool(name, _mcp_server(one), word(one, "id"))
            for one in items(found, "tools")
            if (name := word(one, "name"))
        ]

    async def detach(self, agent_id: str, tool_id: str) -> None:
        """Take a tool off the agent; it stays on the server. Raise AgentError."""
        self._check_open()
        try:
            await self._api.detach(agent_id, tool_id)
        except (CutError, RefusedError) as error:
            raise explain(error) from None

    async def open_conversation(self, agent_id: str, title: str) -> str:
        """Create a conversation and return its id; raise AgentError."""
        self._check_open()
        try:
            found = await self._api.create_conversation(agent_id, title)
        except (CutError, RefusedError) as error:
            raise about_agent(error, agent_id) from None
        conversation_id = word(found, "id")
        if not conversation_id:
            raise AgentError(Outcome.UNREACHABLE, w.NO_CONVERSATION)
        return conversation_id

    async def forget_conversation(self, key: ConversationKey) -> None:
        """Delete a conversation; raise AgentError."""
        self._check_open()
        try:
            await self._api.delete_conversation(key)
        except RefusedError as error:
            if error.status != 404:
                raise explain(error) from None
        except CutError as error:
            raise explain(error) from None

    def run(self, given: Input, tools: ToolHost) -> AsyncGenerator[RunEvent, None]:
        """Give an agent an input, as AgentBackend says."""
        run = RestRun(given, tools)
        return self._runs.follow(run, lambda: Driver(self._api, self._clock, self, run).drive())

    async def recall(self, given: Input) -> Finished | None:
        """Return how an attempt ended whose Aurora died; raise AgentError.

        None if the server has not kept it or it has not ended: then a new attempt may be sent,
        unless the old one had a visible effect.
        """
        self._check_open()
        try:
            return await recall(self._api, given)
        except (CutError, RefusedError) as error:
            raise explain(error) from None

    def abandon(self, key: ConversationKey) -> None:
        """Have what an Aurora that died left running in a conversation aborted."""
        self._check_open()
        self.undertaking.leave(key)

    async def close(self, *, grace: float = 2.0) -> None:
        """Abort what runs, wait up to `grace` seconds for the server, leave nothing behind."""
        await self._runs.abort(grace)
        # First the tasks: each call they make may open a socket.
        await self._runs.end()
        await self.undertaking.close()
        await self._api.close()

    def lock(self, key: ConversationKey) -> asyncio.Lock:
        """Return the lock of a conversation; it lives as long as somebody holds on to it."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock

    def _check_open(self) -> None:
        if self._runs.closed:
            raise AgentError(Outcome.UNREACHABLE, w.CLOSED)

    async def _find(self, agent_id: str, *include: str) -> Frame:
        self._check_open()
        try:
            return await self._api.agent(agent_id, *include)
        except (CutError, RefusedError) as error:
            raise about_agent(error, agent_id) from None


def _mcp_server(tool: Frame) -> str:
    """Return the name of the MCP server that a tool was taken from, which the server tags it."""
    tags = tool.get("tags")
    words = map(str, tags) if isinstance(tags, list) else ()
    return next((one.removeprefix(_MCP_TAG) for one in words if one.startswith(_MCP_TAG)), "")
