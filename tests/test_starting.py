"""A fast run starts nothing: what would is left out, and what does all the same fails."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest

from doubles.llm import ScriptedLLM
from doubles.local_discord import LocalDiscord
from tests.support import local_town
from tests.support.discord_port import Port
from tests.support.starting import Guard, starts_something


class Shop:
    """Something made of what can be started."""

    def __init__(self) -> None:
        self.discord = LocalDiscord()

    async def open(self) -> None:
        """Start it."""
        await self.discord.start()

    def look(self) -> str:
        """Start nothing."""
        return self.discord.url


def _run() -> None:
    subprocess.run([sys.executable], check=True)


async def _serve() -> None:
    async with await asyncio.start_server(lambda *_: None):
        pass


async def _open_shop() -> None:
    await Shop().open()


async def _start_model() -> None:
    await ScriptedLLM().start()


async def _connect() -> None:
    await Port(LocalDiscord()).connect(cast(Any, None))


def _look() -> str:
    return Shop().look()


def item(function: Callable[..., object], **fixtures: Callable[..., object]) -> pytest.Item:
    """Return what pytest makes of a test."""
    known = {name: [SimpleNamespace(func=one)] for name, one in fixtures.items()}
    made = SimpleNamespace(function=function, _fixtureinfo=SimpleNamespace(name2fixturedefs=known))
    return cast(pytest.Item, made)


@pytest.mark.parametrize("function", [_run, _serve, _open_shop, _start_model])
def test_what_a_test_starts_is_seen(function: Callable[..., object]) -> None:
    """Itself, or by way of what it calls."""
    assert starts_something(item(function))


@pytest.mark.parametrize("function", [_connect, _look])
def test_what_could_be_started_and_is_not_harms_nobody(function: Callable[..., object]) -> None:
    """A local Discord that nobody lets listen is a thing in memory."""
    assert not starts_something(item(function))


def test_what_a_fixture_starts_counts_for_its_tests() -> None:
    """Whoever asked for it."""
    assert starts_something(item(_look, town=local_town.town))


async def _listen() -> None:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))


async def _spawn() -> None:
    await asyncio.create_subprocess_exec(sys.executable, "-c", "")


@pytest.mark.parametrize(("start", "named"), [(_listen, "socket.bind"), (_spawn, "Popen")])
async def test_what_starts_all_the_same_is_stopped_and_told(
    guard: Guard, start: Callable[[], Awaitable[None]], named: str
) -> None:
    """Also where the error is swallowed on its way."""
    with pytest.raises(AssertionError, match=named), guard.watching(), suppress(RuntimeError):
        await start()
