"""The same nonce twice sends once."""

from __future__ import annotations

import discord

from tests.support.doubles.looking import refused, text_channel
from tests.support.local_town import LocalTown


async def test_the_same_nonce_returns_the_first_message(
    town: LocalTown, client: discord.Client
) -> None:
    """discord.py asks for it whenever a message has a nonce."""
    channel = text_channel(client, town.general)
    first = await channel.send("once", nonce="abc")
    second = await channel.send("twice", nonce="abc")
    assert (second.id, second.content) == (first.id, "once")
    assert len(town.server.messages(town.general)) == 1


async def test_different_nonces_are_different_messages(
    town: LocalTown, client: discord.Client
) -> None:
    """Only the same mark is the same message."""
    channel = text_channel(client, town.general)
    await channel.send("one", nonce="a")
    await channel.send("two", nonce="b")
    assert len(town.server.messages(town.general)) == 2


async def test_a_nonce_is_forgotten_after_some_minutes(
    town: LocalTown, client: discord.Client
) -> None:
    """Discord promises uniqueness for a few minutes only."""
    channel = text_channel(client, town.general)
    await channel.send("one", nonce="a")
    town.server.nonces.window = -1.0
    await channel.send("two", nonce="a")
    assert len(town.server.messages(town.general)) == 2


async def test_without_enforcement_a_nonce_is_only_a_mark(
    town: LocalTown, client: discord.Client
) -> None:
    """The check happens on demand."""
    for _ in range(2):
        await client.http.request(
            discord.http.Route(
                "POST", "/channels/{channel_id}/messages", channel_id=town.general.id
            ),
            json={"content": "x", "nonce": "a"},
        )
    assert len(town.server.messages(town.general)) == 2


async def test_an_overlong_nonce_is_refused(town: LocalTown, client: discord.Client) -> None:
    """A nonce has at most 25 characters."""
    await text_channel(client, town.general).send("x", nonce="n" * 25)
    with refused(50035):
        await text_channel(client, town.general).send("x", nonce="n" * 26)


async def test_history_has_no_nonces(town: LocalTown, client: discord.Client) -> None:
    """A nonce travels with the answer and the event, and is not stored."""
    sent = await text_channel(client, town.general).send("x", nonce="a")
    fetched = await text_channel(client, town.general).fetch_message(sent.id)
    assert (sent.nonce, fetched.nonce) == ("a", None)
