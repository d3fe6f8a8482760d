"""Write a run's stream to a client, with pings while nothing else is to be said."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiohttp import web

from . import frames
from .faults import Fault
from .problems import StreamError
from .state import Json, Stream


@dataclass(slots=True)
class Reader:
    """One client that reads a stream.

    Args:
        stream: what is read.
        run_id: named in the pings.
        after: how many events the client has already.
        keepalive: seconds between pings; None for no pings.
        fault: what goes wrong on the way.

    """

    stream: Stream
    run_id: str
    after: int = 0
    keepalive: float | None = None
    fault: Fault | None = None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Write until the stream ends or the client goes away; the run knows nothing of it."""
        response = web.StreamResponse()
        response.headers["Content-Type"] = "text/event-stream; charset=utf-8"
        written = 0
        async for event in self._events():
            if self.fault is not None and written == self.fault.after:
                if self.fault.cut:
                    return _abort(request, response)
                for extra in self._extra():
                    await _write(request, response, extra)
                if self.fault.error is not None:
                    return response
            await _write(request, response, event)
            written += 1
        await _write(request, response, "")
        return response

    async def _events(self) -> AsyncIterator[str]:
        position = self.after
        while True:
            if not await self.stream.more(position, self.keepalive):
                yield event(frames.ping(self.run_id, self.stream.seq_id(position)))
                continue
            while position < len(self.stream.events):
                position += 1
                yield self.stream.events[position - 1]
            if self.stream.closed:
                return

    def _extra(self) -> list[str]:
        fault = self.fault
        if fault is None or fault.error is None:
            return list(fault.insert) if fault else []
        error = StreamError(*fault.error).frame(self.run_id)
        end = [event(frames.stop("error")), f"event: error\n{event(error)}", "data: [DONE]\n\n"]
        return [*fault.insert, *end]


def event(frame: Json) -> str:
    """Frame one server-sent event."""
    return f"data: {json.dumps(frame, ensure_ascii=False, separators=(',', ':'))}\n\n"


async def _write(request: web.Request, response: web.StreamResponse, text: str) -> None:
    """Write an event; the head goes out with the first one, as it does on the real server."""
    if not response.prepared:
        await response.prepare(request)
    await response.write(text.encode())


def _abort(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return response
