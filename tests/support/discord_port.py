"""The seam is Discord: a real discord.py client in a local Discord, with no socket between them.

All of discord.py above its HTTP session is the real thing, and all that answers is the local
Discord that also serves over HTTP, so there is one imitation of Discord and not two. Time passes
only where discord.py itself waits: for a 429, and before it repeats a 500, 502 or 504.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import aiohttp
import discord
import orjson
from aiohttp import web
from discord.http import Route
from multidict import MultiDict

from doubles.local_discord import Guild, LocalDiscord
from doubles.local_discord.gateway import Session
from doubles.local_discord.rest import ROUTES
from doubles.local_discord.rest.routing import Request, Upload
from doubles.local_discord.rest.routing import Route as Answering
from tests.support.lives import Life

_TEMPLATES = [
    (route.method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path)), route)
    for route in ROUTES
]
Params = Mapping[str, Any] | Sequence[tuple[str, Any]]
"""What follows a path, as aiohttp takes it."""
_TRIES = 3
"""How often Aurora asks before it gives up; trouble that is to be felt lasts as long."""


class Answer:
    """What discord.py reads of an answer."""

    def __init__(self, response: web.StreamResponse) -> None:
        self.status = response.status
        self.reason = response.reason
        self.headers = response.headers
        body = response.body if isinstance(response, web.Response) else b""
        self._body = body if isinstance(body, bytes) else b""

    async def text(self, encoding: str) -> str:
        """Return the body."""
        return self._body.decode(encoding)


class Port:
    """One client's way to a local Discord.

    `gate` holds up what is sent while it is closed. `lag` is how long Discord takes for what it
    has; it is done then, whether anybody still waits for that or not.

    Every call but one that shows typing is two points in a life: Discord is asked, and Discord has
    done it. What fails at a point goes on failing until Aurora gives that call up.
    """

    def __init__(self, local: LocalDiscord, life: Life | None = None) -> None:
        self.local = local
        self.life = life or Life()
        self.gate = asyncio.Event()
        self.gate.set()
        self.lag: Callable[[], Awaitable[None]] | None = None
        self._trouble = 0
        self._bot: discord.Client | None = None
        self._session = Session(discord.Intents.all().value, (0, 1))

    async def connect(self, bot: discord.Client) -> None:
        """Let a client know all there is in the local Discord, and hear what happens there."""
        self._bot = bot
        # What `login` and `connect` do, had they a network.
        await bot._async_setup_hook()
        bot.http.token = self.local.token
        bot.http._global_over = asyncio.Event()
        bot.http._global_over.set()
        setattr(bot.http, "_HTTPClient__session", self)  # noqa: B010 - no name in this class
        self._session.connection = self
        self.local.gateway.open(self._session)

    async def close(self) -> None:
        """Hear nothing any more."""
        self.local.gateway.sessions.pop(self._session.id, None)

    # -- what the gateway says

    def write(self, text: str) -> None:
        """Tell the client of an event."""
        assert self._bot is not None
        state, frame = self._bot._connection, orjson.loads(text)
        if frame["t"] == "READY":
            # discord.py itself would now wait for guilds, by the wall clock.
            state.user = discord.ClientUser(state=state, data=frame["d"]["user"])
            state._users[state.user.id] = state.user  # type: ignore[assignment]
            self._bot._handle_ready()
        else:
            state.parsers[frame["t"]](frame["d"])

    def abort(self) -> None:
        """Be cut off."""
        self.local.gateway.sessions.pop(self._session.id, None)

    # -- what discord.py asks

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        data: str | aiohttp.FormData | None = None,
        params: Params | None = None,
        **_proxy: Any,
    ) -> AsyncIterator[Answer]:
        """Stand in for aiohttp.ClientSession.request."""
        path = url.removeprefix(Route.BASE)
        if path.endswith("/typing"):
            yield await self._ask(method, path, headers, data, params or {})
            return
        await self.gate.wait()
        await self._point("Discord is searched" if method == "GET" else "Discord is asked")
        asking = self._ask(method, path, headers, data, params or {})
        answer = await (asyncio.shield(self._later(asking)) if self.lag else asking)
        await self._point("Discord has done it", after=method != "GET")
        yield answer

    async def _later(self, asking: Awaitable[Answer]) -> Answer:
        if self.lag is not None:
            await self.lag()
        return await asking

    async def _point(self, where: str, *, after: bool = False) -> None:
        lost = aiohttp.ServerDisconnectedError()
        if self._trouble:
            self._trouble -= 1
            raise lost
        try:
            await self.life.point(where, lost, after=after)
        except aiohttp.ServerDisconnectedError:
            self._trouble = _TRIES - 1
            raise

    async def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        data: str | aiohttp.FormData | None,
        params: Params,
    ) -> Answer:
        route, names = _route(method, path)
        body, files = _read(data)
        request = Request(
            self.local,
            method=method,
            path=unquote(path),
            names=names,
            query=_queried(params),
            authorization=headers.get("Authorization"),
            body=body,
        )
        request.files = files
        try:
            return Answer(await self.local.carry_out(route, request))
        except ConnectionAbortedError:
            raise aiohttp.ServerDisconnectedError from None


def _queried(params: Params) -> MultiDict[str]:
    """Read a query, in which a name may stand several times."""
    pairs = params.items() if isinstance(params, Mapping) else params
    return MultiDict((key, str(value)) for key, value in pairs)


def _read(data: str | aiohttp.FormData | None) -> tuple[Any, list[Upload]]:
    """Take a body apart, into its JSON and its files."""
    if not isinstance(data, aiohttp.FormData):
        return None if data is None else orjson.loads(data), []
    body, files = None, []
    for options, headers, value in data._fields:
        if options["name"] == "payload_json":
            body = orjson.loads(value)
        else:
            files.append(Upload(options["filename"], value.read(), headers.get("Content-Type")))
    return body, files


def _route(method: str, path: str) -> tuple[Answering, dict[str, str]]:
    for wanted, template, route in _TEMPLATES:
        found = template.fullmatch(path) if wanted == method else None
        if found is not None:
            return route, {name: unquote(value) for name, value in found.groupdict().items()}
    raise LookupError(f"the local Discord has no route {method} {path}")


def withhold(bot: discord.Client, local: LocalDiscord, guild: Guild) -> Callable[[], None]:
    """Begin as a new session does, with no more of a guild than its id; return what brings it."""
    state = bot._connection
    known = state._get_guild(guild.id)
    assert known is not None
    state._remove_guild(known)
    unavailable: Any = {"id": str(guild.id), "unavailable": True}
    state._add_guild_from_data(unavailable)

    def bring() -> None:
        payload: Any = local.world.guild_payload(guild)
        state.parse_guild_create(payload | {"unavailable": False})

    return bring
