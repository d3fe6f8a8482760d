"""Parse what strangers made, and draw, in a process of its own, killed if it takes too much."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ..installing import PinnedFolder
from ..reasons import AuroraError

SECONDS = 1.8
"""How long a child may live: with its start and its end that is two seconds."""
MEGABYTES = 256
AT_ONCE = 2
"""How many children there are at a time."""

PINS = Path(__file__).with_name("files.txt")

_SCRIPT = Path(__file__).with_name("child_work.py")
_PACKAGES = {"picture": "PIL", "pdf": "pypdf", "chart": "PIL"}
_CHUNK = 64 * 1024
_HEAD_BYTES = 1000


def libraries(folder: Path) -> PinnedFolder:
    """Return where the libraries that open files are installed, in Aurora's data folder."""
    return PinnedFolder(folder / "files", PINS, ("PIL.Image", "pypdf"))


class NoLibrary(AuroraError):  # noqa: N818 - named for what there is not
    """The library that a file takes is not installed."""


class ChildFailed(AuroraError):  # noqa: N818 - named for what happened
    """A child did not bring anything: its file is damaged, or takes too much."""


class Brought(NamedTuple):
    """What a child brought: facts, and bytes."""

    facts: Mapping[str, Any]
    data: bytes


class Children:
    """Starts children, a few at a time; `folder` is where their libraries may be installed."""

    def __init__(
        self, folder: Path | None = None, seconds: float = SECONDS, megabytes: int = MEGABYTES
    ) -> None:
        self._folder = folder
        self._seconds = seconds
        self._megabytes = megabytes
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def work(
        self, what: Literal["picture", "pdf", "chart"], data: bytes, *, most: int, **limits: Any
    ) -> Brought:
        """Have a file parsed, or drawn; raise NoLibrary or ChildFailed.

        Args:
            what: "picture" makes one that models take, "pdf" reads the text, "chart" draws bars.
            data: the file, or what is to be drawn.
            most: the most bytes to be brought.
            limits: what the child is told, as `child_work.py` has it.

        """
        library = await asyncio.to_thread(self._find, _PACKAGES[what])
        if library is None:
            raise NoLibrary(f"{_PACKAGES[what]} is not installed")
        order = {"what": what, "library": str(library), "megabytes": self._megabytes, **limits}
        async with self._turns:
            answer = await self._run(json.dumps(order), data, most + _HEAD_BYTES)
        head, _, rest = answer.partition(b"\n")
        try:
            facts = json.loads(head)
        except ValueError:
            facts = None
        if not isinstance(facts, dict):
            raise ChildFailed("it is damaged, or takes too much to be opened")
        return Brought(facts, rest)

    def _find(self, package: str) -> Path | None:
        """Return the folder that a package lies in: Aurora's own, or wherever Python finds it."""
        if self._folder is not None and (self._folder / package).is_dir():
            return self._folder
        try:
            found = importlib.util.find_spec(package)
        except (ImportError, ValueError):
            return None
        return Path(found.origin).parent.parent if found and found.origin else None

    async def _run(self, order: str, data: bytes, most: int) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-B", str(_SCRIPT), order),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
        try:
            async with asyncio.timeout(self._seconds):
                return await _talk(process, data, most)
        except TimeoutError:
            raise ChildFailed("it takes too long to be opened") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _talk(process: asyncio.subprocess.Process, data: bytes, most: int) -> bytes:
    """Give a child its file, and read what it says, as far as that is allowed."""
    giving = asyncio.create_task(_give(process, data))
    try:
        said = bytearray()
        while process.stdout is not None and (piece := await process.stdout.read(_CHUNK)):
            said += piece
            if len(said) > most:
                raise ChildFailed("more comes of it than can be shown")
        return bytes(said)
    finally:
        giving.cancel()
        await asyncio.wait({giving})


async def _give(process: asyncio.subprocess.Process, data: bytes) -> None:
    # A child that is dead reads no more.
    with contextlib.suppress(OSError):
        if process.stdin is not None:
            process.stdin.write(data)
            await process.stdin.drain()
            process.stdin.close()
