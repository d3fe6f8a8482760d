"""The calls of the REST API that Aurora makes, through the SDK: plain data in and out.

They fail in two ways, CutError and RefusedError. Nothing else imports the SDK. Its typed results
are passed over: a server says more than the SDK's models know (unknown message types, `tool_calls`
as one object or a list).
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

from ...installing import InstallError
from ...reasons import AgentError, AuroraError, Outcome
from ...words import servers as w
from ..frames import Frame
from ..protocol import ConversationKey, ToolSpec
from .outcomes import UNSURE, RefusedError, refused

# The main thread of an agent; every other conversation knows whose it is.
_MAIN_THREAD = "default"
_TAIL = 30


class Limits(NamedTuple):
    """How long, in seconds, the backend waits for what."""

    request: float
    silence: float
    reconnect: float
    quiet: float
    stall: float
    patience: float
    drain: float


class CutError(AuroraError):
    """The way to the server failed; `sent` says whether the request may have arrived."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__(w.NOT_REACHED)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class _Sdk:
    letta: ModuleType
    httpx: ModuleType
    client: Any


class Api:
    """One server. The SDK is loaded, and a socket opened, when the first call is made."""

    def __init__(
        self,
        url: str,
        token: str | None,
        load: Callable[[], ModuleType],
        limits: Limits,
        *,
        direct: bool,
    ) -> None:
        self.limits = limits
        self._url = url.rstrip("/").removesuffix("/v1")
        self._token = token
        self._load = load
        self._direct = direct
        self._loading = asyncio.Lock()
        self._sdk: _Sdk | None = None

    async def agent(self, agent_id: str, *include: str) -> Frame:
        """Return an agent, with the relations named."""
        return _object(await self._json("agents.retrieve", agent_id, include=list(include)))

    async def detach(self, agent_id: str, tool_id: str) -> None:
        """Take a tool off an agent."""
        await self._json("agents.tools.detach", tool_id, agent_id=agent_id)

    async def check(self) -> None:
        """Ask for something that needs the token."""
        await self._json("agents.list", limit=1)

    async def models(self) -> list[Frame]:
        """Return the models that the server has."""
        return _objects(await self._json("models.list"))

    async def create_conversation(self, agent_id: str, title: str) -> Frame:
        """Create a conversation."""
        made = await self._json("conversations.create", agent_id=agent_id, summary=title)
        return _object(made)

    async def delete_conversation(self, key: ConversationKey) -> None:
        """Delete a conversation; 404 says that there is none."""
        await self._json("conversations.delete", key.conversation_id)

    async def compact(self, key: ConversationKey) -> None:
        """Put a summary into the place of a conversation's history; 400 says that it can't."""
        await self._json(
            "conversations.messages.compact",
            key.conversation_id,
            compaction_settings={"mode": "all"},
            seconds=self.limits.silence,
            **_scope(key),
        )

    async def tail(self, key: ConversationKey) -> list[Frame]:
        """Return the newest messages of a conversation, newest first."""
        found = await self._json(
            "conversations.messages.list",
            key.conversation_id,
            limit=_TAIL,
            order="desc",
            **_scope(key),
        )
        return _objects(found)

    async def retrieve_run(self, run_id: str) -> Frame:
        """Return a run's record."""
        return _object(await self._json("runs.retrieve", run_id))

    async def active_runs(self, key: ConversationKey) -> list[Frame]:
        """Return the runs of a conversation that have not ended."""
        found = await self._json("runs.list", conversation_id=key.conversation_id, active=True)
        return _objects(found)

    async def cancel(self, key: ConversationKey) -> None:
        """Cancel what runs in a conversation; 409 says that nothing does."""
        await self._json("conversations.cancel", key.conversation_id, **_scope(key))

    def send(
        self,
        key: ConversationKey,
        message: Frame,
        specs: Sequence[ToolSpec],
        *,
        background: bool,
        max_steps: int | None = None,
        model: str | None = None,
    ) -> AsyncGenerator[Frame, None]:
        """Send a message, never twice; yields what the server streams."""
        tools = [
            {"name": one.name, "description": one.description, "parameters": dict(one.parameters)}
            for one in specs
        ]
        more: dict[str, Any] = {"background": True} if background else {}
        if max_steps is not None:
            more["max_steps"] = max_steps
        if model:
            more["override_model"] = model
        return self._stream(
            "conversations.messages.create",
            key.conversation_id,
            messages=[message],
            client_tools=tools,
            streaming=True,
            stream_tokens=True,
            include_pings=True,
            **more,
            **_scope(key),
        )

    def resume(
        self, key: ConversationKey, run_id: str, otid: str, after: int
    ) -> AsyncGenerator[Frame, None]:
        """Yield the rest of a background run, found by its id or else by its message's otid."""
        name = {"run_id": run_id} if run_id else {"otid": otid}
        return self._stream(
            "conversations.messages.stream",
            key.conversation_id,
            starting_after=after,
            include_pings=True,
            # Older SDKs have no parameter for it, and another cog may have loaded one.
            extra_body=name,
            **_scope(key),
        )

    async def close(self) -> None:
        """Close the sockets."""
        async with self._loading:
            sdk, self._sdk = self._sdk, None
            if sdk is not None:
                await sdk.client.close()

    async def _json(
        self, method: str, *args: Any, seconds: float | None = None, **kwargs: Any
    ) -> Any:
        sdk = await self._loaded()
        timeout = self.limits.request if seconds is None else seconds
        with _translated(sdk):
            async with asyncio.timeout(timeout):
                call = _method(sdk.client, method)
                response = await call(*args, **kwargs, timeout=timeout)
                return await response.json()

    async def _stream(self, method: str, *args: Any, **kwargs: Any) -> AsyncGenerator[Frame, None]:
        sdk = await self._loaded()
        wait = self.limits.request
        timeout = sdk.httpx.Timeout(wait, read=self.limits.silence)
        with _translated(sdk):
            call = _method(sdk.client, method)
            response = await call(*args, **kwargs, timeout=timeout)
            try:
                async for frame in await response.parse(to=sdk.letta.AsyncStream[object]):
                    if isinstance(frame, dict):
                        yield frame
            finally:
                await response.close()

    async def _loaded(self) -> _Sdk:
        async with self._loading:
            if self._sdk is None:
                try:
                    # Half a second of imports must not hold up the bot.
                    self._sdk = await asyncio.to_thread(self._connect)
                except InstallError as error:
                    raise AgentError(Outcome.CONFIG, error.phrase) from None
            return self._sdk

    def _connect(self) -> _Sdk:
        letta = self._load()
        chatter = logging.getLogger("httpx")
        if chatter.level == logging.NOTSET:
            # One line for each request would bury what the bot's log is read for.
            chatter.setLevel(logging.WARNING)
        client = letta.AsyncLetta(
            api_key=self._token or "none",
            base_url=self._url,
            max_retries=0,
            # A redirect could carry the token to anywhere, and what people wrote with it.
            http_client=letta.DefaultAsyncHttpxClient(
                trust_env=not self._direct, follow_redirects=False
            ),
        )
        if not self._token:
            # Not given, it would be taken from the environment: a token of somebody else's.
            client.api_key = None
        # The SDK imports these when they are first touched.
        for resource in (client.agents, client.conversations.messages, client.runs):
            resource.with_raw_response  # noqa: B018 - touching it is the point
        return _Sdk(letta, importlib.import_module("httpx"), client)


def explain(error: CutError | RefusedError) -> AgentError:
    """Return the AgentError that a failed call of the REST API amounts to."""
    if isinstance(error, CutError):
        return AgentError(Outcome.UNREACHABLE, w.NOT_REACHED)
    ending = refused(error)
    return AgentError(ending.outcome, ending.detail)


def about_agent(error: CutError | RefusedError, agent_id: str) -> AgentError:
    """Explain a failed call, and name the agent where the server means that it has none such."""
    if isinstance(error, RefusedError) and error.status in (404, 422) and "gent" in error.detail:
        return AgentError(Outcome.CONFIG, w.NO_SUCH_AGENT(agent=agent_id))
    return explain(error)


def _scope(key: ConversationKey) -> dict[str, Any]:
    """Return what a request must add for the conversation to be found."""
    return {"agent_id": key.agent_id} if key.conversation_id == _MAIN_THREAD else {}


def _object(value: Any) -> Frame:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Frame]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _method(client: Any, path: str) -> Any:
    """Find a method of the SDK whose response is not parsed yet."""
    *resources, name = path.split(".")
    for one in resources:
        client = getattr(client, one)
    return getattr(client.with_raw_response, name)


@contextlib.contextmanager
def _translated(sdk: _Sdk) -> Iterator[None]:
    """Turn the SDK's exceptions into CutError and RefusedError."""
    never_sent = (
        sdk.httpx.ConnectError,
        sdk.httpx.ConnectTimeout,
        sdk.httpx.PoolTimeout,
        sdk.httpx.UnsupportedProtocol,
        sdk.httpx.ProxyError,
    )
    try:
        yield
    except sdk.letta.APIStatusError as error:
        if error.status_code in UNSURE:
            raise CutError(sent=True) from None
        raise RefusedError(
            error.status_code, _object(error.body), error.response.headers
        ) from None
    except sdk.letta.APIConnectionError as error:
        cause = error.__cause__
        if not isinstance(cause, (sdk.httpx.HTTPError, OSError)):
            # The SDK calls every trouble of its own a connection error.
            unfit = w.SDK_UNFIT(error=type(cause).__name__)
            raise AgentError(Outcome.CONFIG, unfit) from None
        raise CutError(sent=not isinstance(cause, never_sent)) from None
    except (sdk.httpx.HTTPError, sdk.httpx.StreamError, TimeoutError, OSError):
        raise CutError(sent=True) from None
    except (json.JSONDecodeError, RecursionError):
        raise CutError(sent=True) from None
