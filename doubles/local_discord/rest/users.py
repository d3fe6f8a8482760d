"""Routes about the bot itself, other users, and how to reach the gateway."""

from __future__ import annotations

from ..errors import ApiError, Payload, required
from .routing import Request, Routes, as_id

routes = Routes()


@routes.add("GET", "/gateway/bot")
async def get_gateway(request: Request) -> Payload:
    """Say where the gateway is."""
    limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
    return {"url": request.discord.gateway.url, "shards": 1, "session_start_limit": limit}


@routes.add("GET", "/users/@me")
async def get_me(request: Request) -> Payload:
    """Return the bot."""
    return request.bot.payload() | {"email": None, "verified": True, "flags": 0, "locale": "en-US"}


@routes.add("GET", "/users/@me/guilds")
async def get_my_guilds(request: Request) -> list[Payload]:
    """List the bot's guilds."""
    after = request.cursor("after") or 0
    limit = request.whole("limit", 200, 1, 200)
    guilds = sorted(request.world.guilds.values(), key=lambda guild: guild.id)
    keys = ("id", "name", "icon", "banner", "features")
    return [
        {key: value for key, value in guild.payload().items() if key in keys}
        | {"owner": guild.owner is request.bot, "permissions": "0"}
        for guild in guilds
        if guild.id > after
    ][:limit]


@routes.add("DELETE", "/users/@me/guilds/{guild_id}")
async def leave_guild(request: Request) -> None:
    """Let the bot leave a guild."""
    request.world.remove_guild(request.guild())


@routes.add("POST", "/users/@me/channels")
async def open_dm(request: Request) -> Payload:
    """Open the private channel to a user; whether they take messages shows on sending."""
    recipient = request.fields.get("recipient_id")
    if recipient is None:
        raise required("recipient_id")
    user = request.world.users.get(as_id(recipient, "recipient_id"))
    if user is None:
        raise ApiError(10013)
    if user.bot:
        raise ApiError(50007)
    return request.world.open_dm(user).payload(request.bot.id)


@routes.add("GET", "/users/{user_id}")
async def get_user(request: Request) -> Payload:
    """Return a user."""
    user = request.world.users.get(request.snowflake("user_id"))
    if user is None:
        raise ApiError(10013)
    return user.payload()


@routes.add("GET", "/oauth2/applications/@me")
async def get_application(request: Request) -> Payload:
    """Return the bot's application; its owner is whom Red takes for the bot's owner."""
    bot = request.bot
    return {
        "id": str(bot.id),
        "name": bot.name,
        "icon": None,
        "description": "",
        "summary": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "owner": request.world.owner.payload(),
        "team": None,
        "flags": 0,
    }
