"""Several agents and bots on one REST server: nobody gets another's answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from aurora.agents.sdk import SdkFolder
from doubles.letta_rest import LettaRest
from doubles.llm import ScriptedLLM, Step, text_parts
from doubles.local_discord import (
    Channel,
    LocalDiscord,
    Message,
    User,
)
from sandbox.red import environment
from sandbox.servers import lend_sdk
from tests.support.e2e.binary import Binary
from tests.support.e2e.town import Town, open_town
from tests.support.house import ROOT

_NAME = re.compile(r"You are (\w+)\.")


class Signing(ScriptedLLM):
    """A model that signs: it answers with its agent's name and the id of what it was asked.

    While `together` is more than one, it holds back until so many were asked at the same time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.together = 1
        self._asked = 0
        self._gate = asyncio.Event()

    def _step(self, turn: Any) -> Step:
        instructions = " ".join(text_parts(self.requests[-1]["messages"][0]))
        found = _NAME.search(instructions)
        assert found is not None
        self._asked += 1
        gate = self._gate
        if self._asked % self.together == 0:
            gate.set()
            self._gate = asyncio.Event()
        return Step(text=f"{found[1]} to {turn.prompt.target.message_id}", gate=gate)


class Neighbour(Binary):
    """A second bot in the same town, in a process of its own."""

    def __init__(self, discord: LocalDiscord, channel: Channel, home: Path) -> None:
        self.discord = discord
        self.general = channel
        self.data = home / "instance"
        self._home = home
        self._env = environment(discord, home)

    async def settle(self, server: LettaRest, agent_id: str) -> None:
        """Set the bot up on a server, by commands alone."""
        await self.say(f"!addpath {ROOT}", until="added")
        await self.say("!load aurora", until="Loaded")
        await self.say(f"!set api letta token,{server.token}", until="letta")
        await self.say(f"!aurora lettaurl {server.url}", until="answers")
        await self.say(f"!aurora enable {agent_id}", until="Done")
        await self.say("!aurora config ratelimit 0.5", until="Done")


def second_view(town: Town, name: str) -> LocalDiscord:
    """Return the town's Discord as another bot sees it, which joins the guild."""
    ours, view = town.discord.world, LocalDiscord(bot_name=name)
    theirs = view.world
    theirs.ids, theirs.owner, theirs.bot = ours.ids, ours.owner, ours.add_user(name, bot=True)
    view.owner, view.bot_user = theirs.owner, theirs.bot
    theirs.users, theirs.guilds, theirs.channels = ours.users, ours.guilds, ours.channels
    theirs.messages = ours.messages
    ours.listeners += theirs.listeners
    theirs.listeners = ours.listeners
    for person in (theirs.bot, theirs.owner):
        town.discord.add_member(town.guild, person)
    return view


@pytest.fixture
async def town(tmp_path: Path, sdk: SdkFolder) -> AsyncIterator[Town]:
    """A town on a REST server whose agents say who they are."""
    assert sdk.place.is_dir()
    async with open_town(tmp_path / "town", None, model=Signing) as town:
        agent(town, "Aurora", "town agent")
        await town.configure()
        yield town


def agent(town: Town, name: str, title: str = "") -> str:
    """Make an agent that knows its name."""
    return town.rest.create_agent(title or name, system=f"You are {name}.")


def signing(town: Town) -> Signing:
    """Return the town's model."""
    assert isinstance(town.llm, Signing)
    return town.llm


def replies(town: Town, message: Message) -> list[tuple[User, str]]:
    """Return who said what in reply to a message."""
    found = town.discord.world.messages.values()
    return [(one.author, one.content) for one in found if one.reference == message.id]


async def test_agents_and_conversations_keep_their_answers_apart(town: Town) -> None:
    """Two agents with two conversations each, asked at once, five times over."""
    away = town.discord.add_guild("Away", owner=town.ada)
    theirs = [town.discord.add_channel(away, name) for name in ("north", "south")]
    ours = [town.general, town.discord.add_channel(town.guild, "garden")]
    said = await town.command(f"aurora enable {agent(town, 'Borealis')}", channel=theirs[0])
    assert "Done" in said
    for guild in (town.guild, away):
        await town.cog.services.settings.set_guild(
            guild.id, rate_limit_seconds=0.0, coalesce_messages=False
        )
    signing(town).together = 2
    people = [town.discord.add_user(f"user{number}") for number in range(4)]
    for guild in (town.guild, away):
        for one in people:
            town.discord.add_member(guild, one)
    asked = [
        (town.discord.say(person, place, f"{town.mention} who are you?"), name)
        for _ in range(5)
        for person, (name, place) in zip(
            people,
            [*(("Aurora", one) for one in ours), *(("Borealis", one) for one in theirs)],
            strict=True,
        )
    ]
    for message, name in asked:
        assert (await town.ended(message)).step == "answered"
        assert [text for _, text in replies(town, message)] == [f"{name} to {message.id}"]
    assert len(town.rest.store.threads) == 4


async def test_a_message_that_mentions_two_bots_gets_an_answer_of_each(
    town: Town, tmp_path: Path
) -> None:
    """Two bots with an agent each on one server, asked by the same message at the same time."""
    view = second_view(town, "Borealis")
    setup = town.discord.add_channel(town.guild, "setup")
    home = tmp_path / "neighbour"
    home.mkdir()
    await view.start()
    try:
        neighbour = Neighbour(view, setup, home)
        lend_sdk(neighbour.data)
        await neighbour.set_up()
        async with neighbour.running():
            await neighbour.settle(town.rest, agent(town, "Borealis"))
            signing(town).together = 2
            for _ in range(3):
                await both_answer(town, view.bot_user)
    finally:
        await view.stop()
    assert view.unknown_routes == []


async def both_answer(town: Town, other: User) -> None:
    """Mention both bots at once, and see that each answers for itself."""
    text = f"{town.mention} {other.mention} who are you?"
    message = town.discord.say(town.ada, town.general, text)
    await town.discord.wait_for(lambda: len(replies(town, message)) >= 2, 20)
    await town.ended(message)
    mine = (town.discord.bot_user, f"Aurora to {message.id}")
    theirs = (other, f"Borealis to {message.id}")
    assert sorted(replies(town, message), key=lambda one: one[1]) == [mine, theirs]
