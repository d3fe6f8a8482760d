"""The gateway: sessions that hear of every change in order, and survive a lost socket."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from contextlib import suppress
from typing import Any, Protocol

import orjson
from aiohttp import WSMsgType, web

from . import intents
from .model import Guild, Payload
from .world import Event, World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, REQUEST_MEMBERS = 0, 1, 2, 6, 7, 8
INVALID_SESSION, HELLO, HEARTBEAT_ACK = 9, 10, 11
_IGNORED = frozenset(
    {3, 4, 31}
)  # presence, voice state, soundboard: accepted, without effect here
_HEARTBEAT_MS = 41_250
_REPLAY_LIMIT = 5_000


class Line(Protocol):
    """What a session's frames go out by."""

    def write(self, text: str) -> None:
        """Send a frame."""
        ...

    def abort(self) -> None:
        """Cut the line without a word."""
        ...


class Session:
    """What a bot may come back to after its socket is gone."""

    def __init__(self, wanted: int, shard: tuple[int, int]) -> None:
        self.id = secrets.token_hex(16)
        self.intents = wanted
        self.shard = shard
        self.sequence = 0
        self.sent: deque[tuple[int, str]] = deque(maxlen=_REPLAY_LIMIT)
        self.connection: Line | None = None

    def owns(self, guild: Guild | None) -> bool:
        """Say whether this session's shard serves a guild; DMs are shard 0's."""
        index, count = self.shard
        return (0 if guild is None else (guild.id >> 22) % count) == index

    def dispatch(self, name: str, data: Any) -> None:
        """Send an event now, or keep it for the socket to come."""
        self.sequence += 1
        frame = {"op": DISPATCH, "s": self.sequence, "t": name, "d": data}
        text = orjson.dumps(frame).decode()
        self.sent.append((self.sequence, text))
        if self.connection is not None:
            self.connection.write(text)

    def missed_since(self, sequence: int) -> list[str] | None:
        """Return the frames after a sequence number; None if some are no longer kept."""
        oldest = self.sent[0][0] if self.sent else self.sequence + 1
        if sequence > self.sequence or sequence + 1 < oldest:
            return None
        return [text for number, text in self.sent if number > sequence]


class Connection:
    """One socket; writes are queued so that whoever changes the world need not wait."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self.request = request
        self.socket = socket
        self.session: Session | None = None
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._pump = asyncio.get_running_loop().create_task(self._write_all())

    def write(self, text: str) -> None:
        """Queue a frame."""
        self._outbox.put_nowait(text)

    def send(self, op: int, data: Any) -> None:
        """Queue a frame that is not an event."""
        self.write(orjson.dumps({"op": op, "d": data, "s": None, "t": None}).decode())

    async def refuse(self, code: int, reason: str) -> None:
        """Close the socket with one of Discord's close codes."""
        await self.socket.close(code=code, message=reason.encode())

    def abort(self) -> None:
        """Cut the line without a word."""
        if self.request.transport is not None:
            self.request.transport.abort()

    async def release(self) -> None:
        """Stop writing."""
        self._pump.cancel()
        with suppress(asyncio.CancelledError):
            await self._pump

    async def _write_all(self) -> None:
        with suppress(ConnectionError):
            while True:
                await self.socket.send_str(await self._outbox.get())


class Gateway:
    """All sessions of the bot under test."""

    def __init__(self, world: World, token: str) -> None:
        self._world = world
        self._token = token
        self.url = ""
        self.allowed_intents = (1 << 26) - 1
        self.sessions: dict[str, Session] = {}
        self.connections: set[Connection] = set()
        # Guilds that are unavailable: sessions know of them, and hear nothing of them.
        self.absent: set[int] = set()
        world.listeners.append(self._hear)

    @property
    def connected(self) -> bool:
        """Whether a bot is listening right now."""
        return any(session.connection is not None for session in self.sessions.values())

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Speak with one socket until it ends."""
        socket = web.WebSocketResponse(compress=False, timeout=1.0)
        await socket.prepare(request)
        connection = Connection(request, socket)
        self.connections.add(connection)
        connection.send(HELLO, {"heartbeat_interval": _HEARTBEAT_MS})
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._receive(connection, frame.data)
        finally:
            self.connections.discard(connection)
            self._detach(connection)
            await connection.release()
        return socket

    async def close(self) -> None:
        """End every socket."""
        for connection in tuple(self.connections):
            await connection.socket.close(code=1001)

    def _detach(self, connection: Connection) -> None:
        session = connection.session
        if session is None or session.connection is not connection:
            return
        session.connection = None
        # 1000 and 1001 say that the bot will not come back.
        if connection.socket.close_code in (1000, 1001):
            self.sessions.pop(session.id, None)

    async def _receive(self, connection: Connection, text: str) -> None:
        try:
            frame = orjson.loads(text)
            op, data = frame["op"], frame.get("d")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            await connection.refuse(4002, "Error while decoding payload.")
            return
        if op == HEARTBEAT:
            connection.send(HEARTBEAT_ACK, None)
        elif op == IDENTIFY:
            await self._identify(connection, data)
        elif op == RESUME:
            await self._resume(connection, data)
        elif connection.session is None:
            await connection.refuse(4003, "Not authenticated.")
        elif op == REQUEST_MEMBERS:
            self._send_members(connection.session, data)
        elif op not in _IGNORED:
            await connection.refuse(4001, "Unknown opcode.")

    async def _identify(self, connection: Connection, data: Payload) -> None:
        if connection.session is not None:
            await connection.refuse(4005, "Already authenticated.")
            return
        if data.get("token") != self._token:
            await connection.refuse(4004, "Authentication failed.")
            return
        wanted, shard = data.get("intents", 0), tuple(data.get("shard") or (0, 1))
        if wanted & ~self.allowed_intents:
            await connection.refuse(4014, "Disallowed intent(s).")
            return
        if not 0 <= shard[0] < shard[1]:
            await connection.refuse(4010, "Invalid shard.")
            return
        session = Session(wanted, (shard[0], shard[1]))
        connection.session, session.connection = session, connection
        self.open(session)

    def withdraw(self, guild: Guild) -> None:
        """Let a guild have an outage; of a new session it keeps away until it is brought."""
        self.absent.add(guild.id)
        for session in self._owners(guild):
            session.dispatch("GUILD_DELETE", {"id": str(guild.id), "unavailable": True})

    def bring(self, guild: Guild) -> None:
        """Let a guild become available, to sessions that have it or long had to do without."""
        self.absent.discard(guild.id)
        for session in self._owners(guild):
            self._create(session, guild)

    def _owners(self, guild: Guild) -> list[Session]:
        return [one for one in self.sessions.values() if one.owns(guild)]

    def _create(self, session: Session, guild: Guild) -> None:
        if session.intents & intents.GUILDS:
            data = self._trimmed(session, self._world.guild_payload(guild))
            session.dispatch("GUILD_CREATE", data | {"unavailable": False})

    def open(self, session: Session) -> None:
        """Let a session hear all there is, and from now on what happens."""
        self.sessions[session.id] = session
        world = self._world
        guilds = [guild for guild in world.guilds.values() if session.owns(guild)]
        session.dispatch(
            "READY",
            {
                "v": 10,
                "user": world.bot.payload() | {"email": None, "verified": True, "flags": 0},
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "session_id": session.id,
                "resume_gateway_url": self.url,
                "shard": list(session.shard),
                "application": {"id": str(world.bot.id), "flags": 0},
            },
        )
        for guild in guilds:
            if guild.id not in self.absent:
                self._create(session, guild)

    async def _resume(self, connection: Connection, data: Payload) -> None:
        if data.get("token") != self._token:
            await connection.refuse(4004, "Authentication failed.")
            return
        session = self.sessions.get(data.get("session_id", ""))
        missed = None if session is None else session.missed_since(data.get("seq") or 0)
        if session is None or missed is None:
            connection.send(INVALID_SESSION, False)
            return
        if session.connection is not None:
            session.connection.abort()
        session.connection, connection.session = connection, session
        for text in missed:
            connection.write(text)
        session.dispatch("RESUMED", {"_trace": []})

    def _send_members(self, session: Session, data: Payload) -> None:
        guild = self._world.guilds.get(int(data["guild_id"]))
        if guild is None:
            return
        query, ids = (data.get("query") or "").lower(), data.get("user_ids")
        chosen = [
            member
            for member in guild.members.values()
            if (str(member.user.id) in {str(item) for item in ids} if ids else True)
            and (member.nick or member.user.name).lower().startswith(query)
        ][: data.get("limit") or None]
        found = {str(member.user.id) for member in chosen}
        pages = [chosen[start : start + 1000] for start in range(0, len(chosen), 1000)] or [[]]
        for index, page in enumerate(pages):
            answer: Payload = {
                "guild_id": str(guild.id),
                "members": [member.payload() for member in page],
                "chunk_index": index,
                "chunk_count": len(pages),
                "not_found": [str(item) for item in ids or () if str(item) not in found],
            }
            if data.get("nonce"):
                answer["nonce"] = data["nonce"]
            session.dispatch("GUILD_MEMBERS_CHUNK", answer)

    def _trimmed(self, session: Session, guild: Payload) -> Payload:
        # Without presences a bot learns at first of nobody but itself.
        if session.intents & intents.GUILD_PRESENCES:
            return guild
        me = str(self._world.bot.id)
        return guild | {"members": [item for item in guild["members"] if item["user"]["id"] == me]}

    def _hear(self, event: Event) -> None:
        bot_id = self._world.bot.id
        for session in self.sessions.values():
            if event.guild is not None and event.guild.id in self.absent:
                continue
            if not session.owns(event.guild) or not intents.wanted(event, session.intents, bot_id):
                continue
            if not intents.seen(event, self._world):
                continue
            data = event.data
            if event.name in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
                data = intents.readable(
                    data,
                    content=bool(session.intents & intents.MESSAGE_CONTENT),
                    bot_id=bot_id,
                    in_dm=event.guild is None,
                )
            elif event.name == "GUILD_CREATE":
                data = self._trimmed(session, data)
            session.dispatch(event.name, data)
