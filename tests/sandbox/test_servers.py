"""The Letta servers to choose from, and the SDK that one of them needs."""

from __future__ import annotations

import asyncio
import fcntl
import sys
from pathlib import Path

import pytest

from aurora.installing import FolderState
from doubles.llm import Provider
from sandbox.__main__ import main
from sandbox.servers import (
    Backend,
    RestServer,
    lend_sdk,
    shared_sdk,
    start_server,
)
from sandbox.stack import Stack, StackError
from tests.support.agents.servers import NOWHERE
from tests.support.house import ROOT

NO_MODEL = Provider(NOWHERE, "none", "scripted")


@pytest.fixture
def no_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep pip from every registry."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))


async def answered(stack: Stack) -> None:
    """Ask in the second guild and wait for the reply."""
    discord, places = stack.discord, stack.places
    assert discord is not None
    assert places is not None
    asked = discord.say(places.bo, places.bench, f"{discord.bot_user.mention} hello")
    await discord.wait_for(
        lambda: any(one.referenced is asked for one in discord.messages(asked.channel)), 20
    )


async def test_the_double_is_used_like_a_server(tmp_path: Path) -> None:
    """Address, token, and agents that are found by their name."""
    server = await start_server(Backend.REST, tmp_path, NO_MODEL)
    try:
        agent_id = await server.create_agent("somebody")
        assert await server.find_agent("somebody") == agent_id
        assert await server.find_agent("nobody") is None
        assert server.url.startswith("http://127.0.0.1:")
        assert server.token
        assert isinstance(server, RestServer)
    finally:
        await server.stop()


async def test_the_sdk_is_installed_once() -> None:
    """The second time nothing is asked of pip."""
    first = await shared_sdk()
    changed = first.place.stat().st_mtime_ns
    second = await shared_sdk()
    assert (second.state(), second.place) == (FolderState.READY, first.place)
    assert second.place.stat().st_mtime_ns == changed


@pytest.mark.usefixtures("no_registry")
async def test_what_another_process_is_installing_is_waited_for(tmp_path: Path) -> None:
    """Two that fill one folder at the same time would tread on each other's files."""
    installed, folder = await shared_sdk(), tmp_path / "sdk"
    with (tmp_path / "sdk.lock").open("w") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        waiting = asyncio.create_task(shared_sdk(folder))
        await asyncio.wait([waiting], timeout=0.2)
        assert not waiting.done()
        folder.symlink_to(installed.place.parent, target_is_directory=True)
    assert (await waiting).state() is FolderState.READY


@pytest.mark.usefixtures("no_registry")
async def test_without_a_registry_one_line_says_what_to_do(tmp_path: Path) -> None:
    """Pip's reason, and the command for later."""
    with pytest.raises(RuntimeError, match="No matching distribution") as caught:
        await shared_sdk(tmp_path / "sdk")
    assert "\n" not in str(caught.value)
    assert "-m pip install" in str(caught.value)
    assert str(tmp_path / "sdk") in str(caught.value)


@pytest.mark.usefixtures("no_registry")
async def test_a_stack_without_the_sdk_does_not_start(tmp_path: Path) -> None:
    """It says so before anything else is up."""
    data, sdk = tmp_path / "data", tmp_path / "sdk"
    with pytest.raises(StackError, match="SDK can't be installed"):
        await Stack({}, backend=Backend.REST, data=data, sdk=sdk, page_port=None).start()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Nothing was tried with pip, so there is only one line to begin with."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RuntimeError, match="can't be written"):
        await shared_sdk(tmp_path / "file" / "sdk")


async def test_the_sdk_is_lent_again_where_it_was_before(tmp_path: Path) -> None:
    """A kept instance may remember a folder that is gone since."""
    for name in ("old", "new"):
        lend_sdk(tmp_path / "red", tmp_path / name)
    (tmp_path / "new" / "here").mkdir(parents=True)
    assert (tmp_path / "red" / "cogs" / "Aurora" / "sdk" / "here").is_dir()


async def test_a_folder_of_auroras_own_is_left_alone(tmp_path: Path) -> None:
    """What the bot's owner had installed is theirs."""
    own = tmp_path / "red" / "cogs" / "Aurora" / "sdk"
    own.mkdir(parents=True)
    lend_sdk(tmp_path / "red", tmp_path / "shared")
    assert not own.is_symlink()


async def test_a_kept_folder_works_with_the_next_double(rest_data: Path) -> None:
    """The double forgets its agents; the settings that name them are set anew."""
    agents = []
    for _ in range(2):
        async with Stack({}, backend=Backend.REST, data=rest_data, page_port=None) as stack:
            agents.append(stack.guild_agent)
            await answered(stack)
    assert agents[0] != agents[1]


async def test_the_demo_plays_over_rest() -> None:
    """The same conversation with the same end, from the command line."""
    command = [sys.executable, "-m", "sandbox", "demo", "--backend", "rest"]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, err) == (0, b"")
    assert b"double of the Letta REST API" in out
    assert b"7 messages, 7 answers, one each" in out


def test_an_unknown_backend_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """And the known ones are named."""
    with pytest.raises(SystemExit, match="2"):
        main(["run", "--backend", "carrier-pigeon"])
    said = capsys.readouterr().err
    assert "app-server" in said
    assert "rest" in said
