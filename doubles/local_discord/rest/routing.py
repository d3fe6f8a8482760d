"""What every route shares: reading a request, refusing it, and the headers of an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import BodyPartReader, web
from multidict import MultiMapping

from .. import permissions
from ..errors import ApiError, Payload, invalid

if TYPE_CHECKING:
    from ..message import Message
    from ..model import (
        Channel,
        Guild,
        Member,
        User,
    )
    from ..server import LocalDiscord
    from ..world import World

Handler = Callable[["Request"], Awaitable[Any]]


@dataclass(slots=True)
class Upload:
    """A file of a multipart request."""

    filename: str
    data: bytes
    content_type: str | None


@dataclass(slots=True)
class Route:
    """A route of the API; `public` ones carry their own secret in the path."""

    method: str
    path: str
    handler: Handler
    public: bool


@dataclass(slots=True)
class Routes:
    """The routes of one family, in the order in which they are tried."""

    table: list[Route] = field(default_factory=list)

    def add(self, method: str, path: str, *, public: bool = False) -> Callable[[Handler], Handler]:
        """Register the decorated function for a method and a path after ``/api/v10``."""

        def register(handler: Handler) -> Handler:
            self.table.append(Route(method, path, handler, public))
            return handler

        return register


class Request:
    """One call of the bot, however it came, with what most routes ask of it.

    Args:
        discord: Who is called.
        method: Such as ``POST``.
        path: What follows ``/api/v10``.
        names: What the route's template names in the path.
        query: What follows the path.
        authorization: The header of that name.
        body: What came with it, if that is not to be read first.

    """

    def __init__(
        self,
        discord: LocalDiscord,
        *,
        method: str,
        path: str,
        names: Mapping[str, str],
        query: MultiMapping[str],
        authorization: str | None,
        body: Any = None,
    ) -> None:
        self.discord = discord
        self.world: World = discord.world
        self.method = method
        self.path = path
        self.names = names
        self.query = query
        self.authorization = authorization
        self.body = body
        self.files: list[Upload] = []

    @property
    def bot(self) -> User:
        """The bot that is calling."""
        return self.world.bot

    async def read(self) -> None:
        """Read the body; raise ApiError if it can't be understood."""

    @property
    def fields(self) -> Payload:
        """The body as an object."""
        if self.body is None:
            return {}
        if not isinstance(self.body, dict):
            raise invalid("", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return self.body

    def snowflake(self, name: str) -> int:
        """Return an id from the path."""
        return as_id(self.names[name], name)

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number from the query."""
        value = self.query.get(name)
        if value is None:
            return default
        if not value.isdigit():
            raise invalid(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        number = int(value)
        if number < low:
            text = f"int value should be greater than or equal to {low}."
            raise invalid(name, "NUMBER_TYPE_MIN", text)
        if number > high:
            text = f"int value should be less than or equal to {high}."
            raise invalid(name, "NUMBER_TYPE_MAX", text)
        return number

    def cursor(self, name: str) -> int | None:
        """Return an id from the query."""
        value = self.query.get(name)
        return None if value is None else as_id(value, name)

    def guild(self) -> Guild:
        """Return the guild in the path, which the bot must be in."""
        guild = self.world.guilds.get(self.snowflake("guild_id"))
        if guild is None or self.bot.id not in guild.members:
            raise ApiError(10004)
        return guild

    def member(self, guild: Guild, name: str = "user_id") -> Member:
        """Return the guild's member in the path."""
        member = guild.members.get(self.snowflake(name))
        if member is None:
            raise ApiError(10007 if self.snowflake(name) in self.world.users else 10013)
        return member

    def channel(self) -> Channel:
        """Return the channel in the path, which the bot must be able to see."""
        channel = self.world.channels.get(self.snowflake("channel_id"))
        if channel is None:
            raise ApiError(10003)
        self.need(channel, permissions.VIEW_CHANNEL)
        return channel

    def text_channel(self) -> Channel:
        """Return the channel in the path, whose messages the bot must be able to see.

        The text of a voice channel belongs to those who may join it.
        """
        channel = self.channel()
        if not channel.holds_messages:
            raise ApiError(50008)
        if channel.is_voice and not self.world.may(self.bot, channel, permissions.CONNECT):
            raise ApiError(50001)
        return channel

    def message(self, channel: Channel) -> Message:
        """Return the message in the path; ephemeral ones are not to be had this way."""
        message = self.world.messages.get(self.snowflake("message_id"))
        if message is None or message.channel is not channel or message.ephemeral:
            raise ApiError(10008)
        return message

    def need(self, channel: Channel, wanted: int) -> None:
        """Refuse what the bot may not do in a channel."""
        granted = permissions.in_channel(channel, self.bot.id)
        if not granted & permissions.VIEW_CHANNEL:
            raise ApiError(50001)
        if granted & wanted != wanted:
            raise ApiError(50013)

    def need_in_guild(self, guild: Guild, wanted: int) -> None:
        """Refuse what the bot may not do in a guild."""
        if permissions.in_guild(guild, self.bot.id) & wanted != wanted:
            raise ApiError(50013)


class HttpRequest(Request):
    """A call that came over a socket; its body is JSON, or a form with files."""

    def __init__(self, discord: LocalDiscord, http: web.Request, path: str) -> None:
        super().__init__(
            discord,
            method=http.method,
            path=path,
            names=http.match_info,
            query=http.query,
            authorization=http.headers.get("Authorization"),
        )
        self._http = http

    async def read(self) -> None:
        """Read the body; raise ApiError if it is not JSON."""
        if not self._http.can_read_body:
            return
        if self._http.content_type == "multipart/form-data":
            await self._read_form()
            return
        self.body = _parsed(await self._http.read())

    async def _read_form(self) -> None:
        async for part in await self._http.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            data = bytes(await part.read())
            if part.filename is not None:
                kind = part.headers.get("Content-Type")
                self.files.append(Upload(part.filename, data, kind))
            elif part.name == "payload_json":
                self.body = _parsed(data)


def _parsed(raw: bytes) -> Any:
    try:
        return orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError:
        raise ApiError(50109) from None


def as_id(value: Any, path: str) -> int:
    """Return an id out of a body.

    Raises:
        ApiError: It is none.

    """
    if not str(value).isdigit():
        raise invalid(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
    return int(value)


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> web.Response:
    """Build an answer; discord.py reads JSON only under exactly this content type."""
    if body is None:
        return web.Response(status=status, headers=headers)
    return web.Response(
        status=status,
        body=orjson.dumps(body),
        content_type="application/json",
        headers=headers,
    )


def limit_headers(route: Route | None) -> dict[str, str]:
    """Return the rate limit headers of a route that is far from its limit."""
    bucket = "none" if route is None else f"{route.method}{route.path}"
    return {
        "X-RateLimit-Limit": "1000",
        "X-RateLimit-Remaining": "999",
        "X-RateLimit-Reset-After": "1.000",
        "X-RateLimit-Bucket": bucket.replace("/", "-").replace("{", "").replace("}", ""),
    }
