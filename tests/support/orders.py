"""A bot that hears of its guilds in any order: real discord.py, real intake, no Red, no socket."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import discord
import orjson

from aurora.chat.delivery import Delivery
from aurora.chat.sender import Sender
from aurora.errors import Breakers
from aurora.guard.looking import Guard
from aurora.intake.catchup import CatchUp
from aurora.intake.receiving import Intake
from aurora.intake.triggers import Triggers
from aurora.ledger import LedgerError
from aurora.ledger.memory import MemoryStore
from aurora.model import Change, Event, Unread
from aurora.queue import MessageQueue
from aurora.queue.limits import WorkRules
from aurora.runs.background import Background
from aurora.runs.cancelling import Cancelling
from aurora.runs.claim import Claims
from aurora.settings import Settings
from aurora.words.ledger import FULL
from doubles.local_discord import Channel, LocalDiscord, Message
from doubles.local_discord.gateway import Session
from doubles.local_discord.posting import event_payload
from tests.support.discord_port import Answer, Port
from tests.support.keepers import ASKING_FREELY, Keeper
from tests.support.virtual import VirtualClock, VirtualLoop

TURNS_OF_RED = 3
"""Turns of the loop for which Red looks at a message before it hands it on."""


class RecordingStore(MemoryStore):
    """A store that remembers the order in which it accepted."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.accepted: list[Event] = []
        self.full = False
        """Whether its disk is full: it takes nothing, and tells nothing."""
        self.delay = 0.0
        """How long it takes to keep an event and to find one, in seconds."""

    async def find(self, message_id: int) -> Event | None:
        """Return the event of a message."""
        self._ensure_room()
        await asyncio.sleep(self.delay)
        return await super().find(message_id)

    async def note(self, key: str, value: str) -> None:
        """Keep a note."""
        self._ensure_room()
        await super().note(key, value)

    async def add(self, event: Event, change: Change) -> bool:
        """Keep a new event; False if its message is known."""
        self._ensure_room()
        await asyncio.sleep(self.delay)
        # Its content is taken from it once it is kept.
        as_it_came = replace(event)
        added = await super().add(event, change)
        if added:
            self.accepted.append(as_it_came)
        return added

    def _ensure_room(self) -> None:
        if self.full:
            raise LedgerError(FULL(path="ledger.sqlite3"))


class Wire(Port):
    """A client's gateway and REST: what comes within a turn of the loop is parsed in one go."""

    def __init__(self, local: LocalDiscord) -> None:
        super().__init__(local)
        self.session: Session | None = None
        self._bot: Any = None
        self._pending: list[str] = []
        self.sequence = 0
        self.delay = 0.0
        """How long Discord takes for an answer, in seconds."""

    async def log_in(self, bot: discord.AutoShardedClient) -> None:
        """Let a client ask; it hears nothing yet."""
        self._bot = bot
        await bot._async_setup_hook()
        bot.http.token = self.local.token
        bot.http._global_over = asyncio.Event()
        bot.http._global_over.set()
        setattr(bot.http, "_HTTPClient__session", self)  # noqa: B010 - no name in this class
        state = cast(Any, bot._connection)
        state.shard_count, state.shard_ids = 1, (0,)

    def identify(self) -> None:
        """Begin a new session; what the old one did not deliver is lost."""
        self.hang_up()
        if self.session is not None:
            self.local.gateway.sessions.pop(self.session.id, None)
        self.session = Session(discord.Intents.all().value, (0, 1))
        self.session.connection, self.sequence = self, 0
        self.local.gateway.open(self.session)

    def resume(self) -> None:
        """Take the session up again, with all that was missed."""
        assert self.session is not None
        for text in self.session.missed_since(self.sequence) or ():
            self.write(text)
        self.session.connection = self
        self.session.dispatch("RESUMED", {"_trace": []})

    def drop(self) -> None:
        """Lose the connection."""
        self.hang_up()
        self._bot.dispatch("shard_disconnect", 0)

    def hang_up(self) -> None:
        """Hear nothing any more."""
        self._pending.clear()
        if self.session is not None:
            self.session.connection = None

    def forget(self) -> None:
        """Leave nothing of a client that is dead."""
        self.hang_up()
        if self.session is not None:
            self.local.gateway.sessions.pop(self.session.id, None)
        self.session = None

    async def _ask(self, *asked: Any) -> Answer:
        await asyncio.sleep(self.delay)
        return await super()._ask(*asked)

    def write(self, text: str) -> None:
        """Take a frame."""
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._parse)
        self._pending.append(text)

    def _parse(self) -> None:
        frames, self._pending = self._pending, []
        for text in frames:
            frame = orjson.loads(text)
            self.sequence = frame["s"]
            data = frame["d"]
            if frame["t"] == "RESUMED":
                data = data | {"__shard_id__": 0}
            self._bot._connection.parsers[frame["t"]](data)


class Listener(discord.AutoShardedClient):
    """What Aurora takes for Red; its events go to intake and catch-up as the cog's do."""

    intake: Intake
    catchup: CatchUp
    later: Iterator[float]
    pause: float
    slow: Mapping[int, float]
    """How long Red takes over a message, in seconds: any, and some by their ids."""

    async def cog_disabled_in_guild(self, _cog: object, _guild: object) -> bool:
        """No."""
        return False

    async def message_eligible_as_command(self, _message: discord.Message) -> bool:
        """Yes."""
        return True

    async def get_prefix(self, _message: discord.Message) -> list[str]:
        """It has one."""
        return ["!"]

    async def get_context(self, _message: discord.Message) -> SimpleNamespace:
        """It is no command."""
        return SimpleNamespace(valid=False)

    async def on_message(self, message: discord.Message) -> None:
        """As `on_message_without_command`."""
        for _ in range(TURNS_OF_RED):
            await asyncio.sleep(0)
        if pause := self.slow.get(message.id, self.pause):
            # Timers of the same moment go off in no order.
            await asyncio.sleep(pause + next(self.later))
        await self.intake.heard(message)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """As the cog."""
        await self.intake.edited(payload.message, payload.cached_message)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """As the cog."""
        known = () if payload.cached_message is None else (payload.cached_message,)
        await self.intake.gone({payload.message_id}, known)

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """As the cog."""
        self.catchup.lost(shard_id)

    async def on_shard_connect(self, shard_id: int) -> None:
        """As the cog."""
        self.catchup.opened(shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        """As the cog."""
        self.catchup.resumed(shard_id)

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """As the cog."""
        self.catchup.available(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """As the cog."""
        self.catchup.available(guild)

    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        """As the cog."""
        self.catchup.unavailable(guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """As the cog."""
        self.catchup.left(guild)


class Harbour:
    """Two guilds of two channels each, and a bot that comes, goes, dies and is born again."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.local = LocalDiscord(now=VirtualClock().time)
        self.ada = self.local.add_user("ada")
        self.guilds = [
            self.local.add_guild(name, owner=self.local.owner) for name in ("East", "West")
        ]
        self.channels: list[Channel] = []
        for guild in self.guilds:
            self.local.add_member(guild, self.ada)
            for name in ("quay", "market"):
                channel = self.local.add_channel(guild, name)
                self.local.say(self.ada, channel, "founded")
                self.channels.append(channel)
        self.dm = self.local.open_dm(self.ada)
        self.store = RecordingStore(self.clock)
        self.settings = Settings(Keeper())
        self.wire = Wire(self.local)
        self.unread: list[Unread] = []
        self.pause = 0.0
        self.slow: dict[int, float] = {}
        self.cached: int | None = 1000
        """How many messages discord.py remembers; None for a bot without a cache."""
        self.busy: set[asyncio.Task[None]] = set()
        self.queue: MessageQueue
        self.bot: Listener | None = None

    @property
    def mention(self) -> str:
        """Write the bot's mention."""
        return f"<@{self.local.bot_user.id}>"

    async def configure(self) -> None:
        """Choose agents for all places."""
        await self.settings.set_world(letta_base_url="ws://127.0.0.1:9", dm_agent_id="agent")
        for guild in self.guilds:
            # Of a channel more may be missed than a queue holds; that is another matter.
            await self.settings.set_guild(
                guild.id, agent_id="agent", enabled=True, max_queue_size=500, **ASKING_FREELY
            )

    async def start(self) -> None:
        """Load Aurora into a new process, which is about to connect."""
        bot = self.bot = Listener(intents=discord.Intents.all(), max_messages=self.cached)
        bot.later, bot.pause, bot.slow = itertools.count(0.0, 1e-6), self.pause, self.slow
        await self.wire.log_in(bot)
        background = Background()
        queue = self.queue = MessageQueue(
            self.store, WorkRules(self.settings, Breakers(self.clock)), self.clock
        )
        guard = Guard(bot, self.settings, self.clock)
        delivery = Delivery(bot, self.store, Sender(bot, self.store, guard))
        cancelling = Cancelling(queue, Claims(), delivery, background)
        red, cog = cast(Any, bot), cast(Any, None)

        async def greet(_event: Event) -> None:
            return

        triggers = Triggers(red, cog, self.settings, self.store, self.clock)
        intake = Intake(
            red,
            self.settings,
            self.store,
            queue,
            self.clock,
            triggers,
            cancelling,
            greet,
            background,
        )
        bot.intake = intake
        bot.catchup = CatchUp(
            red, self.settings, self.store, intake, self.clock, self._hear_unread
        )
        await queue.open()
        triggers.waits.start()
        await bot.catchup.start()

    async def die(self) -> None:
        """End the process without a word."""
        self.wire.forget()
        tasks = [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self.bot = None

    async def stop(self) -> None:
        """End the process as Red does."""
        assert self.bot is not None
        await self.bot.catchup.stop()
        self.queue.shut()
        await self.die()

    def early(self, channel: Channel, message: Message) -> None:
        """Bring a message to a session though its guild is not there for it."""
        session = self.wire.session
        if session is not None and channel.guild is not None:
            session.dispatch("MESSAGE_CREATE", event_payload(self.local.world, message))

    def taken_in(self, channel: Channel) -> list[int]:
        """Return the messages of a channel that were accepted, in that order."""
        return [one.message_id for one in self.store.accepted if one.channel_id == channel.id]

    def _hear_unread(self, unread: Sequence[Unread]) -> None:
        self.unread.extend(unread)


def sail(story: Callable[[Harbour], Awaitable[None]]) -> None:
    """Let something happen in a harbour that is connected, in a time of its own."""

    async def begin() -> None:
        harbour = Harbour()
        await harbour.configure()
        await harbour.start()
        harbour.wire.identify()
        await asyncio.sleep(15)
        await story(harbour)
        await harbour.stop()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(begin())
