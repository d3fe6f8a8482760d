"""A folder of Aurora's own that pip fills with one resolution of pins, and that nobody else uses.

Red's Downloader can't install such a thing: it resolves against nothing, and what it installs then
fails beside the versions that Red pins.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import hashlib
import logging
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from .reasons import ExplainedError
from .words import Phrase
from .words import installing as w

_log = logging.getLogger("red.aurora.installing")

_VERIFY = (
    "import importlib, sys\n"
    "folder = sys.argv[1]\n"
    "sys.path.insert(0, folder)\n"
    "for name in sys.argv[2:]:\n"
    "    module = importlib.import_module(name)\n"
    "    assert module.__file__.startswith(folder), name + ' is not in the folder'\n"
)
_LINES_SHOWN = 8


class FolderState(StrEnum):
    """Whether the folder can be used."""

    MISSING = "missing"
    OUTDATED = "outdated"  # installed, but for other pins or another Python
    BROKEN = "broken"  # files are missing or cut short
    READY = "ready"


STATES = {
    FolderState.MISSING: w.MISSING,
    FolderState.OUTDATED: w.OUTDATED,
    FolderState.BROKEN: w.BROKEN,
}
"""What is said of a folder that can't be used."""


class InstallError(ExplainedError):
    """What is pinned can't be installed or used."""


class PinnedFolder:
    """The folder; each set of pins has a place of its own in it, so none is ever half replaced."""

    def __init__(self, path: Path, pins: Path, needed: Sequence[str]) -> None:
        """Name the folder; nothing is read or written before a method is called.

        Args:
            path: a folder that belongs to this class alone.
            pins: a requirements file with exact versions of everything.
            needed: the modules that must be there for it to work.

        """
        self._path = path
        self._pins = pins
        self._needed = needed
        self._installing = asyncio.Lock()

    @property
    def place(self) -> Path:
        """Return where it is for today's pins and this Python, or would be."""
        version = "{}.{}".format(*sys.version_info)
        key = f"{version} {sys.platform} {sorted(self._wanted())}"
        return self._path / f"{version}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"

    @property
    def packages(self) -> int:
        """Count what `install` installs."""
        return len(self._wanted())

    def state(self) -> FolderState:
        """Look at the folder: every file that pip recorded must be there, in its full size."""
        place = self.place
        if not place.is_dir():
            others = self._path.is_dir() and any(self._path.iterdir())
            return FolderState.OUTDATED if others else FolderState.MISSING
        whole = all(_whole(place, name, version) for name, version in self._wanted())
        return FolderState.READY if whole else FolderState.BROKEN

    def command(self, python: str = sys.executable) -> str:
        """Return the one command that does by hand what `install` does."""
        return shlex.join(self._pip(python, self.place))

    async def install(self, python: str = sys.executable, *, timeout: float = 300.0) -> None:
        """Fill the folder with one pip call, and verify it; raises InstallError.

        What was there before is removed only when the new one was seen to work.

        Args:
            python: the interpreter that runs the bot.
            timeout: seconds for pip.

        """
        async with self._installing:
            place, fresh = self.place, self._path / ".new"
            try:
                await asyncio.to_thread(_clear, fresh)
                await self._run(python, self._pip(python, fresh), timeout, w.PIP_FAILED)
                await self._verify(python, fresh, timeout)
                await asyncio.to_thread(self._move_in, fresh, place)
            except OSError as error:
                raise InstallError(w.NOT_WRITTEN(folder=self._path, error=error)) from None
            finally:
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(_clear, fresh)
        _log.info("Installed what %s lists.", self._pins.name)

    def _wanted(self) -> list[tuple[str, str]]:
        lines = (line.strip() for line in self._pins.read_text(encoding="utf-8").splitlines())
        pins = (line.partition("==") for line in lines if line and not line.startswith("#"))
        return [(name.strip(), version.strip()) for name, _, version in pins]

    def _pip(self, python: str, target: Path) -> list[str]:
        # The pins are all there is, and nothing in them may run code while it is installed.
        options = "--no-deps --only-binary=:all: --no-input --disable-pip-version-check"
        where = ["--target", str(target), "--requirement", str(self._pins)]
        return [python, "-m", "pip", "install", *options.split(), *where]

    async def _verify(self, python: str, place: Path, timeout: float) -> None:
        """Import everything in a process of its own, beside the packages that Red brings."""
        command = [python, "-P", "-c", _VERIFY, str(place), *self._needed]
        await self._run(python, command, timeout, w.NOT_WORKING)

    async def _run(
        self, python: str, command: Sequence[str], timeout: float, trouble: Phrase
    ) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        except OSError as error:
            raise InstallError(w.NOT_STARTED(python=python, error=error)) from None
        try:
            async with asyncio.timeout(timeout):
                output, _ = await process.communicate()
        except TimeoutError:
            late = w.NO_END(trouble=trouble, seconds=f"{timeout:g}")
            raise InstallError(self._advice(python, late, "")) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise InstallError(self._advice(python, trouble, output.decode(errors="replace")))

    def _advice(self, python: str, trouble: Phrase, output: str) -> Phrase:
        lines = [f"{line}\n" for line in output.splitlines() if line.strip()][-_LINES_SHOWN:]
        return w.ADVICE(trouble=trouble, output="".join(lines), command=self.command(python))

    def _move_in(self, fresh: Path, place: Path) -> None:
        _clear(place)
        fresh.rename(place)
        for other in self._path.iterdir():
            if other != place:
                # Windows keeps the files of a version that is in use; they go next time.
                with contextlib.suppress(OSError):
                    _clear(other)


def _clear(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _whole(place: Path, name: str, version: str) -> bool:
    """Tell whether a package is there as pip's own record lists it."""
    record = place / f"{re.sub(r'[-_.]+', '_', name)}-{version}.dist-info" / "RECORD"
    try:
        with record.open(encoding="utf-8", newline="") as lines:
            return all(
                (place / path).stat().st_size == int(size)
                for path, _, size in csv.reader(lines)
                if size and not path.startswith("..")
            )
    except (OSError, ValueError):
        return False
