"""A crowd for a real Red: Discord, its people and the agents, in another process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sandbox.red import LocalRed

from .machine import real_disk
from .schedule import Arrivals

if TYPE_CHECKING:
    from doubles.local_discord import LocalDiscord

ROOT = Path(__file__).parents[1]
_LINE_LIMIT = 64 * 2**20


@dataclass(frozen=True, slots=True)
class _Gateway:
    url: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where a local Discord in another process is; all that booting a Red needs of it."""

    url: str
    token: str
    gateway: _Gateway


class Crowd:
    """The process in which Discord, its people and the agents live."""

    def __init__(self, process: asyncio.subprocess.Process, hello: Mapping[str, Any]) -> None:
        self._process = process
        self.address = Address(hello["discord"], hello["token"], _Gateway(hello["gateway"]))
        self.owner = int(hello["owner"])
        self.letta_url = str(hello["letta"])
        self.letta_token = str(hello["letta_token"])
        self.agents = {int(guild_id): str(agent) for guild_id, agent in hello["guilds"].items()}

    async def load(
        self,
        count: int,
        rate: float,
        *,
        replies: bool = False,
        arrivals: Arrivals = Arrivals.EVEN,
    ) -> dict[str, Any]:
        """Have people mention the bot, and return what became of it; raises as `_order`."""
        order = {"count": count, "rate": rate, "replies": replies, "arrivals": arrivals}
        return await self._order(order)

    async def settle(self, seconds: float) -> None:
        """Wait for second answers to the last load; raises as `_order`."""
        await self._order({"seconds": seconds})

    async def _order(self, order: dict[str, Any]) -> dict[str, Any]:
        """Have something done; raise SystemExit if a mention was lost, doubled or overtaken."""
        assert self._process.stdin is not None  # noqa: S101 - it was started with one
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        answer = await _line(self._process)
        if "error" in answer:
            raise SystemExit(f"The measurement is void: {answer['error']}.")
        return answer


@asynccontextmanager
async def crowd(guilds: int, channels: int) -> AsyncIterator[Crowd]:
    """Start the process of the outside world."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.outside", str(guilds), str(channels),
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        limit=_LINE_LIMIT,
    )  # fmt: skip
    try:
        yield Crowd(process, await _line(process))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None  # noqa: S101 - it was started with one
    line = await process.stdout.readline()
    if not line:
        raise SystemExit("The process of the local Discord died; its words are above.")
    answer: dict[str, Any] = json.loads(line)
    return answer


@asynccontextmanager
async def red(people: Crowd, *cogs: str) -> AsyncIterator[LocalRed]:
    """Boot a Red against the crowd's Discord, on a new instance."""
    with tempfile.TemporaryDirectory(prefix="aurora-bench-", dir=real_disk()) as home:
        one = await LocalRed.boot(
            Path(home),
            # Booting reads nothing but the addresses and the token.
            discord=cast("LocalDiscord", people.address),
            cogs=cogs,
            cog_paths=(ROOT,),
            owner=people.owner,
        )
        try:
            yield one
        finally:
            await one.close()
