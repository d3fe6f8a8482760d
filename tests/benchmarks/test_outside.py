"""A load of mentions is judged: what is lost, doubled or overtaken makes a measurement void."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from benchmarks.instant import InstantServer
from benchmarks.outside import Load, LoadError, Outside
from doubles.local_discord import LocalDiscord

_CHANNELS = {1: 7, 2: 7, 3: 8}


def _load(arrived: list[int], answered: list[int]) -> Load:
    return Load(
        sent=dict.fromkeys(_CHANNELS, 0.0),
        arrived=dict.fromkeys(arrived, 0.0),
        answered={one: 100 + one for one in answered},
    )


def test_a_load_is_good_when_all_arrived_and_were_answered_in_order() -> None:
    """Channels may overtake each other."""
    _load([3, 1, 2], [1, 3, 2]).check(_CHANNELS)


def test_a_mention_that_never_arrived_voids_the_load() -> None:
    """It is not left out of the percentiles."""
    with pytest.raises(LoadError, match="1 never arrived at the agent's door"):
        _load([1, 2], [1, 2, 3]).check(_CHANNELS)


def test_a_mention_that_was_not_answered_voids_the_load() -> None:
    """Fast to the door is nothing if nobody hears of it."""
    with pytest.raises(LoadError, match="1 were not answered"):
        _load([1, 2, 3], [1, 2]).check(_CHANNELS)


@pytest.mark.parametrize(("arrived", "answered"), [([2, 1, 3], [1, 2, 3]), ([1, 2, 3], [2, 1, 3])])
def test_mentions_of_one_channel_out_of_order_void_the_load(
    arrived: list[int], answered: list[int]
) -> None:
    """At the door, and in the channel."""
    with pytest.raises(LoadError, match="out of order"):
        _load(arrived, answered).check(_CHANNELS)


def test_a_second_answer_is_noticed() -> None:
    """Also one that comes after all were answered."""
    discord = LocalDiscord()
    world = Outside(discord, 1, 1)
    guild = next(iter(discord.world.guilds.values()))
    channel = next(iter(guild.channels.values()))
    asked = discord.say(discord.owner, channel, "hello")
    for _ in range(2):
        discord.say(discord.bot_user, channel, world.agents.text, reply_to=asked)
    assert world.trouble == ["a mention was answered twice"]


def test_a_notice_is_no_answer() -> None:
    """A bot that apologises at once would look fast."""
    discord = LocalDiscord()
    world = Outside(discord, 1, 1)
    guild = next(iter(discord.world.guilds.values()))
    channel = next(iter(guild.channels.values()))
    asked = discord.say(discord.owner, channel, "hello")
    discord.say(discord.bot_user, channel, "I am sorry.", reply_to=asked)
    assert world.trouble == ["the bot said something else than the answer: I am sorry."]


@pytest.fixture
async def server() -> AsyncIterator[InstantServer]:
    """Return a server with an agent."""
    one = InstantServer(lambda _message_id, _at: None)
    await one.start()
    yield one
    await one.stop()


async def test_the_instant_server_asks_for_its_token(server: InstantServer) -> None:
    """As the real one does."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
            await session.ws_connect(server.url)


async def test_the_instant_server_refuses_an_unknown_agent(server: InstantServer) -> None:
    """In the words of the real one."""
    headers = {"Authorization": f"Bearer {server.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(server.url) as socket,
    ):
        await socket.send_json({"type": "runtime_start", "request_id": "1", "agent_id": "nobody"})
        answer = json.loads(await socket.receive_str())
    assert answer["success"] is False
    assert answer["error"] == "Agent nobody not found"
