"""What stays while Aurora dies: a Discord with people who ask, and a server with their agents."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, time

from aiohttp import web

from doubles.local_discord import Guild, LocalDiscord, Message
from doubles.quick_app_server import Plan, QuickAppServer, channel_of
from tests.support.keepers import ASKING_FREELY

from .life import Home, Wishes

_MARK = re.compile(r"zq\d{6}xw")
_POST = re.compile(r"/api/v10/channels/\d+/messages")
ECHO = re.compile(r"ak(\d{6})ea")
"""What an answer repeats of each message that it answers; in a long one its first part."""
WORD = re.compile(r"wt(\d{6})ea")
"""What a first word repeats of the latest message that it is for."""
LONG, END = "long", re.compile(r"en(\d{6})dl")
"""How a long answer begins, and how its last part ends for the latest message."""
_FILLER = "and so on " * 420

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(eq=False, slots=True)
class Asked:
    """A message to Aurora: its marker in the text, and when it was sent (monotonic seconds)."""

    number: int
    message: Message
    at: float

    @property
    def marker(self) -> str:
        """Return the word that stands in no other message."""
        return f"zq{self.number:06d}xw"


@dataclass(frozen=True, slots=True)
class Size:
    """How large a town is, and how its people and agents behave.

    `pace` is the seconds between two runs in a channel, `slowness` how many an agent takes at
    most; `private` and `broken` are the shares of questions in private and of turns that fail.
    """

    guilds: int = 4
    channels: int = 3
    people: int = 20
    pace: float = 0.2
    slowness: float = 0.3
    private: float = 0.05
    broken: float = 0.03
    first_words: float = 0.2
    long: float = 0.07


class SoakTown:
    """Guilds with channels, people who ask, and agents that answer.

    `on_post` is asked before each message that the bot sends how it shall fare; `on_turn` is
    called when a turn begins at the agents' server.
    """

    def __init__(
        self,
        discord: LocalDiscord,
        server: QuickAppServer,
        rng: random.Random,
        size: Size,
    ) -> None:
        self.discord = discord
        self.server = server
        self.size = size
        self.asked: list[Asked] = []
        self.on_post: Callable[[], Fate | None] = _no_fate
        self.on_turn: Callable[[], None] = _nothing
        self._rng = rng
        self.mayor = discord.add_user("mayor")
        self._people = [discord.add_user(f"person{number}") for number in range(size.people)]
        self.guilds = [self._found(number) for number in range(size.guilds)]
        self._rooms = [room for guild in self.guilds for room in guild.channels.values()]
        server.script = self._think

    def _found(self, number: int) -> Guild:
        guild = self.discord.add_guild(f"Guild {number}", owner=self.mayor)
        for person in self._people:
            self.discord.add_member(guild, person)
        for room in range(self.size.channels):
            self.discord.add_channel(guild, f"room-{number}-{room}")
        return guild

    async def wishes(self) -> Wishes:
        """Return how Aurora is to be set up here; every second guild has coalescing off."""
        guilds = {
            guild.id: {
                "enabled": True,
                "agent_id": await self.server.create_agent(guild.name),
                "rate_limit_seconds": self.size.pace,
                "max_queue_size": 1000,
                "coalesce_messages": number % 2 == 0,
                **ASKING_FREELY,
            }
            for number, guild in enumerate(self.guilds)
        }
        agent = await self.server.create_agent("in private")
        world = {"letta_base_url": self.server.url, "dm_agent_id": agent}
        return Wishes(self.server.token, world, guilds)

    def leave_in_peace(self) -> None:
        """Let nothing strike any more."""
        self.on_post, self.on_turn = _no_fate, _nothing

    def home(self, data: Path) -> Home:
        """Return where a life finds this town."""
        discord = self.discord
        gateway = discord.gateway.url
        return Home(data, discord.url, gateway, discord.token, self.mayor.id)

    def ask(self) -> Asked:
        """Let somebody ask something somewhere, now and then in private."""
        author = self._rng.choice(self._people)
        room = self._rng.choice(self._rooms)
        mention = f"<@{self.discord.bot_user.id}> "
        if self._rng.random() < self.size.private:
            room, mention = self.discord.open_dm(author), ""
        number = len(self.asked)
        words = f"{mention}zq{number:06d}xw"
        asked = Asked(number, self.discord.say(author, room, words), monotonic())
        self.asked.append(asked)
        return asked

    def _think(self, prompt: str) -> Plan:
        """Answer all that is asked, a little late, rarely not.

        Half of the answers come by the tool, some of them long; some runs say a first word.
        """
        self.on_turn()
        numbers = [word[2:8] for word in dict.fromkeys(_MARK.findall(prompt))]
        echoes = " ".join(f"ak{number}ea" for number in numbers)
        rng, delay = self._rng, self._rng.uniform(0.0, self.size.slowness)
        if rng.random() < self.size.broken:
            return Plan(error="500: {}", delay=delay)
        where = channel_of(prompt)
        calls: tuple[tuple[str, dict[str, object]], ...] = ()
        if rng.random() < self.size.first_words:
            word = {"channelId": where, "message": f"wait wt{numbers[-1]}ea", "interim": True}
            calls = (("discord_send", word),)
        text = f"said {echoes}"
        if rng.random() < self.size.long:
            text = f"{LONG} {echoes} {_FILLER} en{numbers[-1]}dl"
        if rng.random() < 0.5:
            return Plan(text, delay, calls)
        calls = (*calls, ("discord_send", {"channelId": where, "message": text}))
        return Plan("done" if rng.random() < 0.5 else "", delay, calls)

    @web.middleware
    async def meet(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let each message of the bot's meet its fate."""
        fate = None
        if request.method == "POST" and _POST.fullmatch(request.path):
            fate = self.on_post()
        if fate is None:
            return await handler(request)
        return await fate.meet(request, handler)


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to a message that is being sent: `strike` before or after it takes effect."""

    strike: Callable[[], None]
    applied: bool
    after: bool

    async def meet(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Strike, and let the message through or not; nobody hears what became of it."""
        if not self.after:
            # What is on the wire may still arrive after its sender died.
            await request.read()
            self.strike()
        response: web.StreamResponse = web.Response(status=500)
        if self.applied:
            response = await handler(request)
        if self.after:
            self.strike()
        return response


def _no_fate() -> Fate | None:
    return None


def _nothing() -> None:
    """Let it pass."""


@asynccontextmanager
async def open_town(
    rng: random.Random, size: Size, now: Callable[[], float] = time
) -> AsyncIterator[SoakTown]:
    """Start a town, in which `now` is the time (seconds since the epoch)."""
    discord, server = LocalDiscord(now=now), QuickAppServer()
    town = SoakTown(discord, server, rng, size)
    discord.app.middlewares.insert(0, town.meet)
    await server.start()
    await discord.start()
    try:
        yield town
    finally:
        await discord.stop()
        await server.stop()


async def chatter(town: SoakTown, rng: random.Random, per_second: float) -> None:
    """Ask for ever, at random moments."""
    while True:
        town.ask()
        await asyncio.sleep(rng.expovariate(per_second))
