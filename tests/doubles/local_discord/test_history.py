"""Reading back."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from doubles.local_discord import Message, Overwrite, permissions
from tests.support.doubles.looking import refused, text_channel
from tests.support.local_town import LocalTown


@pytest.fixture
def said(town: LocalTown) -> list[Message]:
    """A hundred and fifty messages."""
    return [town.server.say(town.bert, town.general, str(number)) for number in range(150)]


async def test_paging_reaches_everything(
    town: LocalTown, client: discord.Client, said: list[Message]
) -> None:
    """discord.py asks for pages of a hundred until there are no more."""
    got = [m.id async for m in text_channel(client, town.general).history(limit=None)]
    assert got == [message.id for message in reversed(said)]
    pages = [
        call for call in town.server.calls if call.method == "GET" and "messages" in call.path
    ]
    assert len(pages) == 2


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"before": 50}, [49, 48, 47]),
        ({"after": 50}, [51, 52, 53]),
        ({"around": 50}, [49, 50, 51]),
        ({}, [149, 148, 147]),
    ],
)
async def test_a_page_starts_where_it_is_told(
    town: LocalTown,
    client: discord.Client,
    said: list[Message],
    where: dict[str, int],
    expected: list[int],
) -> None:
    """Before and after leave out the message itself, around includes it."""
    marks: dict[str, Any] = {key: discord.Object(said[at].id) for key, at in where.items()}
    history = text_channel(client, town.general).history(limit=3, **marks)
    got = [int(m.content) async for m in history]
    assert sorted(got) == sorted(expected)


async def test_a_limit_over_a_hundred_is_refused(town: LocalTown, client: discord.Client) -> None:
    """A page has at most a hundred messages."""
    with refused(50035):
        await client.http.logs_from(town.general.id, 101)


async def test_without_the_right_history_is_empty(
    town: LocalTown, client: discord.Client, said: list[Message]
) -> None:
    """A list is empty, a single message is refused."""
    deny = Overwrite.of(town.guild.everyone, deny=permissions.READ_MESSAGE_HISTORY)
    town.server.set_overwrites(town.general, (deny,))
    channel = text_channel(client, town.general)
    assert [m async for m in channel.history()] == []
    with refused(50001, discord.Forbidden):
        await channel.fetch_message(said[0].id)


async def test_a_deleted_message_leaves_a_null_reference(
    town: LocalTown, client: discord.Client
) -> None:
    """A reply whose message is gone says so when it is read."""
    asked = town.server.say(town.bert, town.general, "what?")
    town.server.say(town.anna, town.general, "that", reply_to=asked)
    town.server.delete(asked)
    (reply,) = [m async for m in text_channel(client, town.general).history()]
    assert reply.reference is not None
    assert isinstance(reply.reference.resolved, discord.DeletedReferencedMessage)


async def test_a_nested_reference_is_not_resolved(town: LocalTown, client: discord.Client) -> None:
    """Discord resolves one step of a reply chain, not the next."""
    first = town.server.say(town.bert, town.general, "1")
    second = town.server.say(town.anna, town.general, "2", reply_to=first)
    third = town.server.say(town.bert, town.general, "3", reply_to=second)
    message = await text_channel(client, town.general).fetch_message(third.id)
    assert message.reference is not None
    inner = message.reference.resolved
    assert isinstance(inner, discord.Message)
    assert inner.reference is not None
    assert (inner.reference.message_id, inner.reference.resolved) == (first.id, None)
