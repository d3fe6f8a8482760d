"""One life of Aurora: a real Red in a process of its own, which will be killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, cast

from doubles.local_discord import LocalDiscord
from tests.support.house import ROOT

from .clock import ProcessClock

LEDGER = Path("cogs", "Aurora", "ledger.sqlite3")
"""Where Aurora keeps its ledger in the data folder."""
LOG = "aurora.log"
"""Stands in the data folder, so that it is searched for content like all else there."""

# A server that has imported Red already forks a life in milliseconds instead of seconds.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["sandbox.red", __name__])
_GONE_SECONDS = 20.0
_KEPT = ("event_id", "message_id", "channel_id", "step", "detail", "at")

Told = Mapping[str, Any]
"""What a life says of itself: {"step": "ready"}, or the fields of a Change."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How Aurora is to be set up: world settings, guilds by id, and the token for the agents."""

    token: str
    world: Mapping[str, Any]
    guilds: Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Home:
    """Where a life finds its data and its Discord."""

    data: Path
    url: str
    gateway_url: str
    token: str
    owner: int


@dataclass(eq=False)
class Life:
    """A process of Aurora's, as a context manager; `heard` is called with each word of it.

    Its words come through a pipe, and what was written to that survives a kill.
    """

    home: Home
    wishes: Wishes | None = None
    heard: Callable[[Told], None] = lambda _told: None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    killed: bool = False
    _process: ForkServerProcess | None = None
    _orders: Connection | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.kill()
        await self.gone()

    async def start(self) -> None:
        """Start it; `ready` is set once Aurora listens, `over` when the process is gone."""
        ear, mouth = _CONTEXT.Pipe(duplex=False)
        inbox, self._orders = _CONTEXT.Pipe(duplex=False)
        arguments = (self.home, self.wishes, mouth, inbox)
        process = _CONTEXT.Process(target=_live, args=arguments, daemon=True)
        await asyncio.to_thread(process.start)
        mouth.close()
        inbox.close()
        self._process = process
        asyncio.get_running_loop().add_reader(ear.fileno(), self._listen, ear)

    @property
    def pid(self) -> int | None:
        """Return the id of its process, None when it is gone."""
        return None if self._process is None or self.over.is_set() else self._process.pid

    def set_clock(self, seconds: float) -> None:
        """Set the clock of its process forth by so many seconds, or back."""
        if self._orders is not None and not self.over.is_set():
            with contextlib.suppress(BrokenPipeError):
                self._orders.send(seconds)

    def kill(self) -> None:
        """Kill it with SIGKILL, at this moment."""
        self.killed = True
        self._signal(signal.SIGKILL)

    def ask_to_stop(self) -> None:
        """Ask it to end in good order."""
        self._signal(signal.SIGTERM)

    async def listens(self) -> bool:
        """Wait until Aurora listens, or is gone; return whether it listens."""
        waits = {asyncio.create_task(one.wait()) for one in (self.ready, self.over)}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return not self.over.is_set()

    async def gone(self) -> None:
        """Wait until nothing is left of it."""
        async with asyncio.timeout(_GONE_SECONDS):
            await self.over.wait()
        if self._process is not None:
            await asyncio.to_thread(self._process.join)
            self._process.close()
            self._process = None
        if self._orders is not None:
            self._orders.close()
            self._orders = None

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            os.kill(self.pid, number)

    def _listen(self, ear: Connection) -> None:
        try:
            while ear.poll():
                told = json.loads(ear.recv_bytes())
                if told["step"] == "ready":
                    self.ready.set()
                self.heard(told)
        except EOFError:
            asyncio.get_running_loop().remove_reader(ear.fileno())
            ear.close()
            self.over.set()


def _live(home: Home, wishes: Wishes | None, mouth: Connection, inbox: Connection) -> None:
    # What Red prints on its way is of no interest; what Aurora logs may hold no content.
    home.data.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=home.data / LOG, level=logging.INFO)
    # On a full disk nothing can be logged either, and each line would complain of that.
    logging.raiseExceptions = False
    asyncio.run(_run(home, wishes, mouth, inbox))


async def _run(home: Home, wishes: Wishes | None, mouth: Connection, inbox: Connection) -> None:
    from sandbox.red import LocalRed

    stop = asyncio.Event()
    loop, parent = asyncio.get_running_loop(), multiprocessing.parent_process()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    if parent is not None:
        loop.add_reader(parent.sentinel, stop.set)
    loop.add_reader(inbox.fileno(), _obey, inbox, ProcessClock())
    gateway = SimpleNamespace(url=home.gateway_url)
    discord = SimpleNamespace(url=home.url, token=home.token, gateway=gateway)

    async def tell(change: Any) -> None:
        said = {key: getattr(change, key) for key in _KEPT}
        mouth.send_bytes(json.dumps(said).encode())

    red = await LocalRed.boot(
        home.data,
        discord=cast(LocalDiscord, discord),
        cogs=["aurora"],
        cog_paths=[ROOT],
        owner=home.owner,
    )
    red.bot.add_listener(tell, "on_aurora_event")
    if wishes is not None:
        await grant(red.bot, wishes)
    mouth.send_bytes(json.dumps({"step": "ready"}).encode())
    await stop.wait()
    await red.close()


def _obey(inbox: Connection, clock: ProcessClock) -> None:
    try:
        clock.set(inbox.recv())
    except EOFError:
        asyncio.get_running_loop().remove_reader(inbox.fileno())


async def grant(bot: Any, wishes: Wishes) -> None:
    """Set Aurora up, without the commands that a person needs for it."""
    services = bot.get_cog("Aurora").services
    await bot.set_shared_api_tokens("letta", token=wishes.token)
    await services.settings.set_world(**wishes.world)
    for guild_id, values in wishes.guilds.items():
        await services.settings.set_guild(guild_id, **values)
    await services.configure_agents()
