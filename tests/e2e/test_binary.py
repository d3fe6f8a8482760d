"""The real `redbot`, as a process of its own, set up by commands alone."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sandbox.letta import AppServer
from sandbox.llm import ScriptedLLM
from sandbox.local_discord import LocalDiscord, Message
from sandbox.red import environment

from .conftest import ROOT


class Binary:
    """A Red instance that is started and stopped as an admin does it."""

    def __init__(self, discord: LocalDiscord, home: Path) -> None:
        self.discord = discord
        self.guild = discord.add_guild("Town", owner=discord.owner)
        self.general = discord.add_channel(self.guild, "general")
        self._home = home
        self._env = environment(discord, home)

    async def set_up(self) -> None:
        """Create the instance with `redbot-setup`."""
        data = self._home / "instance"
        options = ["--instance-name", "local", "--data-path", str(data), "--backend", "json"]
        setup = await self._start("redbot-setup", "--no-prompt", *options)
        assert await asyncio.wait_for(setup.wait(), 30) == 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run `redbot` and end it with SIGTERM; it must exit 0."""
        red = await self._start("redbot", "local", "--no-prompt", "--prefix", "!")
        try:
            await self.discord.wait_for(lambda: self.discord.gateway.connected, timeout=30)
            yield
            red.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(red.wait(), 15) == 0
        finally:
            if red.returncode is None:
                red.kill()
                await red.wait()

    async def say(self, text: str, *, until: str) -> str:
        """Write as the owner and wait for a message of the bot's with these words in it."""
        asked = self.discord.say(self.discord.owner, self.general, text)

        def answer() -> Message | None:
            later = [one for one in self.general.messages if one.id > asked.id]
            return next((one for one in later if until in one.content), None)

        return (await self.discord.wait_for(answer, timeout=30)).content

    async def _start(self, name: str, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name(name)),
            *arguments,
            cwd=self._home,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@pytest.fixture
async def binary(tmp_path: Path) -> AsyncIterator[Binary]:
    """An instance that has never run."""
    discord = LocalDiscord()
    await discord.start()
    try:
        red = Binary(discord, tmp_path)
        await red.set_up()
        yield red
    finally:
        await discord.stop()
    assert discord.unknown_routes == []


async def test_the_real_binary_answers_ends_cleanly_and_answers_again(
    binary: Binary, app_server: AppServer
) -> None:
    """Everything that was set by commands is there after the restart."""
    llm = ScriptedLLM()
    await llm.start()
    try:
        await app_server.use_provider(llm.url, llm.key, llm.model)
        agent_id = await app_server.create_agent("binary's agent")
        mention = binary.discord.bot_user.mention
        async with binary.running():
            await binary.say(f"!addpath {ROOT}", until="added")
            await binary.say("!load aurora", until="Loaded")
            await binary.say(f"!set api letta token,{app_server.token}", until="letta")
            await binary.say(f"!aurora lettaurl {app_server.url}", until="answers")
            await binary.say(f"!aurora enable {agent_id}", until="binary's agent")
            await binary.say(f"{mention} [[send:first]]", until="first")
        async with binary.running():
            await binary.say(f"{mention} [[send:second]]", until="second")
    finally:
        await llm.stop()


def publish(folder: Path) -> Path:
    """Make a repository of this working tree, with what is not committed yet."""
    git = shutil.which("git")
    assert git is not None
    # Git's own variables, set while a hook or another git runs, would lead it elsewhere.
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    who = ["-c", "user.name=Aurora", "-c", "user.email=aurora@example.invalid"]

    def run(where: Path, *arguments: str) -> str:
        command = [git, "-C", str(where), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout  # noqa: S603 - a fixed program, our arguments

    names = run(ROOT, "ls-files", "-z", "-co", "--exclude-standard").split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    run(folder, "init", "--quiet")
    run(folder, "add", "--all")
    run(folder, *who, "commit", "--quiet", "--message", "As it is")
    return folder


async def test_downloader_installs_the_cog_from_a_repository(
    binary: Binary, tmp_path: Path
) -> None:
    """As a user does it, from `repo add` to `load`; nothing but the cog's folder is taken."""
    repository = publish(tmp_path / "repository")
    async with binary.running():
        await binary.say("!load downloader", until="Loaded")
        await binary.say(f"!repo add local file://{repository}", until="I agree")
        await binary.say("I agree", until="successfully added")
        said = await binary.say("!cog install local aurora", until="Successfully installed")
        assert "aurora" in said
        await binary.say("!load aurora", until="Loaded")
        await binary.say("!aurora enable agent-1", until="!aurora lettaurl <url>")
    installed = tmp_path / "instance" / "cogs" / "CogManager" / "cogs" / "aurora"
    assert (installed / "info.json").is_file()
    assert not list(installed.rglob("test_*.py"))
