"""All that is not Red, in a process of its own: Discord, its people, and the agents.

`python -m benchmarks.outside GUILDS CHANNELS` says on its first line of output where it listens;
then each line of input, a JSON object, brings one line of output. It ends with its input.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from doubles.local_discord import (
    Channel,
    LocalDiscord,
    Message,
    User,
)

from .instant import InstantServer
from .schedule import Arrivals, moments

_ANSWER_SECONDS = 30.0
_TYPING = "/channels/{channel_id}/typing"
_MESSAGES = "/channels/{channel_id}/messages"

Reply = dict[str, Any]


class LoadError(Exception):
    """Something was lost, doubled or out of order; the text says what."""


@dataclass(slots=True)
class Load:
    """Mentions on their way, and what became of each; times are monotonic seconds."""

    sent: dict[int, float] = field(default_factory=dict)
    arrived: dict[int, float] = field(default_factory=dict)
    shown: dict[int, float] = field(default_factory=dict)
    answered: dict[int, int] = field(default_factory=dict)
    late: list[float] = field(default_factory=list)

    def check(self, channels: dict[int, int]) -> None:
        """Raise LoadError unless each arrived and was answered once, in its channel's order."""
        lost = len(self.sent.keys() - self.arrived.keys())
        silent = len(self.sent.keys() - self.answered.keys())
        if lost or silent:
            raise LoadError(
                f"of {len(self.sent)} mentions {lost} never arrived at the agent's "
                f"door and {silent} were not answered"
            )
        for seen in (self.arrived, self.answered):
            last: dict[int, int] = {}
            for message_id in seen:
                channel = channels[message_id]
                if last.get(channel, 0) > message_id:
                    raise LoadError("mentions of one channel were taken out of order")
                last[channel] = message_id


class Outside:
    """Guilds full of people, each with a channel of their own to mention the bot in."""

    def __init__(self, discord: LocalDiscord, guilds: int, channels: int) -> None:
        self.discord = discord
        self.agents = InstantServer(self._arrived)
        self.trouble: list[str] = []
        self.guilds: dict[int, str] = {}
        self._load = Load()
        self._places: list[tuple[Channel, User]] = []
        self._channels: dict[int, int] = {}
        self._last_answer: dict[int, Message] = {}
        # Of all loads, since what comes twice may come late.
        self._at_door: set[int] = set()
        self._told: set[int] = set()
        self._found(guilds, channels)
        discord.world.listeners.append(self._hear)

    def _found(self, guilds: int, channels: int) -> None:
        rows = []
        for number in range(guilds):
            guild = self.discord.add_guild(f"guild {number}", owner=self.discord.owner)
            self.guilds[guild.id] = self.agents.create_agent()
            row = []
            for index in range(channels):
                author = self.discord.add_user(f"person-{number}-{index}")
                self.discord.add_member(guild, author)
                row.append((self.discord.add_channel(guild, f"channel-{index}"), author))
            rows.append(row)
        # The guilds take turns, as the people of many guilds do.
        self._places = [place for column in zip(*rows, strict=True) for place in column]

    async def load(self, count: int, rate: float, *, replies: bool, arrivals: str) -> Reply:
        """Send mentions on schedule, whatever becomes of them, and say what did.

        Args:
            count: How many.
            rate: A second.
            replies: Each is a reply to the bot's last answer in its channel.
            arrivals: How they come, one of Arrivals.

        Raises:
            LoadError: One was lost, answered twice, or out of order.

        """
        load = self._load = Load()
        seen = len(self.discord.calls)
        begun = time.monotonic() + 0.01
        for number, at in enumerate(moments(Arrivals(arrivals), count, rate)):
            due = begun + at
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            load.late.append(time.monotonic() - due)
            self._say(*self._places[number % len(self._places)], replies=replies)
        await self._all_answered(load)
        load.check(self._channels)
        self._check_trouble()
        calls = Counter(
            f"{call.method} {call.route}"
            for call in self.discord.calls[seen:]
            if (call.method, call.route) != ("POST", _TYPING)
        )
        calls[f"POST {_MESSAGES}"] -= count
        return {
            "seconds": [load.arrived[one] - load.sent[one] for one in load.sent],
            "answers": [load.shown[one] - load.arrived[one] for one in load.sent],
            "late": load.late,
            "calls": {call: times for call, times in calls.items() if times},
        }

    async def settle(self, seconds: float) -> Reply:
        """Wait for second answers; raise LoadError if there is one."""
        await asyncio.sleep(seconds)
        self._check_trouble()
        return {}

    def _check_trouble(self) -> None:
        if self.trouble:
            raise LoadError(self.trouble[0])

    def _say(self, channel: Channel, author: User, *, replies: bool) -> None:
        text = f"<@{self.discord.bot_user.id}> hello, could you help me with this?"
        to = self._last_answer[channel.id] if replies else None
        sent = time.monotonic()
        message = self.discord.say(author, channel, text, reply_to=to)
        self._load.sent[message.id] = sent
        self._channels[message.id] = channel.id

    async def _all_answered(self, load: Load) -> None:
        # Those that are missing are counted later.
        with contextlib.suppress(TimeoutError):
            await self.discord.wait_for(
                lambda: len(load.answered) == len(load.sent) or None, _ANSWER_SECONDS
            )

    def _arrived(self, message_id: int, at: float) -> None:
        if message_id in self._at_door:
            self.trouble.append("a mention came to the agent's door twice")
        self._at_door.add(message_id)
        if message_id in self._load.sent:
            self._load.arrived[message_id] = at

    def _hear(self, event: Any) -> None:
        if event.name != "MESSAGE_CREATE":
            return
        message = self.discord.world.messages[int(event.data["id"])]
        if message.author is not self.discord.bot_user:
            return
        if message.content != self.agents.text or message.reference is None:
            self.trouble.append(f"the bot said something else than the answer: {message.content}")
        elif message.reference in self._told:
            self.trouble.append("a mention was answered twice")
        else:
            self._told.add(message.reference)
            self._load.shown[message.reference] = time.monotonic()
            self._load.answered[message.reference] = message.id
            self._last_answer[message.channel.id] = message


@contextlib.asynccontextmanager
async def outside(guilds: int, channels: int) -> AsyncIterator[Outside]:
    """Start it all in this process."""
    discord = LocalDiscord()
    await discord.start()
    world = Outside(discord, guilds, channels)
    await world.agents.start()
    try:
        yield world
    finally:
        await world.agents.stop()
        await discord.stop()


async def _main(guilds: int, channels: int) -> None:
    async with outside(guilds, channels) as world:
        # What was built so far stays; collecting it again and again would delay mentions.
        gc.collect()
        gc.freeze()
        _write(
            {
                "discord": world.discord.url,
                "gateway": world.discord.gateway.url,
                "token": world.discord.token,
                "owner": world.discord.owner.id,
                "letta": world.agents.url,
                "letta_token": world.agents.token,
                "guilds": {str(guild_id): agent for guild_id, agent in world.guilds.items()},
            }
        )
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            try:
                answer = await (world.settle if "seconds" in order else world.load)(**order)
            except LoadError as error:
                answer = {"error": str(error)}
            _write(answer)


def _write(answer: Reply) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2])))
