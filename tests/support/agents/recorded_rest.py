"""A double of the REST API that plays one recording and complains of every other request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from doubles import recordings

Json = dict[str, Any]

_DATA = re.compile(r"^data: (\{.*\})$", re.MULTILINE)
_LISTING = re.compile(r"/v1/conversations/[^/]+/messages\Z")


class RecordedRest:
    """One recording behind real HTTP.

    The next exchange of the same method and path is played. Of listings a conversation's recorded
    one is shown as far as its runs were played. `only` names the exchanges to play, by number;
    what was recorded before the first of them has happened.
    """

    def __init__(self, recording: str, only: Iterable[int] = ()) -> None:
        content = recordings.load("rest", recording)
        self._all: list[Json] = content["exchanges"]
        wanted = set(only)
        self.script = [one for one in self._all if not wanted or one["n"] in wanted]
        self.received: list[tuple[str, str, Any, dict[str, str]]] = []
        self.complaints: list[str] = []
        earlier = [one for one in self._all if one["n"] < self.script[0]["n"]]
        self._played = [frame for one in earlier for frame in _frames(one)]
        self._improvised: list[tuple[str, str, Json]] = []
        self._listings = _LISTING
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._server = TestServer(app)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def conversation_id(self) -> str:
        """The conversation of the first message that was recorded."""
        path = next(one["request"]["path"] for one in self.script if _sends(one))
        return str(path.split("/")[3])

    @property
    def sent(self) -> list[Json]:
        """Return the bodies of all messages that were sent."""
        return [body for method, path, body, _ in self.received if _is_send(method, path)]

    def improvise(self, method: str, path: str, answer: Json) -> None:
        """Answer requests that were not recorded in this scenario but would be answered so."""
        self._improvised.append((method, path, answer))

    def take_any_answer(self, n: int) -> None:
        """Play an exchange whatever is sent; there the recorded client did something else."""
        del next(one for one in self.script if one["n"] == n)["request"]["json"]

    def list_from_runs(self) -> None:
        """Show a conversation as the recorded messages of its runs."""
        self._listings = re.compile(r"/v1/runs/[^/]+/messages\Z")

    async def __aenter__(self) -> RecordedRest:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()
        assert not self.complaints, self.complaints

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.received.append((request.method, request.path, body, dict(request.headers)))
        if request.method == "GET" and _LISTING.search(request.path):
            return web.json_response(self._listing())
        for index, one in enumerate(self.script):
            recorded = one["request"]
            if recorded["method"] == request.method and _path(recorded) == request.path:
                del self.script[index]
                return await self._play(one, request, body)
        for method, path, answer in self._improvised:
            if method == request.method and path in request.path:
                return web.json_response(answer)
        self.complaints.append(f"not recorded: {request.method} {request.path}")
        return web.json_response({"detail": "not recorded"}, status=418)

    async def _play(self, one: Json, request: web.Request, body: Any) -> web.StreamResponse:
        self._compare(one["request"].get("json"), body)
        response = one["response"]
        if "events" not in response:
            answer = response.get("json")
            return web.json_response(answer, status=response["status"])
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        for event in response["events"]:
            await stream.write(event["raw"].encode())
        self._played += _frames(one)
        if "client_closed_at_ms" in response and request.transport is not None:
            # There the recorded client went away; to ours it is the line that breaks.
            request.transport.abort()
        return stream

    def _compare(self, recorded: Json | None, body: Json | None) -> None:
        """Complain of what matters and differs from what the real server was sent."""
        if not recorded or not body or "messages" not in recorded:
            return
        for key in ("background", "streaming", "include_pings"):
            if bool(recorded.get(key)) != bool(body.get(key)):
                self.complaints.append(f"{key} is {body.get(key)!r}")
        old, new = (_shape(one["messages"]) for one in (recorded, body))
        if old != new:
            self.complaints.append(f"sent {new}, recorded {old}")
        if not all(one.get("otid") for one in body["messages"]):
            self.complaints.append("a message without otid")

    def _listing(self) -> list[Json]:
        listings = [
            one["response"]["json"]
            for one in self._all
            if one["request"]["method"] == "GET" and self._listings.search(_path(one["request"]))
        ]
        runs = {frame.get("run_id") for frame in self._played}
        whole = max(listings, key=len, default=None) or self._played
        shown = [one for one in whole if one.get("run_id") in runs and _stored(one)]
        # The server lists the newest first, and so were the listings of one message recorded.
        return shown[::-1]


def _frames(exchange: Json) -> list[Json]:
    raw = "".join(event["raw"] for event in exchange["response"].get("events", ()))
    return [json.loads(found) for found in _DATA.findall(raw)]


def _shape(messages: list[Json]) -> list[Any]:
    """Return what of messages is the same in every recording of the kind."""
    return [
        [(a["type"], a["tool_call_id"], a.get("status")) for a in one["approvals"]]
        if one.get("type") == "approval"
        else one["role"]
        for one in messages
    ]


def _stored(message: Json) -> bool:
    return message.get("message_type") not in ("ping", "stop_reason", "usage_statistics")


def _is_send(method: str, path: str) -> bool:
    return method == "POST" and bool(_LISTING.search(path))


def _sends(exchange: Json) -> bool:
    return _is_send(exchange["request"]["method"], _path(exchange["request"]))


def _path(request: Json) -> str:
    return str(request["path"]).partition("?")[0]
