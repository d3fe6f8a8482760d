"""In each of its languages Aurora says nothing in English, to members or to admins."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from doubles.local_discord import Message
from sandbox.languages import (
    COMMANDS,
    Interpreter,
    english_in,
    languages,
    texts_of,
)
from sandbox.servers import Backend
from sandbox.stack import Stack
from sandbox.transcript import Transcript

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[Stack]:
    """One sandbox for all languages."""
    async with Stack({}, backend=Backend.REST, page_port=None) as running:
        yield running


async def refused(stack: Stack) -> Message:
    """Let somebody ask while the model's provider refuses, and return what they read."""
    assert stack.discord is not None
    assert stack.places is not None
    discord, places = stack.discord, stack.places
    asked = discord.say(places.bo, places.dev, f"{discord.bot_user.mention} [[err:401]]")

    def notice() -> Message | None:
        return next((one for one in discord.messages(places.dev) if one.referenced is asked), None)

    found: Message = await discord.wait_for(notice, 20.0)
    return found


@pytest.mark.parametrize("language", languages())
async def test_nothing_is_left_in_english(stack: Stack, language: str) -> None:
    """Neither what an admin's commands say, nor what a member is told."""
    assert stack.discord is not None
    assert stack.places is not None
    transcript = Transcript(stack.discord, io.StringIO())
    interpreter = Interpreter(stack.discord, stack.places, transcript, language)
    await interpreter.begin()
    notice = await refused(stack)
    assert interpreter.left([notice]) == []
    assert "I am not set up" not in notice.content
    assert await interpreter.end() == []


async def test_english_is_seen_where_it_is_left(stack: Stack) -> None:
    """Or the test above could not fail: in English the same commands say a great deal of it."""
    assert stack.discord is not None
    assert stack.places is not None
    transcript = Transcript(stack.discord, io.StringIO())
    english = Interpreter(stack.discord, stack.places, transcript, "en-US")
    await english.begin()
    after = max(stack.discord.world.messages)
    for command in COMMANDS:
        await english._order(stack.places.setup, f"!aurora {command}")
    said = english._said_since(after)
    german = Interpreter(stack.discord, stack.places, transcript, "de-DE")
    assert len(german.left(said)) > len(COMMANDS)


async def test_a_placeholder_stands_for_anything() -> None:
    """And what the embed says counts as well."""
    text = "Discord refused it (503)."
    assert english_in(text, "de-DE") == ["Discord refused it ({status})."]
    embed: dict[str, Any] = {"title": "a", "fields": [{"name": "b", "value": "c"}]}
    message: Any = SimpleNamespace(content="d", embeds=[embed])
    assert list(texts_of(message)) == ["d", "a", "", "b\nc"]
