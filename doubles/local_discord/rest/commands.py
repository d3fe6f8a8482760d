"""Routes about application commands; a guild's and the global ones are alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from ..errors import ApiError, Payload, invalid
from .routing import (
    Handler,
    Request,
    Routes,
    answer,
)

routes = Routes()

_GLOBAL = "/applications/{application_id}/commands"
_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"

Scoped = Callable[[Request, int | None], Awaitable[Any]]


def _both(method: str, tail: str = "") -> Callable[[Scoped], Scoped]:
    def register(scoped: Scoped) -> Scoped:
        routes.add(method, _GUILD + tail)(_in_guild(scoped))
        routes.add(method, _GLOBAL + tail)(_everywhere(scoped))
        return scoped

    return register


def _check_application(request: Request) -> None:
    if request.snowflake("application_id") != request.bot.id:
        raise ApiError(20001, status=403, message="Unauthorized")


def _in_guild(scoped: Scoped) -> Handler:
    async def handler(request: Request) -> Any:
        _check_application(request)
        if request.snowflake("guild_id") not in request.world.guilds:
            raise ApiError(50001)
        return await scoped(request, request.snowflake("guild_id"))

    return handler


def _everywhere(scoped: Scoped) -> Handler:
    async def handler(request: Request) -> Any:
        _check_application(request)
        return await scoped(request, None)

    return handler


@routes.add("GET", _GUILD + "/permissions")
async def list_permissions(_request: Request) -> list[Payload]:
    """List who was allowed what in a guild's settings: nobody changed them."""
    return []


@routes.add("GET", _GUILD + "/{command_id}/permissions")
async def get_permissions(_request: Request) -> None:
    """Return a command's permissions in a guild: nobody changed them."""
    raise ApiError(10066)


@routes.add("PUT", _GUILD + "/{command_id}/permissions")
async def set_permissions(_request: Request) -> None:
    """Refuse: only a person can change a command's permissions."""
    raise ApiError(20001)


@_both("GET")
async def list_commands(request: Request, scope: int | None) -> list[Payload]:
    """List the commands of a scope."""
    return list(request.discord.commands.of(scope).values())


@_both("PUT")
async def replace_commands(request: Request, scope: int | None) -> list[Payload]:
    """Register exactly the given commands."""
    if not isinstance(request.body, list):
        text = "Only iterables may be used in a ListType"
        raise invalid("", "LIST_TYPE_CONVERT", text)
    return request.discord.commands.replace(scope, request.body)


@_both("POST")
async def create_command(request: Request, scope: int | None) -> web.Response:
    """Register one command, in the place of one of its name."""
    made, new = request.discord.commands.put(scope, request.fields)
    return answer(201 if new else 200, made)


@_both("GET", "/{command_id}")
async def get_command(request: Request, scope: int | None) -> Payload:
    """Return one command."""
    return request.discord.commands.get(scope, request.snowflake("command_id"))


@_both("PATCH", "/{command_id}")
async def change_command(request: Request, scope: int | None) -> Payload:
    """Change one command."""
    command_id = request.snowflake("command_id")
    return request.discord.commands.change(scope, command_id, request.fields)


@_both("DELETE", "/{command_id}")
async def delete_command(request: Request, scope: int | None) -> None:
    """Take one command back."""
    command_id = request.snowflake("command_id")
    request.discord.commands.get(scope, command_id)
    del request.discord.commands.of(scope)[command_id]
