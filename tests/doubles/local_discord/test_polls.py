"""Polls, thread names and files: what Discord makes of what a bot gives, and what it refuses."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import discord
import pytest

from tests.support.doubles.looking import partial, refused, text_channel
from tests.support.local_town import LocalTown


def a_poll(question: str = "Tea?", *, hours: float = 24, answers: int = 2) -> discord.Poll:
    poll = discord.Poll(question, timedelta(hours=hours))
    for number in range(answers):
        poll.add_answer(text=f"answer {number}")
    return poll


async def test_a_poll_is_kept_as_a_message_carries_it(
    town: LocalTown, client: discord.Client
) -> None:
    """With numbered answers and the time at which it ends."""
    sent = await text_channel(client, town.general).send(poll=a_poll())
    (message,) = town.server.messages(town.general)
    assert message.poll is not None
    assert message.poll["question"] == {"text": "Tea?"}
    read = await text_channel(client, town.general).fetch_message(sent.id)
    assert read.poll is not None
    assert [one.text for one in read.poll.answers] == ["answer 0", "answer 1"]
    assert read.poll.expires_at is not None


@pytest.mark.parametrize(
    "poll",
    [
        a_poll("x" * 301),
        a_poll(" "),
        a_poll(answers=0),
        a_poll(answers=11),
        a_poll(hours=0),
        a_poll(hours=769),
        a_poll(hours=1.5),
        a_poll().add_answer(text="x" * 56),
    ],
    ids=["question", "blank", "none", "eleven", "no time", "too long", "half hours", "answer"],
)
async def test_a_poll_out_of_bounds_is_refused(
    town: LocalTown, client: discord.Client, poll: discord.Poll
) -> None:
    """By the same limits."""
    with refused(50035):
        await text_channel(client, town.general).send(poll=poll)
    assert town.server.messages(town.general) == []


async def test_a_poll_is_not_edited(town: LocalTown, client: discord.Client) -> None:
    """Nor is its text."""
    sent = await text_channel(client, town.general).send(poll=a_poll())
    with refused(520003, discord.Forbidden):
        await sent.edit(content="else")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../x y.txt", "x_y.txt"),
        ("__init__.py", "init__.py"),
        (".env", "env"),
        ("été.md", "_t_.md"),
        ("a\\b.txt", "b.txt"),
    ],
)
async def test_a_file_gets_a_plain_name(
    town: LocalTown, client: discord.Client, given: str, kept: str
) -> None:
    """Discord keeps no path, and few marks."""
    file = discord.File(io.BytesIO(b"x"), filename=given)
    sent = await text_channel(client, town.general).send(file=file)
    assert sent.attachments[0].filename == kept.lstrip("_")


async def test_a_threads_name_is_short_and_says_something(
    town: LocalTown, client: discord.Client
) -> None:
    """Blanks alone are none."""
    kind: Any = discord.ChannelType.public_thread
    for name in ("", "   ", "x" * 101):
        with refused(50035):
            await text_channel(client, town.general).create_thread(name=name, type=kind)


async def test_no_thread_starts_from_a_note_of_discords(
    town: LocalTown, client: discord.Client
) -> None:
    """Such as the one that tells of a thread."""
    town.server.start_thread(town.general, "talk", owner=town.bert)
    (note,) = town.server.messages(town.general)
    with refused(50021, discord.Forbidden):
        await partial(client, note).create_thread(name="again")


async def test_a_guild_has_a_thousand_active_threads_at_most(
    town: LocalTown, client: discord.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two here."""
    monkeypatch.setattr("doubles.local_discord.rest.threads._MOST_ACTIVE", 2)
    kind: Any = discord.ChannelType.public_thread
    for name in ("one", "two"):
        await text_channel(client, town.general).create_thread(name=name, type=kind)
    with refused(160006):
        await text_channel(client, town.general).create_thread(name="three", type=kind)
