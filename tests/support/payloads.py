"""Builders of real discord.py objects from the payloads that Discord sends."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Literal, cast

import discord
from aiohttp import web
from aiohttp.test_utils import TestServer

from aurora.model import Quote

Payload = dict[str, Any]

START = datetime(2025, 11, 21, 12, 0, tzinfo=UTC)
"""When the first message was written; ids carry the time, each message a second later."""

EVERYONE = (
    "view_channel", "send_messages", "send_messages_in_threads", "read_message_history",
    "add_reactions", "connect",
)  # fmt: skip

_OWN = "aurora"
_FIRST = discord.utils.time_snowflake(START)
_ids = itertools.count(1)


def snowflake() -> int:
    """Return a new id; ids rise, a second of Discord's time with each."""
    return _FIRST + (next(_ids) * 1000 << 22)


def bits(*permissions: str) -> str:
    """Return permissions as Discord writes them."""
    return str(discord.Permissions(**dict.fromkeys(permissions, True)).value)


def user_payload(name: str, **changes: Any) -> Payload:
    """Return a user; like most accounts it has no global name unless given one."""
    return {
        "id": str(snowflake()),
        "username": name,
        "discriminator": "0",
        "global_name": None,
        "avatar": None,
        "bot": False,
    } | changes


def attachment(filename: str, **changes: Any) -> Payload:
    """Return an attachment of 12 kB."""
    url = f"https://cdn.discordapp.com/attachments/1/2/{filename}"
    return {
        "id": str(snowflake()),
        "filename": filename,
        "size": 12_000,
        "url": url,
        "proxy_url": url,
    } | changes


def snapshot(content: str, **changes: Any) -> Payload:
    """Return what a forward carries of the forwarded message."""
    message = {
        "type": 0,
        "content": content,
        "embeds": [],
        "attachments": [],
        "timestamp": START.isoformat(),
        "edited_timestamp": None,
        "flags": 0,
    }
    return {"message": message | changes}


def make_quote(content: str = "hello", *, author: str = "ada", **changes: Any) -> Quote:
    """Return a message as an EventContext holds it."""
    base = {
        "id": str(snowflake()),
        "author": {
            "id": "77",
            "username": author,
            "display_name": author,
            "global_name": None,
            "bot": False,
        },
        "content": content,
        "at": START.timestamp(),
        "extras": [],
        "cut": 0,
    }
    return cast(Quote, base | changes)


class TeaHouse:
    """A guild, its people and its channels, as a connected client would know them.

    Channels by name: general, staff (for mods alone), voice, stage, forum, quiet (only
    mods may write), thread (public, from a message), private (private thread), post (forum post),
    locked. People: aurora (the bot), ann, bob, mod, robot (another bot).
    """

    def __init__(self, client: discord.Client | None = None) -> None:
        self.client = client or discord.Client(intents=discord.Intents.all())
        self.state = self.client._connection
        # Events would start listeners; here only the cache is wanted.
        self.state.dispatch = lambda *_: None
        self.sent: dict[int, Payload] = {}
        self.people = {
            _OWN: user_payload(_OWN, bot=True, global_name="Aurora"),
            "ann": user_payload("ann"),
            "bob": user_payload("bob", global_name="Bob"),
            "mod": user_payload("mod"),
            "robot": user_payload("robot", bot=True),
        }
        self.state.user = discord.ClientUser(state=self.state, data=self._user(_OWN))
        self.state._users[self.me.id] = self.state.user  # type: ignore[assignment]
        self.roles = {"everyone": snowflake(), "aurora": snowflake(), "mods": snowflake()}
        self.ids = {name: snowflake() for name in _CHANNELS}
        self.guild = self.state._add_guild_from_data(cast(Any, self._guild()))

    @property
    def me(self) -> discord.ClientUser:
        """Return the bot's user."""
        return cast(discord.ClientUser, self.state.user)

    def id(self, person: str) -> int:
        """Return a person's id."""
        return int(self.people[person]["id"])

    def channel(self, name: str) -> Any:
        """Return a channel or thread of the guild."""
        return self.guild.get_channel_or_thread(self.ids[name])

    def message(
        self,
        content: str = "",
        *,
        author: str = "ann",
        channel: str | int = "general",
        dm: bool = False,
        reply_to: discord.Message | int | None = None,
        resolved: Literal["yes", "deleted", "absent"] = "yes",
        cached: bool = False,
        known: bool = True,
        **changes: Any,
    ) -> discord.Message:
        """Return a message as the gateway brings it.

        Mentions in the content are listed as Discord lists them. `cached` keeps it in discord.py's
        cache, `known` lets `rest` serve it. `resolved` says what Discord tells of the message
        replied to.
        """
        channel_id = self.ids[channel] if isinstance(channel, str) else channel
        payload = self._message(content, author, channel_id, dm=dm)
        if reply_to is not None:
            payload |= self._reply(reply_to, payload, resolved)
        payload |= changes
        if known:
            self.sent[int(payload["id"])] = payload
        if cached:
            self.state.parse_message_create(cast(Any, payload))
            return self.client.cached_messages[-1]
        place, _ = self.state._get_guild_channel(cast(Any, payload))
        return discord.Message(state=self.state, channel=cast(Any, place), data=cast(Any, payload))

    def delete(self, message: discord.Message) -> None:
        """Let a message be deleted: from discord.py's cache and from what `rest` serves."""
        del self.sent[message.id]
        gone = {"id": str(message.id), "channel_id": str(message.channel.id)}
        self.state.parse_message_delete(cast(Any, gone))

    def thread(self, name: str, **changes: Any) -> None:
        """Add a thread to the guild, under a name of its own in `ids`."""
        self.ids.setdefault(name, snowflake())
        payload = self._thread(name, "general", 11) | changes
        self.guild._add_thread(
            discord.Thread(guild=self.guild, state=self.state, data=cast(Any, payload))
        )

    def _user(self, person: str) -> Any:
        return self.people[person]

    def _member(self, person: str) -> Payload:
        roles = {_OWN: ["aurora"], "mod": ["mods"]}.get(person, [])
        return {
            "user": self.people[person],
            "roles": [str(self.roles[role]) for role in roles],
            "nick": None,
            "joined_at": START.isoformat(),
            "deaf": False,
            "mute": False,
            "flags": 0,
        }

    def _guild(self) -> Payload:
        return {
            "id": str(self.roles["everyone"]),
            "name": "Tea house",
            "owner_id": "1",
            "member_count": len(self.people),
            "roles": [
                _role(self.roles["everyone"], "@everyone", bits(*EVERYONE)),
                _role(
                    self.roles["aurora"], "Aurora", "0", tags={"bot_id": self.people[_OWN]["id"]}
                ),
                _role(self.roles["mods"], "mods", bits("manage_threads", "manage_messages")),
            ],
            "members": [self._member(person) for person in self.people],
            "channels": [
                self._channel(name, kind)
                for name, kind in _CHANNELS.items()
                if kind not in (11, 12)
            ],
            "threads": [
                self._thread(name, "forum" if name == "post" else "general", kind)
                for name, kind in _CHANNELS.items()
                if kind in (11, 12)
            ],
            "emojis": [],
            "stickers": [],
            "features": [],
            "voice_states": [],
            "presences": [],
        }

    def _channel(self, name: str, kind: int) -> Payload:
        hidden = {"staff": "view_channel", "quiet": "send_messages"}.get(name)
        everyone = {"id": str(self.roles["everyone"]), "type": 0, "allow": "0"}
        mods = {
            "id": str(self.roles["mods"]),
            "type": 0,
            "allow": bits("view_channel", "send_messages"),
            "deny": "0",
        }
        return {
            "id": str(self.ids[name]),
            "name": name,
            "type": kind,
            "position": 0,
            "permission_overwrites": [everyone | {"deny": bits(hidden)}, mods] if hidden else [],
            "nsfw": False,
            "parent_id": None,
            "bitrate": 64000,
            "user_limit": 0,
        }

    def _thread(self, name: str, parent: str, kind: int) -> Payload:
        return {
            "id": str(self.ids[name]),
            "guild_id": str(self.roles["everyone"]),
            "parent_id": str(self.ids[parent]),
            "owner_id": self.people["ann"]["id"],
            "name": name,
            "type": kind,
            "message_count": 1,
            "member_count": 2,
            "rate_limit_per_user": 0,
            "thread_metadata": {
                "archived": False,
                "auto_archive_duration": 60,
                "archive_timestamp": START.isoformat(),
                "locked": name == "locked",
            },
        }

    def _message(self, content: str, author: str, channel_id: int, *, dm: bool) -> Payload:
        everybody = {int(user["id"]): user for user in self.people.values()}
        users = [int(one) for one in _found("@!?", content)]
        payload: Payload = {
            "id": str(snowflake()),
            "channel_id": str(channel_id),
            "author": self.people[author],
            "content": content,
            "timestamp": START.isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": "@everyone" in content,
            "mentions": [everybody[one] for one in dict.fromkeys(users) if one in everybody],
            "mention_roles": _found("@&", content),
            "attachments": [],
            "embeds": [],
            "pinned": False,
            "type": 0,
        }
        return payload if dm else payload | {"guild_id": str(self.guild.id)}

    def _reply(self, to: discord.Message | int, payload: Payload, resolved: str) -> Payload:
        message_id = to if isinstance(to, int) else to.id
        replied = self.sent.get(message_id)
        reference = {"message_id": str(message_id), "channel_id": payload["channel_id"]}
        reply: Payload = {"type": 19, "message_reference": reference}
        if resolved == "deleted":
            reply["referenced_message"] = None
        elif resolved == "yes" and replied is not None:
            # Discord resolves one step: what the parent replied to is not in it.
            reply["referenced_message"] = {
                key: value for key, value in replied.items() if key != "referenced_message"
            }
        return reply


def hello(world: TeaHouse, **options: Any) -> discord.Message:
    """Return a message that mentions the bot."""
    return world.message(f"<@{world.me.id}> hello", **options)


def direct(world: TeaHouse, **options: Any) -> discord.Message:
    """Return a direct message."""
    return world.message("hello", channel=snowflake(), dm=True, **options)


class Rest:
    """What the local Discord was asked, and what it is told to refuse (message id: status)."""

    def __init__(self, world: TeaHouse) -> None:
        self.world = world
        self.calls: list[str] = []
        self.refuse: dict[int, int] = {}

    async def answer(self, request: web.Request) -> web.Response:
        """Serve a message of the world to the bot alone."""
        if request.headers.get("Authorization") != "Bot token":
            return _json({"message": "401: Unauthorized", "code": 0}, 401)
        match request.path.split("/")[3:]:
            case ["users", "@me"]:
                return _json(self.world.people[_OWN])
            case ["oauth2", "applications", "@me"]:
                return _json({"id": "1", "name": "Aurora", "description": "", "flags": 0,
                              "verify_key": "0", "bot_public": False, "hook": False,
                              "bot_require_code_grant": False, "icon": None,
                              "owner": self.world.people["mod"], "team": None})  # fmt: skip
            case ["channels", channel_id, "messages", message_id]:
                self.calls.append(message_id)
                return self._message(int(channel_id), int(message_id))
        return _json({"message": "404: Not Found", "code": 0}, 404)

    def _message(self, channel_id: int, message_id: int) -> web.Response:
        if (status := self.refuse.get(message_id)) is not None:
            return _json({"message": "refused", "code": 0}, status)
        found = self.world.sent.get(message_id)
        if found is None or int(found["channel_id"]) != channel_id:
            return _json({"message": "Unknown Message", "code": 10008}, 404)
        return _json(found)


@asynccontextmanager
async def rest(world: TeaHouse) -> AsyncIterator[Rest]:
    """Log the world's client in to a local server that hands out the world's messages."""
    served = Rest(world)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", served.answer)
    base = discord.http.Route.BASE
    async with TestServer(app) as server:
        discord.http.Route.BASE = str(server.make_url("/api/v10"))
        try:
            await world.client.login("token")
            yield served
        finally:
            discord.http.Route.BASE = base
            await world.client.close()


_CHANNELS = {
    "general": 0, "staff": 0, "quiet": 0, "voice": 2, "stage": 13, "forum": 15,
    "thread": 11, "private": 12, "post": 11, "locked": 11,
}  # fmt: skip


def _found(sigil: str, content: str) -> list[str]:
    return re.findall(rf"<{sigil}(\d+)>", content)


def _role(role_id: int, name: str, permissions: str, **changes: Any) -> Payload:
    return {
        "id": str(role_id),
        "name": name,
        "permissions": permissions,
        "color": 0,
        "hoist": False,
        "position": 0,
        "managed": bool(changes),
        "mentionable": True,
        "flags": 0,
    } | changes


def _json(data: Any, status: int = 200) -> web.Response:
    # discord.py takes nothing for JSON that names a charset.
    response = web.json_response(data, status=status)
    response.headers["Content-Type"] = "application/json"
    return response
