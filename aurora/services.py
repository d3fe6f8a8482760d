"""Services: everything the cog wires together when it loads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self
from weakref import WeakSet

import discord
from redbot.core import Config, commands
from redbot.core.bot import Red
from redbot.core.data_manager import cog_data_path

from .agents.own_tools import OwnTools
from .agents.protocol import Housed, ToolLister
from .agents.sdk import SdkFolder
from .agents.server import AgentServer
from .chat.delivery import Delivery
from .chat.fingerprints import Fingerprints
from .chat.languages import speak_in
from .chat.places import is_away
from .chat.sender import Sender
from .clock import Clock, SystemClock
from .errors import Breakers, ErrorStats
from .guard.barring import barred
from .guard.conversations import Conversations
from .guard.looking import Guard
from .guard.masking import folders_of
from .guard.output import Output
from .guard.remembering import MemoryGuard
from .health.alerts import Alerts
from .health.notices import OutageNotices
from .health.outages import Outages
from .health.status import Status
from .intake.catchup import CatchUp
from .intake.receiving import Intake
from .intake.rereading import reread
from .intake.triggers import Triggers
from .ledger import Store
from .ledger.secret import local_key
from .ledger.sqlite import SqliteStore
from .model import Change
from .queue import MessageQueue
from .queue.limits import WorkRules
from .runs.background import Background
from .runs.cancelling import Cancelling
from .runs.claim import Claims
from .runs.forgetting import Forgetting
from .runs.loop_guard import LoopGuard
from .runs.observers import Log, Tokens
from .runs.pausing import Pauses
from .runs.pinging import Pinger, look_again
from .runs.ports import Ports
from .runs.retrying import Retries
from .runs.worker import Worker
from .settings import MCP_TOOLS, Settings
from .tools.attachments import Files
from .tools.host import Toolbox
from .tools.memories import Memories
from .tools.offers import Offers
from .tools.watching import EitherToolbox
from .words import Phrase
from .words.alerts import SET_ASIDE

log = logging.getLogger("red.aurora")

_DAY = 24 * 3600.0


class ConfigKeeper:
    """Red's Config as the place where settings are kept."""

    def __init__(self, config: Config) -> None:
        self._config = config

    async def load(self) -> tuple[Mapping[str, Any], Mapping[int, Mapping[str, Any]]]:
        """Return the global values and each guild's."""
        return await self._config.all(), await self._config.all_guilds()

    async def save(self, guild_id: int | None, key: str, value: Any) -> None:
        """Keep one value; guild None is the global scope."""
        # Config makes up its methods for the global scope at run time.
        config: Any = self._config
        scope = config if guild_id is None else config.guild_from_id(guild_id)
        await scope.set_raw(key, value=value)


@dataclass
class Services:
    """The pieces of a running Aurora; functions take this, or the one piece they need."""

    bot: Red
    clock: Clock
    settings: Settings
    guard: Guard
    store: Store
    folder: Path
    fingerprints: Fingerprints
    sdk: SdkFolder
    agents: AgentServer
    own_tools: OwnTools
    breakers: Breakers
    stats: ErrorStats
    alerts: Alerts
    outages: Outages
    pinger: Pinger
    queue: MessageQueue
    delivery: Delivery
    offers: Offers
    memories: Memories
    cancelling: Cancelling
    worker: Worker
    intake: Intake
    catchup: CatchUp
    background: Background
    pauses: Pauses
    retries: Retries
    status: Status
    forgetting: Forgetting
    views: WeakSet[discord.ui.View] = field(default_factory=WeakSet)
    """Questions and lists that wait for a press of a button."""
    answer_seconds: float = 60.0
    """How long a command waits for the answer to a question."""
    grace: float = 3.0
    """Seconds that what runs is given to end when Aurora is unloaded."""
    failure: Phrase | None = None
    """Why it could not be started."""
    standing_by: bool = False
    """Whether another process has the ledger, and answers instead of this one."""

    @classmethod
    def build(
        cls, bot: Red, cog: commands.Cog, config: Config, *, clock: Clock | None = None
    ) -> Self:
        """Wire everything, each piece with those above it; nothing is opened or connected yet."""
        clock = clock or SystemClock()
        folder = cog_data_path(raw_name="Aurora")
        settings = Settings(ConfigKeeper(config))
        store = SqliteStore(
            folder / "ledger.sqlite3",
            clock,
            retention=lambda: settings.world.retention_days * _DAY,
        )
        background = Background()
        breakers = Breakers(clock)
        stats = ErrorStats(clock)
        queue = MessageQueue(
            store,
            WorkRules(settings, breakers, away=partial(is_away, bot)),
            clock,
            notify=partial(_dispatch, bot),
        )
        sdk = SdkFolder(folder / "sdk")
        agents = AgentServer(clock, sdk, changed=breakers.reset)
        own_tools = OwnTools(settings.allowed_tools, clock)

        fingerprints = Fingerprints()
        output = Output(
            settings.guild,
            secrets=lambda: [one for one in (bot.http.token, agents.token) if one],
            folders=lambda: _folders(agents.backend),
            role=partial(_role_name, bot),
        )
        speak = partial(speak_in, bot)
        guard = Guard(bot, settings, clock, partial(barred, bot, cog, settings))
        sender = Sender(
            bot,
            store,
            guard,
            most=lambda guild_id: settings.guild(guild_id).budget_messages,
            speak=speak,
            output=output,
            fingerprints=fingerprints,
        )
        delivery = Delivery(bot, store, sender, speak, settings.silence)
        offers = Offers(store, sender, guard, clock, speak)
        memory_guard = MemoryGuard(
            store,
            guard,
            owns=partial(_owns, bot),
            role_of=lambda guild_id: settings.guild(guild_id).memory_role_id,
            within=lambda reader, writer: guard.audiences.flows_between(bot, writer, reader),
        )
        files = Files(bot, guard, lambda: agents.backend, folder)
        toolbox = EitherToolbox(
            Toolbox(
                bot,
                store,
                sender,
                guard,
                clock,
                lambda: agents.backend,
                offers,
                settings.guild,
                memory_guard,
                files,
            ),
            store,
            sender,
            watched=lambda event: (
                settings.guild(event.guild_id).discord_tools == MCP_TOOLS
                and isinstance(agents.backend, ToolLister)
            ),
        )

        alerts = Alerts(
            bot,
            settings,
            stats,
            background,
            clock,
            waiting=lambda: queue.get_stats()["waiting_by_guild"],
            failing_for=breakers.failing_for,
        )
        notices = OutageNotices(breakers, settings, queue, background, delivery.late, clock)
        outages = Outages(breakers, clock)
        outages.subscribe(alerts.changed)
        outages.subscribe(notices.changed)
        pinger = Pinger(breakers, lambda: agents.backend, clock, outages.missed)
        breakers.subscribe(partial(look_again, queue, settings))
        breakers.subscribe(pinger.changed)
        breakers.subscribe(outages.changed)
        stats.subscribe(alerts.recorded)
        store.subscribe(alerts.tell)

        claims = Claims()
        cancelling = Cancelling(queue, claims, delivery, background)
        triggers = Triggers(bot, cog, settings, store, clock)
        worker = Worker(
            queue,
            store,
            Ports(
                backend=lambda: agents.backend,
                toolbox=toolbox,
                delivery=delivery,
                welcome=triggers.still_welcome,
                late=notices.late,
                alert=alerts.alert,
                audience=Conversations(bot, guard),
                renewed=alerts.renewed,
                own_tools=own_tools.admit,
                files=files.gather,
                unseen=delivery.unseen,
            ),
            settings,
            breakers,
            stats,
            clock,
            claims,
            cancelling,
            observing=(partial(Log, queue), Tokens, partial(LoopGuard, settings), notices.observe),
        )
        intake = Intake(
            bot, settings, store, queue, clock, triggers, cancelling, notices.greet, background
        )
        return cls(
            bot=bot,
            clock=clock,
            settings=settings,
            guard=guard,
            store=store,
            folder=folder,
            fingerprints=fingerprints,
            sdk=sdk,
            agents=agents,
            own_tools=own_tools,
            breakers=breakers,
            stats=stats,
            alerts=alerts,
            outages=outages,
            pinger=pinger,
            queue=queue,
            delivery=delivery,
            offers=offers,
            memories=Memories(settings, store, memory_guard, clock, memory=lambda: agents.backend),
            cancelling=cancelling,
            worker=worker,
            intake=intake,
            catchup=CatchUp(bot, settings, store, intake, clock, alerts.missed),
            background=background,
            pauses=Pauses(settings, queue, clock),
            retries=Retries(
                store, queue, delivery.trace, lambda event: reread(event, bot, settings, triggers)
            ),
            status=Status(
                settings,
                store,
                queue,
                breakers,
                stats,
                clock,
                backend=lambda: agents.backend,
            ),
            forgetting=Forgetting(
                store,
                settings,
                cancelling,
                lambda: agents.backend,
                alerts.tell,
                claims,
                background,
            ),
        )

    async def start(self) -> None:
        """Open what is kept; the agent server is connected when it is first needed."""
        await self.settings.load()
        backlog = await self.queue.open()
        self.fingerprints.use(await asyncio.to_thread(local_key, self.folder))
        if backlog.set_aside is not None:
            await self.alerts.alert(SET_ASIDE(name=backlog.set_aside))
        await self.configure_agents()

    async def stop(self) -> None:
        """Let running turns end or abort them; what waits stays in the ledger."""
        for view in list(self.views):
            view.stop()
        self.queue.shut()
        await self.worker.stop(self.grace)
        await self.pinger.stop()
        await self.outages.stop()
        await self.background.stop(self.grace)
        await self.agents.close()
        await self.store.close()

    async def configure_agents(self) -> None:
        """Apply the server's address and token as they are kept now."""
        tokens = await self.bot.get_shared_api_tokens("letta")
        await self.agents.configure(
            self.settings.world.letta_base_url,
            tokens.get("token"),
            clear_ok=self.settings.world.token_in_clear_allowed,
        )

    async def use_server(self, url: str, *, clear_ok: bool) -> None:
        """Keep another address of the agent server, and use it; see AgentServer.configure."""
        # Each value is kept by itself: between two writes, consent to one address must never
        # stand beside another.
        await self.settings.set_world(token_in_clear_allowed=False)
        await self.settings.set_world(letta_base_url=url, token_in_clear_allowed=clear_ok)
        await self.configure_agents()

    async def change_guild(self, guild_id: int, **values: Any) -> None:
        """Change a guild's settings, and look again at what waits under them."""
        await self.settings.set_guild(guild_id, **values)
        self.queue.reconsider([guild_id])


async def _owns(bot: Red, user_id: int) -> bool:
    """Tell whether somebody owns the bot."""
    return user_id in (bot.owner_ids or ())


def _folders(backend: object) -> Collection[str]:
    """Return the folders of the agents' host that must not be told."""
    told = backend.folders if isinstance(backend, Housed) else ()
    return {folder for path in told for folder in folders_of(path)}


def _role_name(bot: Red, guild_id: int | None, role_id: int) -> str | None:
    guild = bot.get_guild(guild_id or 0)
    role = guild.get_role(role_id) if guild is not None else None
    return role.name if role is not None else None


def _dispatch(bot: Red, change: Change) -> None:
    """Tell other cogs, as discord.py tells of everything: `on_aurora_event`."""
    bot.dispatch("aurora_event", change)
