"""Searching a guild's messages: what Discord finds, and what it refuses."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from discord.http import Route

from doubles.local_discord import Overwrite, permissions
from tests.support.doubles.looking import refused
from tests.support.local_town import LocalTown


async def search(town: LocalTown, client: discord.Client, *wanted: tuple[str, str]) -> Any:
    route = Route("GET", "/guilds/{guild_id}/messages/search", guild_id=town.guild.id)
    return await client.http.request(route, params=wanted)


def contents(answer: Any) -> list[str]:
    return [hit["content"] for (hit,) in answer["messages"]]


async def test_whole_words_are_found_newest_first(town: LocalTown, client: discord.Client) -> None:
    """Without regard to case; the total counts what is on other pages."""
    for text in ("Tea at five", "teapot", "more TEA"):
        town.server.say(town.bert, town.general, text)
    answer = await search(town, client, ("content", "tea"), ("limit", "1"))
    assert (contents(answer), answer["total_results"]) == (["more TEA"], 2)
    answer = await search(town, client, ("content", "tea"), ("offset", "1"))
    assert contents(answer) == ["Tea at five"]


async def test_filters_take_several_values(town: LocalTown, client: discord.Client) -> None:
    """A name that stands twice means either."""
    other, third = (town.server.add_channel(town.guild, name) for name in ("other", "third"))
    for place in (town.general, other, third):
        town.server.say(town.bert, place, f"tea in {place.name}")
    ids = [("channel_id", str(one.id)) for one in (town.general, other)]
    assert len(contents(await search(town, client, *ids))) == 2
    nobody = ("author_id", str(town.server.bot_user.id))
    assert contents(await search(town, client, *ids, nobody)) == []


async def test_what_the_bot_may_not_read_is_not_found(
    town: LocalTown, client: discord.Client
) -> None:
    """Nor what is age-restricted, unless it is asked for."""
    deny = Overwrite.of(town.server.bot_user, deny=permissions.READ_MESSAGE_HISTORY)
    closed = town.server.add_channel(town.guild, "closed", overwrites=(deny,))
    adults = town.server.add_channel(town.guild, "adults")
    adults.nsfw = True
    for place in (closed, adults):
        town.server.say(town.bert, place, "tea")
    assert contents(await search(town, client, ("content", "tea"))) == []
    found = await search(town, client, ("content", "tea"), ("include_nsfw", "true"))
    assert contents(found) == ["tea"]


async def test_a_thread_is_told_with_what_stands_in_it(
    town: LocalTown, client: discord.Client
) -> None:
    """Archived ones are in no cache of the bot's."""
    thread = town.server.start_thread(town.general, "talk", owner=town.bert)
    town.server.say(town.bert, thread, "tea")
    town.server.archive(thread)
    answer = await search(town, client, ("content", "tea"))
    assert [one["id"] for one in answer["threads"]] == [str(thread.id)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content", "x" * 1025),
        ("limit", "26"),
        ("limit", "0"),
        ("offset", "9976"),
        ("min_id", "x"),
    ],
)
async def test_what_is_out_of_bounds_is_refused(
    town: LocalTown, client: discord.Client, name: str, value: str
) -> None:
    """As Discord's documentation names them."""
    with refused(50035):
        await search(town, client, (name, value))


async def test_too_many_channels_are_refused(town: LocalTown, client: discord.Client) -> None:
    """Five hundred are the most."""
    with refused(50035):
        await search(town, client, *[("channel_id", str(one)) for one in range(1, 502)])


async def test_without_an_index_there_are_no_results(
    town: LocalTown, client: discord.Client
) -> None:
    """It is no error: a 202 that says when to come again."""
    town.server.faults.unindexed(retry_after=2)
    answer = await search(town, client, ("content", "tea"))
    assert (answer["code"], answer["retry_after"]) == (110000, 2)
    assert "messages" not in answer
