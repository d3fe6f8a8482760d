"""The gateway: what a session hears, and how it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import discord
import orjson
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from doubles.local_discord import Overwrite, permissions
from sandbox.pointing import pointed_at
from tests.support.local_town import LocalTown


@asynccontextmanager
async def client_with(
    town: LocalTown, intents: discord.Intents, token: str | None = None
) -> AsyncIterator[discord.Client]:
    """A discord.py client with intents of its own; `client` must be in use beside it."""
    bot = discord.Client(intents=intents, guild_ready_timeout=0.01)
    running = asyncio.create_task(bot.start(token or town.server.token))
    ready = asyncio.create_task(bot.wait_until_ready())
    await asyncio.wait({running, ready}, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    try:
        if running.done():
            running.result()
        yield bot
    finally:
        await bot.close()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def pointed(town: LocalTown) -> Iterator[None]:
    """Point discord.py at the town."""
    with pointed_at(town.server):
        yield


@asynccontextmanager
async def raw_socket(town: LocalTown) -> AsyncIterator[ClientWebSocketResponse]:
    """A bare socket that has been greeted."""
    async with ClientSession() as session, session.ws_connect(town.server.gateway.url) as socket:
        assert (await socket.receive_json())["op"] == 10
        yield socket


async def test_the_guild_arrives_whole(town: LocalTown, client: discord.Client) -> None:
    """Members, roles and channels are in the cache when the client is ready."""
    guild = client.get_guild(town.guild.id)
    assert guild is not None
    assert {member.id for member in guild.members} == set(town.guild.members)
    assert {channel.id for channel in guild.channels} == set(town.guild.channels)
    assert guild.owner_id == town.anna.id
    assert guild.self_role is not None


async def test_a_dropped_socket_loses_nothing(town: LocalTown, client: discord.Client) -> None:
    """What happened meanwhile is replayed, in order and once."""
    heard: list[str] = []

    async def on_message(message: discord.Message) -> None:
        heard.append(message.content)

    client.event(on_message)
    town.server.say(town.bert, town.general, "before")
    await town.server.wait_for(lambda: heard)
    await town.server.drop_gateway()
    for number in range(5):
        town.server.say(town.bert, town.general, str(number))
    await town.server.wait_for(lambda: len(heard) >= 6)
    town.server.say(town.bert, town.general, "after")
    await town.server.wait_for(lambda: "after" in heard)
    assert heard == ["before", "0", "1", "2", "3", "4", "after"]
    assert len(town.server.gateway.sessions) == 1


async def test_asked_to_reconnect_the_bot_resumes(town: LocalTown, client: discord.Client) -> None:
    """Op 7 ends the socket, not the session."""
    resumed = asyncio.Event()

    async def on_resumed() -> None:
        resumed.set()

    client.event(on_resumed)
    await town.server.ask_reconnect()
    await asyncio.wait_for(resumed.wait(), 5)


async def test_an_unknown_session_is_not_resumed(town: LocalTown) -> None:
    """The answer is op 9: start anew."""
    async with raw_socket(town) as socket:
        resume = {"token": town.server.token, "session_id": "gone", "seq": 1}
        await socket.send_bytes(b"")  # binary frames are ignored
        await socket.send_json({"op": 6, "d": resume})
        assert await socket.receive_json() == {"op": 9, "d": False, "s": None, "t": None}


async def test_an_invalid_session_is_opened_anew(
    town: LocalTown, client: discord.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Op 9 throws the session away; the bot identifies again and hears on."""
    real = asyncio.sleep
    # discord.py waits five seconds before it identifies again.
    monkeypatch.setattr("discord.client.asyncio.sleep", lambda seconds: real(min(seconds, 0.01)))
    before = set(town.server.gateway.sessions)
    await town.server.invalidate_session()
    await town.server.wait_for(lambda: set(town.server.gateway.sessions) - before)
    said = town.server.say(town.bert, town.general, "hello")
    await town.server.wait_for(lambda: discord.utils.get(client.cached_messages, id=said.id))


async def test_a_session_that_is_still_good_is_resumed(
    town: LocalTown, client: discord.Client
) -> None:
    """Op 9 with true asks only for a new socket."""
    before = set(town.server.gateway.sessions)
    await town.server.invalidate_session(resumable=True)
    said = town.server.say(town.bert, town.general, "hello")
    await town.server.wait_for(lambda: discord.utils.get(client.cached_messages, id=said.id))
    assert set(town.server.gateway.sessions) == before


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("not json", 4002),
        ('{"op": 99}', 4003),
        ('{"op": 2, "d": {"token": "wrong", "intents": 0}}', 4004),
        ('{"op": 2, "d": {"token": "TOKEN", "intents": 0, "shard": [1, 1]}}', 4010),
    ],
)
async def test_a_wrong_frame_closes_the_socket(town: LocalTown, frame: str, code: int) -> None:
    """Each fault has its close code."""
    async with raw_socket(town) as socket:
        await socket.send_str(frame.replace("TOKEN", town.server.token))
        message = await socket.receive()
        assert message.type is WSMsgType.CLOSE
        assert socket.close_code == code


async def test_identifying_twice_closes_the_socket(town: LocalTown) -> None:
    """One socket is one session."""
    async with raw_socket(town) as socket:
        identify = {"op": 2, "d": {"token": town.server.token, "intents": 0}}
        await socket.send_json(identify)
        assert orjson.loads((await socket.receive()).data)["t"] == "READY"
        await socket.send_json(identify)
        await socket.receive()
        assert socket.close_code == 4005


@pytest.mark.usefixtures("pointed")
async def test_a_wrong_token_cannot_log_in(town: LocalTown) -> None:
    """REST refuses it with 401."""
    with pytest.raises(discord.LoginFailure):
        async with client_with(town, discord.Intents.none(), token="wrong"):
            pass


@pytest.mark.usefixtures("pointed")
async def test_a_disallowed_intent_is_refused(town: LocalTown) -> None:
    """The developer portal decides which privileged intents there are."""
    town.server.gateway.allowed_intents &= ~discord.Intents(message_content=True).value
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with client_with(town, discord.Intents.all()):
            pass


@pytest.mark.usefixtures("pointed")
async def test_without_the_content_intent_texts_are_empty(town: LocalTown) -> None:
    """Except where the bot is named, in DMs, and in its own messages."""
    intents = discord.Intents.all()
    intents.message_content = False
    async with client_with(town, intents) as bot:
        server = town.server
        dm = server.open_dm(town.bert)
        said = [
            server.say(town.bert, town.general, "secret", attachments=[("a.txt", b"a")]),
            server.say(town.bert, town.general, f"{server.bot_user.mention} open"),
            server.say(town.bert, dm, "private"),
        ]
        await server.wait_for(lambda: len(bot.cached_messages) == 3)
        texts = {m.id: (m.content, len(m.attachments)) for m in bot.cached_messages}
    assert [texts[message.id] for message in said] == [
        ("", 0),
        (f"{town.server.bot_user.mention} open", 0),
        ("private", 0),
    ]


@pytest.mark.usefixtures("pointed")
async def test_unwanted_events_do_not_come(town: LocalTown) -> None:
    """Without the intent for guild messages there are none, while DMs still come."""
    intents = discord.Intents.all()
    intents.guild_messages = False
    async with client_with(town, intents) as bot:
        town.server.say(town.bert, town.general, "guild")
        dm = town.server.say(town.bert, town.server.open_dm(town.bert), "dm")
        await town.server.wait_for(lambda: bot.cached_messages)
        assert [m.id for m in bot.cached_messages] == [dm.id]


@pytest.mark.usefixtures("pointed")
async def test_members_are_sent_on_request(town: LocalTown) -> None:
    """Without presences the list is short at first and is asked for."""
    intents = discord.Intents.all()
    intents.presences = False
    async with client_with(town, intents) as bot:
        guild = bot.get_guild(town.guild.id)
        assert guild is not None
        assert {member.id for member in guild.members} == set(town.guild.members)
        assert [m.id for m in await guild.query_members("ber")] == [town.bert.id]


async def test_a_hidden_channel_is_silent(town: LocalTown, client: discord.Client) -> None:
    """What the bot cannot see it does not hear."""
    hidden = town.server.add_channel(
        town.guild,
        "hidden",
        overwrites=(Overwrite.of(town.guild.everyone, deny=permissions.VIEW_CHANNEL),),
    )
    town.server.say(town.anna, hidden, "secret")
    open_one = town.server.say(town.anna, town.general, "open")
    await town.server.wait_for(lambda: client.cached_messages)
    assert [m.id for m in client.cached_messages] == [open_one.id]


async def test_a_guild_comes_and_goes(town: LocalTown, client: discord.Client) -> None:
    """Joining and being removed change the cache."""
    joined = town.server.add_guild("Village", owner=town.bert)
    await town.server.wait_for(lambda: client.get_guild(joined.id))
    town.server.remove_guild(joined)
    await town.server.wait_for(lambda: client.get_guild(joined.id) is None)


async def test_a_guild_has_an_outage(town: LocalTown, client: discord.Client) -> None:
    """The bot knows of it all the while, hears nothing, and gets it back as it is then."""
    town.server.gateway.withdraw(town.guild)
    guild = client.get_guild(town.guild.id)
    assert guild is not None
    await town.server.wait_for(lambda: guild.unavailable)
    missed = town.server.say(town.anna, town.general, "is anybody there?")
    town.server.gateway.bring(town.guild)
    await town.server.wait_for(lambda: not guild.unavailable)
    assert list(client.cached_messages) == []
    channel = guild.get_channel(town.general.id)
    assert isinstance(channel, discord.TextChannel)
    assert channel.last_message_id == missed.id


async def test_a_guild_may_be_absent_from_a_session(
    town: LocalTown, client: discord.Client
) -> None:
    """It is named, and comes when it is brought."""
    town.server.gateway.absent.add(town.guild.id)
    async with client_with(town, discord.Intents.all()) as late:
        guild = late.get_guild(town.guild.id)
        assert guild is not None
        assert guild.unavailable
        town.server.gateway.bring(town.guild)
        await town.server.wait_for(lambda: not guild.unavailable)
        assert guild.get_channel(town.general.id) is not None
    assert client.is_ready()


async def test_edits_and_deletions_are_told(town: LocalTown, client: discord.Client) -> None:
    """A person's change reaches the bot."""
    seen: list[tuple[str, int]] = []

    async def on_raw_message_edit(event: discord.RawMessageUpdateEvent) -> None:
        seen.append(("edit", event.message_id))

    async def on_raw_message_delete(event: discord.RawMessageDeleteEvent) -> None:
        seen.append(("delete", event.message_id))

    async def on_raw_bulk_message_delete(event: discord.RawBulkMessageDeleteEvent) -> None:
        seen.append(("bulk", len(event.message_ids)))

    for handler in (on_raw_message_edit, on_raw_message_delete, on_raw_bulk_message_delete):
        client.event(handler)
    one, two, three = (town.server.say(town.bert, town.general, word) for word in "abc")
    town.server.edit(one, "changed")
    town.server.delete(one)
    town.server.bulk_delete(town.general, [two, three])
    await town.server.wait_for(lambda: len(seen) == 3)
    assert seen == [("edit", one.id), ("delete", one.id), ("bulk", 2)]


async def test_presence_and_voice_frames_are_accepted(
    town: LocalTown, client: discord.Client
) -> None:
    """They have no effect here, and break nothing."""
    await client.change_presence(activity=discord.Game("chess"))
    said = town.server.say(town.bert, town.general, "hello")
    await town.server.wait_for(lambda: discord.utils.get(client.cached_messages, id=said.id))
