"""The life of a real App Server: its start, its token, its end, and why it did not start."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import aiohttp
import pytest

from sandbox.letta import AppServer, AppServerError
from tests.support.agents.servers import NOWHERE
from tests.support.house import ROOT


def start_server(home: Path, **options: Any) -> AppServer:
    """Start a server outside of any test's event loop."""
    provider = {"llm_url": NOWHERE, "llm_key": "none", "model": "scripted"}
    return asyncio.run(AppServer.start(home, **{**provider, **options}))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """Run one server for all tests here; it belongs to no event loop."""
    running = start_server(tmp_path_factory.mktemp("letta") / "home")
    yield running
    asyncio.run(running.stop())


@pytest.fixture(scope="module")
def agent_id(server: AppServer) -> str:
    """Create the agent that is looked for here."""
    return asyncio.run(server.create_agent("bot", model="scripted"))


async def test_an_agent_is_found_by_its_name(server: AppServer, agent_id: str) -> None:
    """A prepared HOME is used again by asking for the agent in it."""
    assert await server.find_agent("bot") == agent_id
    assert await server.find_agent("nobody") is None


async def test_a_refused_request_says_why(server: AppServer) -> None:
    """The server's own words reach the caller."""
    with pytest.raises(AppServerError, match=r"refused agent_retrieve: .*not found"):
        await server.request("agent_retrieve", agent_id="agent-local-nobody")


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}])
async def test_a_wrong_token_is_refused(server: AppServer, header: dict[str, str]) -> None:
    """Without the token there is no socket."""
    async with aiohttp.ClientSession(headers=header) as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await session.ws_connect(server.url)
    assert refusal.value.status == 401


async def test_the_right_token_opens_the_socket(server: AppServer) -> None:
    """With the token the server says who it is."""
    info = await server.request("app_server_info")
    assert info["backend"] == "local"


def test_the_token_is_readable_by_the_owner_alone(server: AppServer) -> None:
    """Whoever has the token owns the account, so the file is 0600."""
    (token_file,) = server.home.glob("*.token")
    assert token_file.read_text() == server.token
    assert token_file.stat().st_mode & 0o777 == 0o600


def test_the_server_inherits_no_environment(server: AppServer) -> None:
    """No variable of this account reaches agents, nor their provider's key."""
    environment = Path(f"/proc/{server.pid}/environ").read_bytes().split(b"\0")
    names = {entry.split(b"=")[0].decode() for entry in environment if entry}
    ours = {"HOME", "PATH", "LANG", "GIT_CONFIG_NOSYSTEM", "LETTA_CODE_TELEM", "DO_NOT_TRACK"}
    assert names - {"LETTA_CODE_DISTRIBUTION", "LC_CTYPE"} == ours


@pytest.mark.parametrize("way", ["stop", "kill"])
async def test_a_restart_keeps_agent_port_and_token(
    server: AppServer, agent_id: str, way: str
) -> None:
    """After a clean stop and after a crash the same server is back."""
    before = (server.url, server.token)
    await getattr(server, way)()
    await server.restart()
    assert (server.url, server.token) == before
    assert await server.find_agent("bot") == agent_id


async def test_stopping_leaves_no_process(server: AppServer) -> None:
    """The server's process group is empty afterwards, and stopping again does nothing."""
    pid = server.pid
    assert pid is not None
    await server.stop()
    await server.stop()
    assert server.pid is None
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)
    await server.restart()


async def test_a_stopped_server_is_named_in_the_error(server: AppServer) -> None:
    """A request to nobody says where nobody listened."""
    await server.stop()
    with pytest.raises(AppServerError, match=f"No App Server at {server.url}"):
        await server.find_agent("bot")
    await server.restart()


ORPHAN = """
import asyncio, sys, time
from pathlib import Path
from sandbox.letta import AppServer
start = AppServer.start(Path(sys.argv[1]), llm_url="http://127.0.0.1:9/v1", llm_key="k", model="m")
print(asyncio.run(start).pid, flush=True)
time.sleep(60)
"""
PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture
def _adopting() -> Iterator[None]:
    """Adopt orphans, as the service manager of a desktop session does."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0)


@pytest.mark.usefixtures("_adopting")
def test_the_server_dies_with_a_killed_parent(tmp_path: Path) -> None:
    """No server survives us, even where orphans do not go to process 1."""
    script = [sys.executable, "-c", ORPHAN, str(tmp_path / "home")]
    with subprocess.Popen(script, cwd=ROOT, stdout=subprocess.PIPE) as parent:  # noqa: S603
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    try:
        assert _ended(orphan, within=3)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(orphan, signal.SIGKILL)


def _ended(pid: int, within: float) -> bool:
    """Reap an adopted process, or give up."""
    deadline = monotonic() + within
    while monotonic() < deadline:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return True
        sleep(0.02)
    return False


def _program(tmp_path: Path, script: str) -> Path:
    path = tmp_path / "letta"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_server_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    """The error carries the exit code and the last lines of output."""
    program = _program(tmp_path, "echo the disk is full; exit 3")
    with pytest.raises(AppServerError, match=r"code 3.\n(.*\n)*.*the disk is full"):
        start_server(tmp_path / "home", program=program)


def test_a_server_that_never_listens_is_given_up(tmp_path: Path) -> None:
    """The wait has an end, and nothing is left of the server."""
    program = _program(tmp_path, "echo $$ > pid; exec sleep 30")
    with pytest.raises(AppServerError, match="was not ready"):
        start_server(tmp_path / "home", program=program, start_seconds=0.3)
    with pytest.raises(ProcessLookupError):
        os.killpg(int((tmp_path / "home" / "pid").read_text()), 0)


def test_a_missing_wheel_says_what_to_install(tmp_path: Path) -> None:
    """Without the wheel the error names the command that helps."""
    with pytest.raises(AppServerError, match="pip install letta=="):
        start_server(tmp_path / "home", program=tmp_path / "letta")


def test_missing_git_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git no agent could be made, so nothing is started."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AppServerError, match="git is not installed"):
        start_server(tmp_path / "home")
