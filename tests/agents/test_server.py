"""The agent server in use: one of two kinds, chosen by its address."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from aurora.agents.address import parse_address
from aurora.agents.app_server import AppServer
from aurora.agents.memory import Memory
from aurora.agents.protocol import ToolLister
from aurora.agents.rest import LettaRest
from aurora.agents.sdk import SdkFolder
from aurora.agents.server import AgentServer
from aurora.clock import SystemClock
from aurora.reasons import Outcome
from doubles.quick_app_server import QuickAppServer
from tests.support.house import ROOT

_COST = """
import asyncio, sys
from pathlib import Path
import aurora.aurora
from aurora.agents.sdk import SdkFolder
from aurora.agents.server import AgentServer
from aurora.clock import SystemClock

server = AgentServer(SystemClock(), SdkFolder(Path("nowhere")), changed=lambda: None)
asyncio.run(server.configure(sys.argv[1], None, clear_ok=False))
wanted = ("aurora.agents.rest", "letta_client", "httpx", "pydantic", "anyio")
print(*(name for name in wanted if name in sys.modules))
"""


def server(tmp_path: Path, changes: list[int] | None = None) -> AgentServer:
    """Make one without an address."""
    noted = changes if changes is not None else []
    return AgentServer(SystemClock(), SdkFolder(tmp_path), changed=lambda: noted.append(1))


@pytest.mark.parametrize(
    ("url", "loaded"),
    [("ws://127.0.0.1:9", ""), ("http://127.0.0.1:9", "aurora.agents.rest")],
)
def test_nothing_of_the_rest_api_is_loaded_before_it_is_needed(url: str, loaded: str) -> None:
    """The cog costs nothing without it, and the SDK waits for the first call."""
    found = subprocess.run(  # noqa: S603 - this Python and a text of ours
        [sys.executable, "-c", _COST, url], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == loaded


async def test_the_scheme_chooses_the_backend(tmp_path: Path) -> None:
    """And an App Server's agents have a memory within reach, but no tools of their own."""
    one = server(tmp_path)
    await one.configure("ws://127.0.0.1:9", "token", clear_ok=False)
    assert isinstance(one.backend, AppServer)
    assert isinstance(one.backend, Memory)
    assert not isinstance(one.backend, ToolLister)
    await one.configure("http://127.0.0.1:9", "token", clear_ok=False)
    assert isinstance(one.backend, LettaRest)
    assert isinstance(one.backend, ToolLister)
    assert not isinstance(one.backend, Memory)
    await one.close()
    assert one.backend is None


async def test_the_same_address_and_token_change_nothing(tmp_path: Path) -> None:
    """Runs under way go on."""
    changes: list[int] = []
    one = server(tmp_path, changes)
    await one.configure("https://letta.example", "token", clear_ok=False)
    first = one.backend
    await one.configure("https://letta.example/", "token", clear_ok=True)
    assert one.backend is first
    await one.configure("https://letta.example", "other", clear_ok=False)
    assert one.backend is not first
    assert len(changes) == 2
    await one.close()


@pytest.mark.parametrize("url", ["ws://letta.example", "http://letta.example"])
async def test_a_token_is_withheld_from_an_address_that_would_leak_it(
    tmp_path: Path, url: str
) -> None:
    """Unless the owner allowed it."""
    one = server(tmp_path)
    await one.configure(url, "token", clear_ok=False)
    assert one.withheld_token
    await one.configure(url, "token", clear_ok=True)
    assert not one.withheld_token
    await one.close()


async def test_a_closed_one_connects_to_nothing_any_more(tmp_path: Path) -> None:
    """Whoever unloads the cog during a question of `lettaurl` leaves no connection behind."""
    one = server(tmp_path)
    await one.close()
    await one.configure("http://127.0.0.1:9", None, clear_ok=False)
    assert one.backend is None


async def test_a_server_is_tried_out_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    """Not even a change that the breakers would hear of."""
    changes: list[int] = []
    quick = QuickAppServer()
    await quick.start()
    one, address = server(tmp_path, changes), parse_address(quick.url)
    try:
        assert await one.try_out(address, quick.token, clear_ok=False) is None
        refused = await one.try_out(address, "another", clear_ok=False)
    finally:
        await quick.stop()
    away = await one.try_out(address, quick.token, clear_ok=False)
    assert refused is not None
    assert "refused the token" in str(refused.detail)
    assert away is not None
    assert away.outcome is Outcome.UNREACHABLE
    assert (one.backend, changes) == (None, [])


async def test_who_unloads_does_not_wait_for_a_server_that_is_tried_out(tmp_path: Path) -> None:
    """Nor leaves a socket behind (promise 10)."""
    taken: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def take(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.put_nowait(writer)

    silent = await asyncio.start_server(take, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    one = server(tmp_path)
    trial = asyncio.create_task(
        one.try_out(parse_address(f"ws://127.0.0.1:{port}"), None, clear_ok=False)
    )
    writer = await asyncio.wait_for(taken.get(), 20)
    await one.close()
    assert (await asyncio.wait_for(trial, 5)) is not None
    assert await one.try_out(parse_address(f"ws://127.0.0.1:{port}"), None, clear_ok=False)
    assert taken.empty()
    writer.close()
    silent.close()
