"""The real `redbot`, as a process of its own, and a repository for its Downloader."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from doubles.local_discord import LocalDiscord, Message
from sandbox.red import environment
from tests.support.house import ROOT

_LOG_CHARS = 3000


class Binary:
    """A Red instance that is started and stopped as an admin does it."""

    def __init__(self, discord: LocalDiscord, home: Path, **variables: str) -> None:
        self.discord = discord
        self.guild = discord.add_guild("Town", owner=discord.owner)
        self.general = discord.add_channel(self.guild, "general")
        self.data = home / "instance"
        self._home = home
        self._env = environment(discord, home) | variables

    @property
    def mention(self) -> str:
        """Write the bot's mention."""
        return self.discord.bot_user.mention

    @property
    def log(self) -> str:
        """Give all that Red has printed."""
        return (self._home / "red.log").read_text(encoding="utf-8", errors="replace")

    async def set_up(self) -> None:
        """Create the instance with `redbot-setup`."""
        options = ["--instance-name", "local", "--data-path", str(self.data), "--backend", "json"]
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
        except Exception as error:
            error.add_note(f"Red's last words:\n{self.log[-_LOG_CHARS:]}")
            raise
        finally:
            if red.returncode is None:
                red.kill()
                await red.wait()

    async def say(self, text: str, *, until: str) -> str:
        """Write as the owner and wait for a message of the bot's with these words in it."""
        return (await self.heard(text, until)).content

    async def heard(self, text: str, *words: str) -> Message:
        """Write as the owner and wait for a message of the bot's with any of these words in it."""
        return await self.next(self.write(text), *words)

    def write(self, text: str) -> Message:
        """Write as the owner."""
        return self.discord.say(self.discord.owner, self.general, text)

    async def next(self, after: Message, *words: str) -> Message:
        """Wait for a message of the bot's that came after another, with any of these words."""

        def found() -> Message | None:
            later = [one for one in self.said() if one.id > after.id]
            return next((one for one in later if any(w in one.content for w in words)), None)

        try:
            return await self.discord.wait_for(found, timeout=45)
        except TimeoutError as error:
            heard = [one.content for one in self.said() if one.id > after.id]
            error.add_note(f"Nothing of {words} after {after.content!r}, but {heard}")
            raise

    def said(self) -> list[Message]:
        """Return what the bot has written."""
        bot = self.discord.bot_user.id
        return [one for one in self.general.messages if one.author.id == bot]

    def press(self, message: Message, label: str) -> None:
        """Press the button of this name under a message, as the owner."""
        buttons = [one for one in _items(message.components) if one.get("label") == label]
        assert buttons, f"{message.content!r} has no button {label!r}: {message.components}"
        self.discord.press(self.discord.owner, message, buttons[0]["custom_id"])

    async def install(self, repository: Path) -> None:
        """Take the cog from a repository as a user does, from `repo add` on."""
        await self.say("!load downloader", until="Loaded")
        await self.say(f"!repo add local file://{repository}", until="I agree")
        await self.say("I agree", until="successfully added")
        said = await self.say("!cog install local aurora", until="Successfully installed")
        assert "aurora" in said

    async def _start(self, name: str, *arguments: str) -> asyncio.subprocess.Process:
        with (self._home / "red.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                str(Path(sys.executable).with_name(name)),
                *arguments,
                cwd=self._home,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


@asynccontextmanager
async def new_binary(home: Path, **variables: str) -> AsyncIterator[Binary]:
    """Make an instance that has never run, with variables added to its environment."""
    discord = LocalDiscord()
    await discord.start()
    try:
        red = Binary(discord, home, **variables)
        await red.set_up()
        yield red
    finally:
        await discord.stop()
    assert discord.unknown_routes == []


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


def _items(components: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in components:
        yield item
        yield from _items(item.get("components") or ())
