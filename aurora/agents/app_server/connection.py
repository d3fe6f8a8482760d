"""One WebSocket to an App Server: requests with answers, other frames, why it can't be opened."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from ...reasons import AgentError, AuroraError, Outcome
from ...words import servers as w
from ..frames import Frame, read_json, read_outline, word, write_json
from ..outcomes import STATUSES

_log = logging.getLogger("red.aurora.agents")

# A list of agents carries every system prompt: 23 kB each, and aiohttp's own limit is 4 MiB.
MAX_FRAME_BYTES = 64 * 2**20
_HEARTBEAT_SECONDS = 30.0
# A path that the server does not know, and a path with parameters.
_ELSEWHERE = {
    404: w.NO_APP_SERVER_AT_PATH,
    426: w.NO_PARAMETERS,
}


class ConnectionLostError(AuroraError):
    """The socket went away before the answer came."""


@dataclass(slots=True)
class _Waiting:
    """A request on its way; list answers come in several frames."""

    answer: asyncio.Future[list[Frame]]
    frames: list[Frame] = field(default_factory=list)


class Connection:
    """An open WebSocket. It never reopens itself: what belonged to it on the server is gone."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        socket: aiohttp.ClientWebSocketResponse,
        on_frame: Callable[[Connection, Frame], None],
        on_lost: Callable[[Connection], None],
    ) -> None:
        self.lost = False
        self.reflection_off: set[str] = set()
        self._session = session
        self._socket = socket
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._waiting: dict[str, _Waiting] = {}
        self._reader = asyncio.create_task(self._read(), name="aurora-app-server-reader")

    @classmethod
    async def open(
        cls,
        url: str,
        token: str | None,
        on_frame: Callable[[Connection, Frame], None],
        on_lost: Callable[[Connection], None],
        *,
        timeout: float,
    ) -> Connection:
        """Connect within `timeout` seconds.

        Raises:
            AgentError: CONFIG for a wrong address, path or token, UNREACHABLE for the rest.

        """
        if not url.startswith(("ws://", "wss://")):
            raise explain(ValueError(url))
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        watch = aiohttp.TraceConfig()
        watch.on_request_redirect.append(_refuse_redirect)
        session = aiohttp.ClientSession(headers=headers, trace_configs=[watch])
        try:
            async with asyncio.timeout(timeout):
                socket = await session.ws_connect(
                    url, max_msg_size=MAX_FRAME_BYTES, heartbeat=_HEARTBEAT_SECONDS
                )
        except BaseException as error:
            await session.close()
            if isinstance(error, (OSError, aiohttp.ClientError, TimeoutError, ValueError)):
                raise explain(error) from None
            raise
        return cls(session, socket, on_frame, on_lost)

    async def request(self, frame: Frame, *, timeout: float) -> Frame:
        """Send a request and return its answer.

        Raises:
            TimeoutError: no answer in `timeout` seconds; the server answers no invalid frame.
            ConnectionLostError: the socket is gone.

        """
        return (await self.collect(frame, timeout=timeout))[-1]

    async def collect(self, frame: Frame, *, timeout: float) -> list[Frame]:
        """Do a request whose answer may come in several frames; raises as `request`."""
        request_id = uuid.uuid4().hex
        waiting = _Waiting(asyncio.get_running_loop().create_future())
        self._waiting[request_id] = waiting
        try:
            async with asyncio.timeout(timeout):
                await self.send({**frame, "request_id": request_id})
                return await waiting.answer
        finally:
            del self._waiting[request_id]

    async def send(self, frame: Frame) -> None:
        """Send a frame that has no answer; raise ConnectionLostError if the socket is gone."""
        if self.lost:
            raise ConnectionLostError
        try:
            await self._socket.send_str(write_json(frame))
        except (OSError, aiohttp.ClientError) as error:
            raise ConnectionLostError from error

    async def close(self) -> None:
        """Close the socket, tell everybody who waits, and end the reader."""
        self._drop()
        with contextlib.suppress(OSError, aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(2):
                await self._socket.close()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._session.close()

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data)
        finally:
            self._drop()

    def _take(self, data: str) -> None:
        """Hand one frame on; whatever it holds, the reader lives."""
        try:
            frame = _read(data)
            if frame is None or self._answers(frame):
                return
            self._on_frame(self, frame)
        except Exception as error:
            # The frame may hold a user's words, so only the kind of trouble is told.
            _log.warning("An unreadable frame from the App Server: %s", type(error).__name__)

    def _answers(self, frame: Frame) -> bool:
        waiting = self._waiting.get(word(frame, "request_id"))
        kind = word(frame, "type")
        if waiting is None or not (kind.endswith("_response") or kind == "input_accepted"):
            return False
        waiting.frames.append(frame)
        if frame.get("done") is not False and not waiting.answer.done():
            waiting.answer.set_result(waiting.frames)
        return True

    def _drop(self) -> None:
        if self.lost:
            return
        self.lost = True
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(ConnectionLostError())
        self._on_lost(self)


async def _refuse_redirect(
    _session: aiohttp.ClientSession,
    _context: object,
    params: aiohttp.TraceRequestRedirectParams,
) -> None:
    """Break off a handshake that is sent elsewhere, where the token could go too.

    A handshake can't be told not to follow.
    """
    response = params.response
    raise aiohttp.WSServerHandshakeError(
        response.request_info, response.history, status=response.status
    )


def _read(data: str) -> Frame | None:
    """Read a frame, or its outline: a call that can't be read must not go unanswered."""
    try:
        frame = read_json(data)
    except (ValueError, RecursionError):
        return read_outline(data)
    return frame if isinstance(frame, dict) else None


def explain(error: Exception) -> AgentError:
    """Say in a person's words why there is no connection."""
    if isinstance(error, aiohttp.WSServerHandshakeError):
        if error.status in _ELSEWHERE:
            return AgentError(Outcome.CONFIG, _ELSEWHERE[error.status])
        other = (Outcome.UNREACHABLE, w.REFUSED_CONNECTION)
        outcome, detail = STATUSES.get(error.status, other)
        return AgentError(outcome, w.WITH_STATUS(what=detail, status=error.status))
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return AgentError(Outcome.UNREACHABLE, w.NOT_SECURE)
    if isinstance(error, (aiohttp.InvalidURL, ValueError)):
        return AgentError(Outcome.CONFIG, w.NO_ADDRESS)
    if isinstance(error, TimeoutError):
        return AgentError(Outcome.UNREACHABLE, w.NO_ANSWER)
    if isinstance(error, aiohttp.ClientConnectorError):
        reason = error.os_error.strerror or type(error.os_error).__name__
        nothing = w.NOTHING_ANSWERS(address=f"{error.host}:{error.port}", reason=reason)
        return AgentError(Outcome.UNREACHABLE, nothing)
    return AgentError(Outcome.UNREACHABLE, w.CONNECTION_FAILED(error=type(error).__name__))
