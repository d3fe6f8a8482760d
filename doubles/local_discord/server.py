"""The local Discord itself: one object with a server behind it."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any

from aiohttp import web

from .commands import Commands
from .errors import ApiError
from .faults import CUT, Fault, Faults
from .files import PATH, Files
from .gateway import Gateway
from .interactions import Interaction, Interactions
from .message import Message
from .model import Channel, Payload
from .nonces import Nonces
from .people import People
from .pressing import Pressing
from .rest import ROUTES
from .rest.routing import (
    HttpRequest,
    Request,
    Route,
    answer,
    limit_headers,
)
from .watching import Call, Watching
from .webhooks import Webhooks
from .world import World

_log = logging.getLogger(__name__)

API = "/api/v10"
_BODY_LIMIT = 64 * 1024 * 1024


class LocalDiscord:
    """A Discord of one's own on loopback: REST v10 and gateway.

    Args:
        bot_name: What the bot under test is called.
        token: What the bot logs in with; made up if not given.
        now: Seconds since 1970, for ids and for the deadlines of interactions and nonces.

    """

    def __init__(
        self,
        *,
        bot_name: str = "Bot",
        token: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.token = token or f"local.{secrets.token_urlsafe(24)}"
        self.url = ""
        self.message_content = True
        self.world = World(bot_name, now)
        self.bot_user = self.world.bot
        self.owner = self.world.owner
        self.gateway = Gateway(self.world, self.token)
        self.faults = Faults()
        self.nonces = Nonces(now)
        self.commands = Commands(self.bot_user.id, self.world.ids)
        self.interactions = Interactions(self.world)
        self.webhooks = Webhooks(self.world)
        self.files = Files(self.world.ids, now, lambda: self.url)
        self.people = People(self.world, self.files.keep)
        self.typing: list[tuple[float, int, int]] = []
        self._watching = Watching(self.world)
        self._runner: web.AppRunner | None = None
        self._show_hands()

    def _show_hands(self) -> None:
        """Offer what the parts can do as one's own methods."""
        world, people, watching = self.world, self.people, self._watching
        pressing = Pressing(world, self.interactions, self.commands)
        self.add_user, self.add_guild = world.add_user, world.add_guild
        self.remove_guild = world.remove_guild
        self.add_member, self.remove_member = world.add_member, world.remove_member
        self.add_role, self.add_channel = world.add_role, world.add_channel
        self.add_emoji, self.open_dm = world.add_emoji, world.open_dm
        self.add_webhook, self.remove_webhook = self.webhooks.add, self.webhooks.remove
        self.delete_channel, self.set_overwrites = world.delete_channel, world.set_overwrites
        self.join_thread, self.leave_thread = world.join_thread, world.leave_thread
        self.say, self.edit, self.delete = people.say, people.edit, people.delete
        self.bulk_delete = people.bulk_delete
        self.react, self.unreact = people.react, people.unreact
        self.start_typing, self.archive = people.start_typing, people.archive
        self.start_thread, self.start_post = people.start_thread, people.start_post
        self.visible_channels = people.visible_channels
        self.press, self.slash = pressing.press, pressing.slash
        self.menu = pressing.menu
        self.autocomplete, self.submit_modal = pressing.autocomplete, pressing.submit_modal
        self.calls, self.unknown_routes = watching.calls, watching.unknown_routes
        self.crashes, self.wait_for = watching.crashes, watching.wait_for
        self.wake = watching.wake
        self.subscribe, self.unsubscribe = watching.subscribe, watching.unsubscribe

    # -- the server

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one, `url` says which."""
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        address = self._runner.addresses[0]
        self.url = f"http://{address[0]}:{address[1]}"
        self.gateway.url = f"ws://{address[0]}:{address[1]}/gateway"

    async def stop(self) -> None:
        """Hang up and stop listening."""
        await self.gateway.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @cached_property
    def app(self) -> web.Application:
        """The server's routes; who comes in some other way needs none."""
        app = web.Application(client_max_size=_BODY_LIMIT, middlewares=[self._catch_unknown])
        for route in ROUTES:
            app.router.add_route(route.method, API + route.path, self._serving(route))
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get(PATH, self.files.serve)
        return app

    @web.middleware
    async def _catch_unknown(
        self,
        http: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        try:
            return await handler(http)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
            self.unknown_routes.append(f"{http.method} {http.path}")
            body = {"message": f"{error.status}: {error.reason}", "code": 0}
            return answer(error.status, body)
        except Exception as error:
            # The bot would only see a 500; a test shall see that it is ours.
            self.crashes.append(f"{http.method} {http.path}: {error!r}")
            _log.exception("%s %s", http.method, http.path)
            return answer(500, {"message": "500: Internal Server Error", "code": 0})

    def _serving(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(http: web.Request) -> web.StreamResponse:
            request = HttpRequest(self, http, http.path.removeprefix(API))
            try:
                return await self.carry_out(route, request)
            except ConnectionAbortedError:
                if http.transport is not None:
                    http.transport.abort()
                return answer(500, None)

        return serve

    async def carry_out(self, route: Route, request: Request) -> web.StreamResponse:
        """Answer a call of the bot.

        Raises:
            ConnectionAbortedError: The line is to be cut without an answer.

        """
        status = CUT
        try:
            response = await self._respond(route, request)
            status = response.status
            return response
        finally:
            now = time.monotonic()
            self.calls.append(
                Call(request.method, route.path, request.path, status, now, request.body)
            )
            self._watching.wake()

    async def _respond(self, route: Route, request: Request) -> web.StreamResponse:
        fault = self.faults.take(request.method, request.path)
        if fault is not None and not fault.applied:
            return _failed(fault)
        headers = limit_headers(route)
        if not route.public and request.authorization != f"Bot {self.token}":
            return answer(401, {"message": "401: Unauthorized", "code": 0}, headers)
        try:
            await request.read()
            result: Any = await route.handler(request)
        except ApiError as error:
            return answer(error.status, error.payload(), headers)
        if fault is not None:
            return _failed(fault)
        if isinstance(result, web.StreamResponse):
            result.headers.update(headers)
            return result
        return answer(204 if result is None else 200, result, headers)

    # -- what the parts share

    def tell_answer(self, interaction: Interaction, kind: int, data: Payload) -> None:
        """Tell the subscribers how the bot answered an interaction."""
        body = {
            "id": str(interaction.id),
            "user_id": str(interaction.user.id),
            "channel_id": str(interaction.channel.id),
            "type": kind,
            "data": data,
        }
        self._watching.tell("INTERACTION_ANSWER", body)

    # -- looking and troubling

    def messages(self, channel: Channel) -> list[Message]:
        """Return the messages of a channel, oldest first, without the deleted ones."""
        return list(channel.messages)

    async def drop_gateway(self) -> None:
        """Cut the gateway sockets without a word."""
        for connection in tuple(self.gateway.connections):
            connection.abort()

    async def ask_reconnect(self) -> None:
        """Ask the bot to reconnect (op 7)."""
        for connection in tuple(self.gateway.connections):
            connection.send(7, None)

    async def invalidate_session(self, resumable: bool = False) -> None:
        """Tell the bot that its session is invalid (op 9)."""
        for connection in tuple(self.gateway.connections):
            if not resumable and connection.session is not None:
                self.gateway.sessions.pop(connection.session.id, None)
            connection.send(9, resumable)


def _failed(fault: Fault) -> web.Response:
    if fault.status == CUT:
        raise ConnectionAbortedError
    return answer(fault.status, fault.body, limit_headers(None) | fault.headers)
