"""Services: everything the cog wires together when it loads."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from redbot.core import Config, commands
from redbot.core.bot import Red
from redbot.core.data_manager import cog_data_path

from .agents.protocol import AgentError, ToolLister
from .agents.sdk import SdkFolder
from .agents.server import AgentServer
from .background import Background
from .clock import Clock, SystemClock
from .delivery import Delivery
from .errors import Breakers, ErrorStats
from .intake import Intake
from .ledger import Store
from .ledger.memory import MemoryStore
from .limits import WorkRules
from .model import Change, Event
from .ports import Ports
from .queue import MessageQueue
from .settings import MCP_TOOLS, Settings
from .throttle import Throttle
from .tools.host import Toolbox
from .tools.sender import Sender
from .tools.watching import EitherToolbox
from .triggers import still_welcome
from .worker import UNLOADED, Worker

log = logging.getLogger("red.aurora")

_GRACE_SECONDS = 3.0
_ALERT_EVERY = 3600.0


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
    store: Store
    sdk: SdkFolder
    agents: AgentServer
    breakers: Breakers
    stats: ErrorStats
    queue: MessageQueue
    delivery: Delivery
    worker: Worker
    intake: Intake
    background: Background

    @classmethod
    def build(cls, bot: Red, cog: commands.Cog, config: Config) -> Self:
        """Wire everything; nothing is opened and no network touched yet."""
        clock = SystemClock()
        settings = Settings(ConfigKeeper(config))
        store = MemoryStore(clock)
        breakers = Breakers(clock, on_change=lambda _key, _old, _new: queue.reconsider())
        stats = ErrorStats(clock)
        queue = MessageQueue(
            store,
            WorkRules(settings, breakers),
            clock,
            notify=lambda change: _dispatch(bot, change),
        )
        sdk = SdkFolder(cog_data_path(raw_name="Aurora") / "sdk")
        agents = AgentServer(clock, sdk, changed=breakers.reset)
        sender = Sender(bot, store)
        delivery = Delivery(bot, store, sender)
        alerts = Throttle(clock, _ALERT_EVERY)
        ports = Ports(
            backend=lambda: agents.backend,
            toolbox=EitherToolbox(
                Toolbox(bot, store, sender, clock, memory=lambda: agents.backend),
                store,
                sender,
                watched=lambda event: (
                    settings.guild(event.guild_id).discord_tools == MCP_TOOLS
                    and isinstance(agents.backend, ToolLister)
                ),
            ),
            delivery=delivery,
            admit=lambda event: still_welcome(event, bot, cog, settings),
            alert=lambda text: _alert(bot, alerts, text),
        )
        worker = Worker(queue, store, ports, settings, breakers, stats, clock)
        background = Background()
        intake = Intake(bot, cog, settings, store, queue, clock, worker, background)
        return cls(
            bot=bot,
            clock=clock,
            settings=settings,
            store=store,
            sdk=sdk,
            agents=agents,
            breakers=breakers,
            stats=stats,
            queue=queue,
            delivery=delivery,
            worker=worker,
            intake=intake,
            background=background,
        )

    async def start(self) -> None:
        """Open what is kept; the agent server is connected when it is first needed."""
        await self.settings.load()
        await self.queue.open()
        await self.configure_agents()

    async def stop(self) -> None:
        """Let running turns end or abort them, and leave nothing behind."""
        self.queue.shut()
        await self.worker.stop(_GRACE_SECONDS)
        await self.cancel(lambda _event: True, UNLOADED)
        await self.background.stop(_GRACE_SECONDS)
        await self.agents.close()
        await self.store.close()

    async def cancel(self, wanted: Callable[[Event], bool], reason: str) -> int:
        """Cancel what waits and is wanted, and return how many; those who wait are shown it."""
        ended = await self.queue.cancel(wanted, reason)
        # Discord takes a reaction each quarter of a second; no command waits for hundreds.
        for event in ended:
            self.background.start(self.delivery.call_off(event), f"calls off: {event.id}")
        return len(ended)

    async def configure_agents(self) -> None:
        """Apply the server's address and token as they are kept now."""
        tokens = await self.bot.get_shared_api_tokens("letta")
        await self.agents.configure(
            self.settings.world.letta_base_url,
            tokens.get("token"),
            clear_ok=self.settings.world.token_in_clear_allowed,
        )

    async def probe(self) -> str | None:
        """Ask the agent server whether it answers; return what is wrong, in plain words."""
        backend = self.agents.backend
        if backend is None:
            return "No Letta server is set."
        try:
            await backend.ping()
        except AgentError as error:
            return f"The address is kept, but {backend.url} can't be used now: {error.detail}."
        return None


def _dispatch(bot: Red, change: Change) -> None:
    """Tell other cogs, as discord.py tells of everything: `on_aurora_event`."""
    bot.dispatch("aurora_event", change)


async def _alert(bot: Red, alerts: Throttle, text: str) -> None:
    """Tell the owners what only they can mend; the same thing once an hour."""
    if alerts.allow(text):
        prefix = (await bot.get_valid_prefixes())[0]
        await bot.send_to_owners(f"**Aurora**: {text.replace('[p]', prefix)}")
