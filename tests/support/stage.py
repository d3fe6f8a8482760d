"""A real discord.py client in a local Discord, with a guild to act in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import discord

from aurora.agents.protocol import ToolResult
from aurora.chat.delivery import Delivery
from aurora.chat.edit_pace import EditPace
from aurora.chat.failures import Patience
from aurora.chat.sender import Sender
from aurora.guard.looking import Guard
from aurora.ledger.memory import MemoryStore
from aurora.model import Change, Event, Said, Send, Trace, Turn
from aurora.reasons import Reason
from aurora.settings import Settings
from aurora.tools.host import RunTools, Toolbox
from doubles.local_discord import (
    Channel,
    LocalDiscord,
    Message,
    Overwrite,
    User,
    permissions,
)
from tests.support.clocks import FakeClock
from tests.support.discord_port import Port
from tests.support.events import make_event
from tests.support.keepers import Keeper

ON_STAGE = "agent-1"
"""Who answers on a stage."""
PATIENCE = Patience(call=2.5, pause=0.01)
"""A 500 is repeated by discord.py, after one second."""


def queued(event: Event) -> Change:
    """Return the Change that tells of a new event."""
    place = (event.channel_id, event.guild_id, event.author_id, event.lane)
    return Change(event.id, event.message_id, *place, "queued", event.accepted_at)


def together(*asked: Event | Turn) -> Turn:
    """Let events run as one turn; a turn is one already."""
    return Turn(tuple(event for one in asked for event in _events(one)))


def _events(asked: Event | Turn) -> tuple[Event, ...]:
    return asked.events if isinstance(asked, Turn) else (asked,)


class Stage:
    """One guild with Ada, who asks, and Bob; `hidden` is a channel that Ada cannot see."""

    def __init__(self, port: Port, bot: discord.Client) -> None:
        self.port = port
        self.local = local = port.local
        self.bot = bot
        self.ada = local.add_user("ada", global_name="Ada")
        self.bob = local.add_user("bob")
        self.guild = local.add_guild("Workshop", owner=local.owner)
        self.channel = local.add_channel(self.guild, "general")
        hide = Overwrite.of(self.guild.everyone, deny=permissions.VIEW_CHANNEL)
        show = Overwrite.of(local.bot_user, allow=permissions.VIEW_CHANNEL)
        self.hidden = local.add_channel(self.guild, "staff", overwrites=(hide, show))
        for user in (self.ada, self.bob):
            local.add_member(self.guild, user)
        self.clock = FakeClock()
        self.store = MemoryStore(self.clock)
        self.settings = Settings(Keeper())
        self.barred: Reason | None = None
        """Why Red lets Ada do nothing."""
        self.guard = Guard(bot, self.settings, self.clock, self._barred)
        pace = EditPace(self.clock, 0.0)
        self.sender = Sender(bot, self.store, self.guard, edits=pace, patience=PATIENCE)
        self.delivery = Delivery(bot, self.store, self.sender)
        self.toolbox = Toolbox(
            bot, self.store, self.sender, self.guard, self.clock, settings=self.settings.guild
        )

    async def enable(self) -> None:
        """Let an agent answer in the guild, and in direct messages."""
        await self.settings.set_world(letta_base_url="ws://127.0.0.1:1", dm_agent_id=ON_STAGE)
        await self.settings.set_guild(self.guild.id, agent_id=ON_STAGE, enabled=True)

    def hurry(self) -> None:
        """Wait for no guild that a new session has only named."""
        for one in (self.sender, self.guard):
            one.patience = one.patience._replace(coming=0.0)

    async def _barred(self, *_who: object) -> Reason | None:
        return self.barred

    async def ask(self, channel: Channel | None = None, text: str = "<@{me}> hello") -> Event:
        """Let Ada ask, and return the accepted event."""
        channel = channel or self.channel
        said = self.local.say(self.ada, channel, text.format(me=self.local.bot_user.id))
        guild_id = None if channel.guild is None else channel.guild.id
        event = make_event(
            message_id=said.id,
            channel_id=channel.id,
            guild_id=guild_id,
            author_id=self.ada.id,
        )
        event.context["bot"] = {"id": str(self.local.bot_user.id), "name": "Aurora"}
        event.context["mentions"]["users"] = [
            {"id": str(user.id), "name": user.name}
            for user in said.mentions
            if user is not self.local.bot_user
        ]
        await self.store.add(event, queued(event))
        return event

    def answers(self, channel: Channel | None = None) -> list[Message]:
        """Return what the bot wrote in a channel."""
        messages = self.local.messages(channel or self.channel)
        return [one for one in messages if one.author is self.local.bot_user]

    def reactions(self, event: Event) -> list[str]:
        """Return the bot's reactions to an event's message."""
        message = self.local.world.messages[event.message_id]
        mine = self.local.bot_user.id
        return [emoji for emoji, users in message.reactions.items() if mine in users]

    def open(self, asked: Event | Turn) -> RunTools:
        """Return the tools of a run."""
        turn = together(asked)
        turn.agent_id = ON_STAGE
        return self.toolbox.open(turn, ON_STAGE)

    async def settle(
        self, asked: Event | Turn, text: str, *, fallback: bool = True
    ) -> Reason | None:
        """See to it that the answer is in Discord."""
        said = Said((text,) if text else ())
        turn = asked if isinstance(asked, Turn) else together(asked)
        return await self.delivery.settle(turn, said, fallback=fallback)

    async def trace(self, asked: Event | Turn) -> Trace:
        """Find out what is to be seen in Discord."""
        return await self.delivery.trace(together(asked))

    async def sends(self, event: Event) -> list[Send]:
        """Return what was sent, and look for what is in doubt."""
        return await self.sender.lookup.sends(together(event))


async def send(tools: RunTools, channel: Channel, text: str, **more: Any) -> ToolResult:
    """Call discord_send as an agent does."""
    arguments: Mapping[str, Any] = {"channelId": str(channel.id), "message": text, **more}
    return await tools.call("discord_send", arguments)


async def react(tools: RunTools, event: Event, emoji: str) -> ToolResult:
    """Call discord_add_reaction on the event's message."""
    arguments = {
        "channelId": str(event.channel_id),
        "messageId": str(event.message_id),
        "emoji": emoji,
    }
    return await tools.call("discord_add_reaction", arguments)


async def send_file(
    tools: RunTools, channel: Channel, name: str, content: str, **more: Any
) -> ToolResult:
    """Call discord_send_file as an agent does."""
    arguments = {"channelId": str(channel.id), "name": name, "content": content, **more}
    return await tools.call("discord_send_file", arguments)


async def allow(stage: Stage, *names: str) -> None:
    """Let the admins allow some tools."""
    await stage.settings.set_guild(stage.guild.id, tools_chosen=dict.fromkeys(names, "allow"))


def hide_from(user: User, channel: Channel, local: LocalDiscord) -> None:
    """Take a channel out of somebody's sight."""
    local.set_overwrites(channel, (Overwrite.of(user, deny=permissions.VIEW_CHANNEL),))


def time_out(stage: Stage, user: User) -> None:
    """Let a moderator time somebody out for an hour."""
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    data = stage.guild.members[user.id].payload() | {
        "guild_id": str(stage.guild.id),
        "communication_disabled_until": until,
    }
    stage.local.world.emit("GUILD_MEMBER_UPDATE", data, guild=stage.guild)


@asynccontextmanager
async def open_stage(local: LocalDiscord | None = None) -> AsyncIterator[Stage]:
    """Set up a local Discord and connect a client to it; nothing listens."""
    port, bot = Port(local or LocalDiscord()), discord.Client(intents=discord.Intents.all())
    await port.connect(bot)
    stage = Stage(port, bot)
    await stage.enable()
    yield stage
    await bot.close()
