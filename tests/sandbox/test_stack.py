"""The whole sandbox: what it brings up works, and nothing of it stays behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest
import pytest_asyncio

from doubles.local_discord import LocalDiscord, Message, User
from sandbox.page import listen
from sandbox.stack import Stack, StackError
from tests.support.house import ROOT

LIMIT = 20.0

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[Stack]:
    async with Stack({}) as running:
        yield running


async def answer(discord: LocalDiscord, asked: Message) -> Message:
    """Wait for the bot's reply to a message."""

    def found() -> Message | None:
        said = discord.messages(asked.channel)
        replies = [one for one in said if one.referenced is asked]
        return next((one for one in replies if one.author is discord.bot_user), None)

    return await discord.wait_for(found, LIMIT)


def names_in(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


def local(stack: Stack) -> LocalDiscord:
    assert stack.discord is not None
    return stack.discord


async def test_a_mention_is_answered(stack: Stack) -> None:
    """The agent behind everything answers in the channel where it was asked."""
    discord, places = local(stack), stack.places
    assert places is not None
    asked = discord.say(places.bo, places.general, f"{discord.bot_user.mention} hello")
    assert (await answer(discord, asked)).content


async def test_the_second_guild_is_enabled_too(stack: Stack) -> None:
    """A mention on the other server is answered there."""
    discord, places = local(stack), stack.places
    assert places is not None
    asked = discord.say(places.bo, places.bench, f"{discord.bot_user.mention} hello")
    assert (await answer(discord, asked)).channel is places.bench


async def test_direct_messages_have_an_agent_of_their_own(stack: Stack) -> None:
    """A DM is answered, by another agent than the guild's."""
    discord, places = local(stack), stack.places
    assert places is not None
    asked = discord.say(places.cleo, discord.open_dm(places.cleo), "hello")
    assert (await answer(discord, asked)).content
    assert stack.dm_agent != stack.guild_agent


async def test_what_is_said_on_the_page_reaches_the_bot(stack: Stack) -> None:
    """A mention sent through the page's API is answered, and the page hears its life."""
    discord, places, page = local(stack), stack.places, stack.page
    assert places is not None
    assert page is not None
    body = {
        "as": str(places.dov.id),
        "channel": str(places.dev.id),
        "content": f"{discord.bot_user.mention} hello from the page",
    }
    origin = {"Origin": page.url.rstrip("/")}
    async with (
        aiohttp.ClientSession(headers=origin) as client,
        client.post(f"{page.url}api/say", json=body) as response,
    ):
        message_id = (await response.json())["message"]
    await answer(discord, discord.world.messages[int(message_id)])

    def steps() -> list[str]:
        changes = page.picture()["changes"]
        return [one["step"] for one in changes if one["message_id"] == message_id]

    await discord.wait_for(lambda: "answered" in steps(), LIMIT)
    assert steps() == ["queued", "running", "tool", "answered"]


async def test_the_world_has_somebody_without_a_global_name(stack: Stack) -> None:
    """People without a global name are common, so one of the four is."""
    assert stack.places is not None
    names: list[User] = [one for one in stack.places.people if one.global_name is None]
    assert [one.name for one in names] == ["cleo"]


async def test_it_all_worked_without_unknown_routes(stack: Stack) -> None:
    """Whatever Red and Aurora asked of the local Discord, it knew."""
    assert local(stack).unknown_routes == []


async def test_a_mention_in_a_forum_post_is_answered(stack: Stack) -> None:
    """A post is a thread of its own, and the answer comes in it."""
    discord, places = local(stack), stack.places
    assert places is not None
    asked = discord.say(places.dov, places.post, f"{discord.bot_user.mention} hello")
    assert (await answer(discord, asked)).channel is places.post


async def test_half_a_provider_is_refused_by_name() -> None:
    """A missing provider variable is named before anything starts."""
    with pytest.raises(StackError, match="AURORA_LLM_BASE_URL"):
        await Stack({"AURORA_LLM_MODEL": "some-model"}).start()


async def test_a_taken_port_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A port in use is refused at once, with the way out."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with listen(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=rf"Port {port} .*--port"):
            await Stack({}, page_port=port).start()
    assert names_in(tmp_path) == []


def _in_empty_process(stack: str, **env: str) -> list[str]:
    code = (
        "import asyncio, sys\n"
        "from sandbox.stack import Stack, StackError\n"
        f"{stack}\n"
        "try:\n    asyncio.run(Stack({}, page_port=None).start())\n"
        "except StackError as error:\n    print(error); sys.exit(3)\n"
    )
    return ["env", *(f"{key}={value}" for key, value in env.items()), sys.executable, "-c", code]


@pytest.mark.parametrize(
    ("trouble", "named"),
    [
        ("sys.executable = '/nowhere/python'", "pip install letta"),
        ("import os; os.environ['PATH'] = '/nowhere'", "git is not installed"),
    ],
    ids=["no letta", "no git"],
)
async def test_a_missing_part_is_named_and_nothing_stays(
    trouble: str, named: str, tmp_path: Path
) -> None:
    """Without the wheel or git the start ends with one sentence, and the folder is gone."""
    command = _in_empty_process(trouble, TMPDIR=str(tmp_path))
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, b"Traceback" in err) == (3, False)
    assert named in out.decode()
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
async def test_run_ends_in_good_order(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C or SIGTERM ends `run` with 0: no server, no folder and no complaint are left."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox", "run", "--port", "0"),
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(60):
            while b"Open" not in await process.stdout.readline():
                pass
            servers = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(number)
            process.send_signal(number)
            await process.wait()
            complaints = await process.stderr.read()
    finally:
        if process.returncode is None:
            process.kill()
    assert (process.returncode, complaints) == (0, b"")
    assert servers
    assert not [one for one in servers if one.is_running()]
    assert names_in(tmp_path) == []
