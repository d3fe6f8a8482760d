"""The cog: lifecycle, listeners, and the loop that runs the worker."""

import asyncio
import logging
from io import BytesIO
from typing import Any, Literal

import discord
from discord.ext import tasks
from redbot.core import Config, commands
from redbot.core.bot import Red
from redbot.core.i18n import Translator, cog_i18n

from .chat.languages import speak_to
from .chat.places import find_dm
from .clock import sleep
from .commands.access import AccessCommands
from .commands.allowing import AgentsCommands
from .commands.ask import MENU, AskCommands
from .commands.config import ConfigCommands
from .commands.events import EventsCommands
from .commands.failures import explain_failure, explain_mismatch
from .commands.forgetting import ForgetCommands
from .commands.libraries import LibrariesCommands
from .commands.memory import MemoryCommands
from .commands.models import ModelsCommands
from .commands.queue import QueueCommands
from .commands.roles import RolesCommands
from .commands.runs import RunsCommands
from .commands.schedules import ScheduleCommands
from .commands.scope import ensure_started
from .commands.setup import SetupCommands
from .commands.silence import SilenceCommands
from .commands.triggers import TriggerCommands
from .commands.usage import UsageCommands
from .guard.invoking import listens
from .guard.policy import Act
from .guard.runs import RunAct
from .intake.pressing import AnswerButton, LetBeButton, StopButton, StrongerButton
from .ledger import InUseError
from .reasons import ExplainedError, Reason
from .runs.cancelling import Show, in_channel, in_guild
from .services.wiring import build
from .settings import GLOBAL_DEFAULTS, GUILD_DEFAULTS
from .tools.offers import PostButton
from .words import translate_with, verbatim
from .words.alerts import NOT_STARTED, STANDING_BY

log = logging.getLogger("red.aurora")

_TAKE_OVER_SECONDS = 5.0

BUTTONS = (PostButton, StopButton, AnswerButton, StrongerButton, LetBeButton)
"""Buttons that outlive a restart: each message that has one names in its id all it needs."""

Requester = Literal["discord_deleted_user", "owner", "user", "user_strict"]


_ = Translator("Aurora", __file__)
translate_with(_)


@cog_i18n(_)
class Aurora(
    SetupCommands,
    AgentsCommands,
    RolesCommands,
    ConfigCommands,
    AccessCommands,
    ModelsCommands,
    SilenceCommands,
    LibrariesCommands,
    TriggerCommands,
    MemoryCommands,
    AskCommands,
    QueueCommands,
    RunsCommands,
    ScheduleCommands,
    ForgetCommands,
    EventsCommands,
    UsageCommands,
    commands.Cog,
):
    """Talk to a stateful Letta agent by mentioning the bot, replying to it or in a DM."""

    def __init__(self, bot: Red) -> None:
        super().__init__()
        self.bot = bot
        config = Config.get_conf(self, identifier=0xA0402A, force_registration=True)
        config.register_global(**GLOBAL_DEFAULTS)
        config.register_guild(**GUILD_DEFAULTS)
        self.services = build(bot, self, config)
        self._standing_by: asyncio.Task[None] | None = None

    async def cog_load(self) -> None:
        """Start, or stand by; raising would take Aurora out of Red's autoload."""
        try:
            await self._begin()
        except InUseError as error:
            log.warning("Aurora stands by: %s", error)
            self.services.standing_by = True
            await self.services.alerts.alert(STANDING_BY)
            self._standing_by = asyncio.create_task(self._take_over(), name="aurora stands by")
        except Exception as error:
            await self._give_up(error)

    async def _begin(self) -> None:
        """Open what is kept and begin to listen. Raises InUseError if another process has it."""
        await self.services.start()
        self.bot.add_dynamic_items(*BUTTONS)
        self.bot.tree.add_command(MENU, override=True)
        await self.services.intake.triggers.start()
        self.services.intake.asking.start()
        await self.services.schedules.start()
        await self.services.feedback.start()
        await self.services.catchup.start()
        # Last, so that no message overtakes one that was missed; what is not heard is read.
        self.services.standing_by = False
        self.process_message_queue.start()

    async def _take_over(self) -> None:
        """Wait until the other process has gone, and then begin."""
        while self.services.standing_by:
            await sleep(self.services.clock, _TAKE_OVER_SECONDS)
            try:
                await self._begin()
            except InUseError:
                continue
            except Exception as error:
                await self._give_up(error)
            else:
                log.info("The other Aurora has gone; this one takes over")

    async def _give_up(self, error: Exception) -> None:
        """Log and tell why Aurora answers nobody."""
        log.exception("Aurora could not start and answers nobody", exc_info=error)
        why = error.phrase if isinstance(error, ExplainedError) else verbatim(error)
        self.services.failure, self.services.standing_by = why, False
        # Without the loop nothing would ever run: who writes sees at once that nobody answers.
        self.services.queue.shut()
        await self.services.alerts.alert(NOT_STARTED(why=why))

    async def cog_check(self, ctx: commands.Context) -> bool:  # type: ignore[override]  # it is Red's
        """Speak the language of who asks, and let no command work on what could not be opened."""
        await speak_to(ctx)
        await ensure_started(ctx, self.services)
        return True

    async def cog_command_error(self, ctx: commands.Context, error: Exception) -> None:  # type: ignore[override]  # it is Red's
        """Say why a command did not run."""
        await speak_to(ctx)
        await explain_failure(ctx, error)

    async def cog_app_command_error(
        self, interaction: discord.Interaction, error: discord.app_commands.AppCommandError
    ) -> None:
        """Answer a slash command that never became one of ours."""
        if not self.services.standing_by:
            await explain_mismatch(interaction, error)

    async def cog_unload(self) -> None:
        """Stop; nothing of Aurora is left when this returns."""
        if self._standing_by is not None:
            self._standing_by.cancel()
            await asyncio.wait({self._standing_by})
        self.bot.remove_dynamic_items(*BUTTONS)
        self.bot.tree.remove_command(MENU.name, type=MENU.type)
        await self.services.catchup.stop()
        await self.services.schedules.stop()
        await self.services.intake.triggers.stop()
        loop = self.process_message_queue.get_task()
        self.process_message_queue.cancel()
        if loop is not None:
            await asyncio.wait({loop})
        await self.services.stop()

    @tasks.loop()
    async def process_message_queue(self) -> None:
        """Wait for events that may run, and start them.

        This does not return: discord.py sleeps between two iterations until a time of day, and
        where the clock is set back that is an hour or a day away.
        """
        while True:
            try:
                await self.services.worker.step()
            except Exception as error:
                log.exception("The queue could not be read; trying again", exc_info=error)
                await asyncio.sleep(1)
            # Turns that only end hold no place: of a thousand of them nothing else need wait.
            await asyncio.sleep(0)

    @process_message_queue.before_loop
    async def wait_for_discord(self) -> None:
        """Run nothing before the bot knows its servers: what is kept there would seem gone."""
        await self.bot.wait_until_red_ready()
        self.services.background.start(self.services.asks.find_anchors(), "finds anchors")

    @commands.Cog.listener()
    @listens(Act.ASK)
    async def on_message_without_command(self, message: discord.Message) -> None:
        """Take in what is meant for the agent."""
        if not self.services.standing_by:
            await self.services.intake.heard(message)

    @commands.Cog.listener()
    async def on_command(self, ctx: commands.Context) -> None:
        """Learn of what Red keeps for itself."""
        self.services.intake.triggers.coming.ended(ctx.message.id)

    @commands.Cog.listener()
    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Follow the edit of a message that waits, is on its way in, or is for the agent now."""
        if not self.services.standing_by:
            await self.services.intake.edited(payload.message, payload.cached_message)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Let nothing be said to a deleted message."""
        known = () if payload.cached_message is None else (payload.cached_message,)
        await self.services.intake.gone({payload.message_id}, known)

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Let nothing be said to deleted messages."""
        await self.services.intake.gone(payload.message_ids, payload.cached_messages)

    @commands.Cog.listener()
    @listens(*RunAct)
    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """Do what a reaction to a message of a run asks for."""
        if not self.services.standing_by:
            await self.services.reactions.heard(payload)

    @commands.Cog.listener()
    @listens(*RunAct)
    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        """Do what follows from a reaction that is taken back."""
        if not self.services.standing_by:
            await self.services.reactions.heard(payload)

    @commands.Cog.listener()
    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Remember up to where a shard has heard."""
        self.services.catchup.lost(shard_id)

    @commands.Cog.listener()
    async def on_shard_connect(self, shard_id: int) -> None:
        """Learn that a shard begins a new session."""
        self.services.catchup.opened(shard_id)

    @commands.Cog.listener()
    async def on_shard_resumed(self, shard_id: int) -> None:
        """Learn that a shard missed nothing."""
        self.services.catchup.resumed(shard_id)

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Read what was missed in a server that is there now, and go on with what waits there."""
        self.services.catchup.available(guild)
        self.services.queue.reconsider([guild.id])

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Look after a server that no session has named before."""
        self.services.catchup.available(guild)

    @commands.Cog.listener()
    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        """Remember up to where a server was heard that has an outage."""
        # What the process that has the ledger notes is what counts in the end.
        if not self.services.standing_by:
            self.services.catchup.unavailable(guild)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Cancel what waits in a server that the bot left."""
        self.services.catchup.left(guild)
        await self.services.cancelling.cancel(
            in_guild(guild.id), Reason.GUILD_LEFT, show=Show.NOBODY
        )
        await self.services.schedules.left(guild.id)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Cancel what waits in a deleted channel and its threads."""
        await self.services.cancelling.cancel(
            in_channel(channel.id), Reason.CHANNEL_DELETED, show=Show.NOBODY
        )

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        """Cancel what waits in a deleted thread."""
        await self.services.cancelling.cancel(
            in_channel(payload.thread_id), Reason.THREAD_DELETED, show=Show.NOBODY
        )

    @commands.Cog.listener()
    async def on_member_join(self, member: discord.Member) -> None:
        """Count the people of each place anew."""
        self.services.guard.audiences.changed(member.guild.id)

    @commands.Cog.listener()
    async def on_raw_member_remove(self, payload: discord.RawMemberRemoveEvent) -> None:
        """Count the people of each place anew."""
        self.services.guard.audiences.changed(payload.guild_id)

    @commands.Cog.listener()
    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        """Count the people of each place anew, if somebody's roles have changed."""
        if before._roles != after._roles:
            self.services.guard.audiences.changed(after.guild.id)

    @commands.Cog.listener()
    async def on_guild_update(self, before: discord.Guild, after: discord.Guild) -> None:
        """Count the people of each place anew, if the server has another owner."""
        if before.owner_id != after.owner_id:
            self.services.guard.audiences.changed(after.id)

    @commands.Cog.listener()
    async def on_guild_role_update(self, _before: discord.Role, after: discord.Role) -> None:
        """Count the people of each place anew."""
        self.services.guard.audiences.changed(after.guild.id)

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        """Count the people of each place anew."""
        self.services.guard.audiences.changed(role.guild.id)

    @commands.Cog.listener()
    async def on_red_api_tokens_update(self, service_name: str, _tokens: Any) -> None:
        """Use a new Letta token at once."""
        if service_name == "letta":
            await self.services.configure_agents()

    async def red_delete_data_for_user(self, *, requester: Requester, user_id: int) -> None:
        """Forget everything that is kept about a person.

        Who asks for it alone stays on the lists by which servers keep people out, as on Red's.
        """
        gone = requester == "discord_deleted_user"
        channel = None if gone else await find_dm(self.bot, user_id)
        # An agent may be known by nothing but what was changed for that person.
        agents = await self.services.memories.agents()
        await self.services.forgetting.forget(user_id, channel, unlist=requester != "user")
        await self.services.memories.forget(user_id, agents)
        await self.services.schedules.forget(user_id)

    async def red_get_data_for_user(self, *, user_id: int) -> dict[str, BytesIO]:  # noqa: ARG002  # Red's signature
        """Return nothing: once a message is answered, only ids of it are kept, and no text."""
        return {}
