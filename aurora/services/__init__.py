"""Services: everything the cog wires together when it loads."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakSet

import discord
from redbot.core.bot import Red

from ..agents.own_tools import OwnTools
from ..agents.sdk import SdkFolder
from ..agents.server import AgentServer
from ..chat.delivery import Delivery
from ..chat.fingerprints import Fingerprints
from ..chat.progress import Lines
from ..clock import Clock
from ..context.child import Children
from ..errors import Breakers, ErrorStats
from ..guard.looking import Guard
from ..guard.runs import RunGuard
from ..health.alerts import Alerts
from ..health.outages import Outages
from ..health.runs import Runs
from ..health.status import Status
from ..intake.answers import Answers
from ..intake.asks import Asks
from ..intake.catchup import CatchUp
from ..intake.reactions import Reactions
from ..intake.receiving import Intake
from ..intake.waking import Waking
from ..ledger import Store
from ..ledger.secret import local_key
from ..queue import MessageQueue
from ..runs.background import Background
from ..runs.cancelling import Cancelling
from ..runs.escalation import Escalation
from ..runs.feedback import Feedback
from ..runs.forgetting import Forgetting
from ..runs.in_line import InLine
from ..runs.pausing import Pauses
from ..runs.pinging import Pinger
from ..runs.retrying import Retries
from ..runs.schedules import Schedules
from ..runs.stopping import Stopping
from ..runs.worker import Worker
from ..settings import Settings
from ..tools.memories import Memories
from ..tools.offers import Offers
from ..words import Phrase
from ..words.alerts import SET_ASIDE


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
    lines: Lines
    in_line: InLine
    offers: Offers
    memories: Memories
    cancelling: Cancelling
    stopping: Stopping
    escalation: Escalation
    run_guard: RunGuard
    reactions: Reactions
    feedback: Feedback
    worker: Worker
    intake: Intake
    answers: Answers
    catchup: CatchUp
    background: Background
    asks: Asks
    waking: Waking
    schedules: Schedules
    pauses: Pauses
    retries: Retries
    status: Status
    runs: Runs
    forgetting: Forgetting
    drawing: Children
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

    async def start(self) -> None:
        """Open what is kept; the agent server is connected when it is first needed."""
        await self.settings.load()
        backlog = await self.queue.open()
        self.fingerprints.use(await asyncio.to_thread(local_key, self.folder))
        if backlog.set_aside is not None:
            await self.alerts.alert(SET_ASIDE(name=backlog.set_aside))
        await self.lines.restore()
        await self.configure_agents()

    async def stop(self) -> None:
        """Let running turns end or abort them; what waits stays in the ledger."""
        for view in list(self.views):
            view.stop()
        self.queue.shut()
        await self.in_line.stop()
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
