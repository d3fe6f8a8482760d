"""Routes about members and roles."""

from __future__ import annotations

from .. import permissions
from ..errors import (
    ApiError,
    Payload,
    bad_length,
    required,
)
from ..model import Guild, Member, Role
from .routing import Request, Routes, as_id

routes = Routes()


@routes.add("GET", "/guilds/{guild_id}/members")
async def list_members(request: Request) -> list[Payload]:
    """Return a page of members by id."""
    guild = request.guild()
    after, limit = request.cursor("after") or 0, request.whole("limit", 1, 1, 1000)
    ids = sorted(user_id for user_id in guild.members if user_id > after)
    return [guild.members[user_id].payload() for user_id in ids[:limit]]


@routes.add("GET", "/guilds/{guild_id}/members/search")
async def search_members(request: Request) -> list[Payload]:
    """Return the members whose name begins with something."""
    guild, query = request.guild(), request.query.get("query")
    if query is None:
        raise required("query")
    limit, start = request.whole("limit", 1, 1, 1000), query.lower()
    found = [
        member
        for member in guild.members.values()
        if any(
            name.lower().startswith(start)
            for name in (member.user.name, member.user.global_name, member.nick)
            if name
        )
    ]
    return [member.payload() for member in found[:limit]]


@routes.add("PATCH", "/guilds/{guild_id}/members/@me")
async def edit_me(request: Request) -> Payload:
    """Change the bot's own nickname."""
    guild = request.guild()
    request.need_in_guild(guild, permissions.CHANGE_NICKNAME)
    member = guild.members[request.bot.id]
    _rename(member, request.fields)
    request.world.update_member(guild, member)
    return member.payload()


@routes.add("GET", "/guilds/{guild_id}/members/{user_id}")
async def get_member(request: Request) -> Payload:
    """Return a member."""
    return request.member(request.guild()).payload()


@routes.add("PATCH", "/guilds/{guild_id}/members/{user_id}")
async def edit_member(request: Request) -> Payload:
    """Change somebody's nickname or roles."""
    guild, fields = request.guild(), request.fields
    member = request.member(guild)
    if "nick" in fields:
        request.need_in_guild(guild, permissions.MANAGE_NICKNAMES)
        _check_above(request, guild, _top(guild, member))
        _rename(member, fields)
    if "roles" in fields:
        wanted = [as_id(item, "roles") for item in fields["roles"]]
        for role_id in {*wanted} ^ {*member.roles}:
            _check_role(request, guild, role_id)
        member.roles = wanted
    request.world.update_member(guild, member)
    return member.payload()


@routes.add("PUT", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}")
async def give_role(request: Request) -> None:
    """Give somebody a role below the bot's own."""
    guild = request.guild()
    member, role_id = request.member(guild), request.snowflake("role_id")
    _check_role(request, guild, role_id)
    if role_id not in member.roles:
        member.roles.append(role_id)
        request.world.update_member(guild, member)


@routes.add("DELETE", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}")
async def take_role(request: Request) -> None:
    """Take a role from somebody."""
    guild = request.guild()
    member, role_id = request.member(guild), request.snowflake("role_id")
    _check_role(request, guild, role_id)
    if role_id in member.roles:
        member.roles.remove(role_id)
        request.world.update_member(guild, member)


@routes.add("GET", "/guilds/{guild_id}/roles")
async def list_roles(request: Request) -> list[Payload]:
    """List a guild's roles."""
    return [role.payload() for role in request.guild().roles.values()]


@routes.add("GET", "/guilds/{guild_id}/roles/{role_id}")
async def get_role(request: Request) -> Payload:
    """Return a role."""
    return _role(request, request.guild()).payload()


@routes.add("POST", "/guilds/{guild_id}/roles")
async def create_role(request: Request) -> Payload:
    """Create a role."""
    guild, fields = request.guild(), request.fields
    request.need_in_guild(guild, permissions.MANAGE_ROLES)
    role = request.world.add_role(
        guild,
        fields.get("name") or "new role",
        permissions=int(fields.get("permissions") or 0),
        mentionable=bool(fields.get("mentionable")),
    )
    return role.payload()


@routes.add("PATCH", "/guilds/{guild_id}/roles/{role_id}")
async def edit_role(request: Request) -> Payload:
    """Change a role below the bot's own."""
    guild, fields = request.guild(), request.fields
    role = _role(request, guild)
    _check_role(request, guild, role.id)
    role.name = fields.get("name", role.name)
    role.permissions = int(fields.get("permissions", role.permissions))
    role.mentionable = fields.get("mentionable", role.mentionable)
    request.world.update_role(guild, role)
    return role.payload()


@routes.add("DELETE", "/guilds/{guild_id}/roles/{role_id}")
async def delete_role(request: Request) -> None:
    """Delete a role below the bot's own."""
    guild = request.guild()
    role = _role(request, guild)
    if role.managed or role is guild.everyone:
        raise ApiError(50028)
    _check_role(request, guild, role.id)
    request.world.delete_role(guild, role)


def _role(request: Request, guild: Guild) -> Role:
    role = guild.roles.get(request.snowflake("role_id"))
    if role is None:
        raise ApiError(10011)
    return role


def _rename(member: Member, fields: Payload) -> None:
    nick = fields.get("nick")
    if nick is not None and len(nick) > 32:
        raise bad_length("nick", 1, 32)
    member.nick = nick or None


def _check_role(request: Request, guild: Guild, role_id: int) -> None:
    request.need_in_guild(guild, permissions.MANAGE_ROLES)
    if role_id not in guild.roles:
        raise ApiError(10011)
    _check_above(request, guild, guild.roles[role_id].position)


def _check_above(request: Request, guild: Guild, position: int) -> None:
    mine = guild.members[request.bot.id]
    if guild.owner is not request.bot and _top(guild, mine) <= position:
        raise ApiError(50013)


def _top(guild: Guild, member: Member) -> int:
    return max((guild.roles[role_id].position for role_id in member.roles), default=0)
