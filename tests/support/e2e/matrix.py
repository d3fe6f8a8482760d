"""One Red's life with Aurora, as its owner leads it: install, set up, ask, restart, ask again."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from doubles.letta_rest import LettaRest
from doubles.llm import ScriptedLLM
from doubles.local_discord import Message
from sandbox.letta import AppServer
from tests.support.e2e.binary import Binary, new_binary, publish

NEIGHBOURS = Path(__file__).with_name("neighbours")
# What other cogs ask for today; each is too new for what Red pins.
_REQUIREMENTS = ["pydantic==2.14.*", "anyio==4.16.*", "httpx"]
# Before that, discord.py may not have noted which message its buttons are under.
_READING = 0.3
# It answers; the SDK could not be installed; it can't be asked.
_VERDICTS = ("Done:", "by hand", "can't be used now")


class NoRegistryError(Exception):
    """Pip reaches no registry that has what is needed."""


@dataclass(frozen=True)
class Cell:
    """One combination of backend, content of Red's `lib`, and when another cog imports."""

    backend: str
    lib: str
    other: str

    def __str__(self) -> str:
        return f"{self.backend}-{self.lib}-{self.other}"


@dataclass
class CellLife:
    """What was seen of a cell: each mention's answers, and whose packages each start had."""

    answers: list[list[str]] = field(default_factory=list)
    whose: list[dict[str, str]] = field(default_factory=list)
    offered: bool = False
    has_sdk: bool = False


class Land:
    """What all cells share: two Letta servers, pip's downloads and a repository."""

    def __init__(self, home: Path, server: AppServer, rest: LettaRest) -> None:
        self.home = home
        self.server = server
        self.rest = rest
        self.lib = home / "lib"
        self.sdk = home / "sdk"
        self.repository = home / "repository"
        self.agents = {"rest": rest.create_agent("matrix agent")}
        self.sdk_tried = asyncio.Event()

    async def prepare(self) -> None:
        """Fill what the cells copy from, and make the other agent."""
        _, _, self.agents["ws"] = await asyncio.gather(
            asyncio.to_thread(_fill, self.lib),
            asyncio.to_thread(publish, self.repository),
            self.server.create_agent("matrix agent"),
        )

    def address(self, cell: Cell) -> tuple[str, str | None]:
        """Return the URL and the token of a cell's server."""
        server = self.rest if cell.backend == "rest" else self.server
        return server.url, server.token


@asynccontextmanager
async def new_land(home: Path, server: AppServer) -> AsyncIterator[Land]:
    """Start what the cells share, with a model of their own."""
    async with AsyncExitStack() as stack:
        llm = ScriptedLLM()
        await llm.start()
        stack.push_async_callback(llm.stop)
        rest = LettaRest(llm.provider)
        await rest.start()
        stack.push_async_callback(rest.stop)
        await server.use_provider(llm.url, llm.key, llm.model)
        yield Land(home, server, rest)
        assert rest.crashes == []


async def live(land: Land, cells: Sequence[Cell]) -> dict[Cell, CellLife | BaseException]:
    """Live through cells at once; what goes wrong in one is its result and harms no other."""
    await land.prepare()
    # The first one installs the SDK by the button, and the others wait for their copy.
    installer = next((cell for cell in cells if cell.backend == "rest"), None)

    async def one(cell: Cell) -> CellLife:
        try:
            return await _Living(land, cell, installs=cell == installer).lead()
        finally:
            if cell == installer:
                land.sdk_tried.set()

    found = await asyncio.gather(*map(one, cells), return_exceptions=True)
    return dict(zip(cells, found, strict=True))


class _Living:
    """One cell, while it is lived through."""

    red: Binary

    def __init__(self, land: Land, cell: Cell, *, installs: bool) -> None:
        self._land = land
        self._cell = cell
        self._installs = installs
        self._home = land.home / str(cell)
        self._data = self._home / "instance" / "cogs"
        self._lib = self._data / "Downloader" / "lib"
        self._sdk = self._data / "Aurora" / "sdk"
        self._mentions: list[Message] = []
        self._life = CellLife()

    async def lead(self) -> CellLife:
        """Set everything up in the first start, and do nothing but ask in the second."""
        self._home.mkdir()
        variables = {}
        if self._cell.other != "fails":
            theirs = self._lib if self._cell.lib == "full" else self._land.lib
            variables["NEIGHBOUR_FOLDER"] = str(theirs)
        async with new_binary(self._home, **variables) as self.red:
            async with self.red.running():
                await self._begin()
                await self._look()
            async with self.red.running():
                await self._ask("again")
                await self._look()
            said = self.red.said()
        self._life.has_sdk = self._sdk.exists()
        self._life.answers = [
            [one.content for one in said if one.reference == mention.id]
            for mention in self._mentions
        ]
        return self._life

    async def _begin(self) -> None:
        if self._cell.lib == "full":
            # Not before the start: in its first one Red empties the folder.
            await _copy(self._land.lib, self._lib)
        await self.red.install(self._land.repository)
        await self.red.say(f"!addpath {NEIGHBOURS}", until="added")
        if self._cell.other != "later":
            await self.red.say("!load neighbour", until="Loaded")
        await self.red.say("!load aurora", until="Loaded")
        if self._cell.backend == "rest" and not self._installs:
            await self._land.sdk_tried.wait()
            if self._land.sdk.exists():
                await _copy(self._land.sdk, self._sdk)
        await self._connect()
        await self._ask("first")
        if self._cell.other == "later":
            await self.red.say("!load neighbour", until="Loaded")
            await self._ask("second")

    async def _connect(self) -> None:
        url, token = self._land.address(self._cell)
        await self.red.say(f"!set api letta token,{token}", until="letta")
        said = await self.red.heard(f"!aurora lettaurl {url}", "Install now?", *_VERDICTS)
        if "Install now?" in said.content:
            self._life.offered = True
            await asyncio.sleep(_READING)
            self.red.press(said, "Yes")
            said = await self.red.next(said, *_VERDICTS)
            if "No matching distribution" in said.content:
                raise NoRegistryError(said.content)
        assert "Done:" in said.content, said.content
        if self._installs:
            await _copy(self._sdk, self._land.sdk)
            self._land.sdk_tried.set()
        agent = self._land.agents[self._cell.backend]
        await self.red.say(f"!aurora enable {agent}", until="matrix agent")

    async def _ask(self, text: str) -> None:
        mention = self.red.write(f"{self.red.mention} [[send:{text}]]")
        self._mentions.append(mention)
        await self.red.next(mention, text)

    async def _look(self) -> None:
        """Ask the other cog whose packages are loaded."""
        said = json.loads(await self.red.say("!whence", until="whence"))
        self._life.whose.append({name: self._owner(file) for name, file in said["whence"].items()})

    def _owner(self, file: str) -> str:
        owners = {
            self._sdk: "Aurora's SDK",
            self._data / "CogManager": "Downloader's cogs",
            self._lib: "the other cog",
            self._land.lib: "the other cog",
            Path(sysconfig.get_path("purelib")): "Red",
        }
        return next((who for where, who in owners.items() if where in Path(file).parents), file)


async def _copy(old: Path, new: Path) -> None:
    """Copy a folder of packages, which nobody writes into, by hard links."""
    link = partial(shutil.copytree, copy_function=os.link, dirs_exist_ok=True)
    await asyncio.to_thread(link, old, new)


def _fill(lib: Path) -> None:
    """Install other cogs' requirements into a folder, with the command that Red uses."""
    pip = [sys.executable, "-m", "pip", "install", "-q", "-U", "-t", str(lib), *_REQUIREMENTS]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)  # noqa: S603 - Red's own command
    if done.returncode and "No matching distribution" in done.stderr:
        raise NoRegistryError(done.stderr[-300:])
    assert done.returncode == 0, done.stderr
