"""The SDK of Letta's REST API: a folder of Aurora's own that pip fills and only this backend uses.

Red's Downloader can't install it: it resolves against nothing, and what it installs then fails
beside the versions that Red pins. So the folder holds one resolution, listed in `sdk.txt`.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import hashlib
import importlib
import logging
import re
import shlex
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from types import ModuleType

from ..reasons import ExplainedError
from ..words import Phrase
from ..words import agents as w

_log = logging.getLogger("red.aurora.agents")

PINS = Path(__file__).with_name("sdk.txt")

# What is imported together, in the order of need. The backend of anyio is what its newer versions
# fail to import on Red, and only when the first request is made.
_GROUPS = (
    (
        ("annotated_types", "typing_inspection", "pydantic_core", "pydantic"),
        ("pydantic", "pydantic.type_adapter"),
    ),
    (
        ("anyio", "sniffio", "h11", "httpcore", "httpx", "certifi", "distro"),
        ("anyio._backends._asyncio", "anyio.streams.tls", "httpx", "certifi", "distro"),
    ),
    (("letta_client",), ("letta_client", "letta_client.resources.agents")),
)
_VERIFY = (
    "import importlib, sys\n"
    "folder = sys.argv[1]\n"
    "sys.path.insert(0, folder)\n"
    "for name in sys.argv[2:]:\n"
    "    module = importlib.import_module(name)\n"
    "    assert module.__file__.startswith(folder), name + ' is not in the folder'\n"
)
_LINES_SHOWN = 8
_LOCK = threading.Lock()


class SdkState(StrEnum):
    """Whether the folder can be used."""

    MISSING = "missing"
    OUTDATED = "outdated"  # installed, but for other pins or another Python
    BROKEN = "broken"  # files are missing or cut short
    READY = "ready"


_STATES = {
    SdkState.MISSING: w.MISSING,
    SdkState.OUTDATED: w.OUTDATED,
    SdkState.BROKEN: w.BROKEN,
}


class SdkError(ExplainedError):
    """The SDK can't be installed or used."""


class SdkFolder:
    """The folder; each set of pins has a place of its own in it, so none is ever half replaced."""

    def __init__(self, path: Path, pins: Path = PINS) -> None:
        """Name the folder; nothing is read or written before a method is called.

        Args:
            path: a folder that belongs to this class alone.
            pins: a requirements file with exact versions of everything.

        """
        self._path = path
        self._pins = pins
        self._installing = asyncio.Lock()

    @property
    def place(self) -> Path:
        """Return where the SDK for today's pins and this Python is, or would be."""
        version = "{}.{}".format(*sys.version_info)
        key = f"{version} {sys.platform} {sorted(self._wanted())}"
        return self._path / f"{version}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"

    @property
    def packages(self) -> int:
        """Count what `install` installs."""
        return len(self._wanted())

    def state(self) -> SdkState:
        """Look at the folder: every file that pip recorded must be there, in its full size."""
        place = self.place
        if not place.is_dir():
            others = self._path.is_dir() and any(self._path.iterdir())
            return SdkState.OUTDATED if others else SdkState.MISSING
        whole = all(_whole(place, name, version) for name, version in self._wanted())
        return SdkState.READY if whole else SdkState.BROKEN

    def command(self, python: str = sys.executable) -> str:
        """Return the one command that does by hand what `install` does."""
        return shlex.join(self._pip(python, self.place))

    async def install(self, python: str = sys.executable, *, timeout: float = 300.0) -> None:
        """Fill the folder with one pip call, and verify it; raises SdkError.

        What was there before is removed only when the new SDK was seen to work.

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
                raise SdkError(w.NOT_WRITTEN(folder=self._path, error=error)) from None
            finally:
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(_clear, fresh)
        _log.info("The SDK of the Letta REST API is installed.")

    def activate(self) -> ModuleType:
        """Import the SDK from the folder and return it; raises SdkError. Slow: use a thread.

        The folder goes to the front of `sys.path`, so that neither Red's shared `lib` nor what
        somebody put beside Red comes first. Other cogs may have imported packages of the same
        name before: those that work are used as they are, those that can't work beside Red's
        pins are replaced. A package is never replaced by another version while it works.
        """
        state = self.state()
        if state is not SdkState.READY:
            raise SdkError(w.NOT_READY(state=_STATES[state], command=self.command()))
        # Modules outlive a link to them, and read what lies beside them later.
        place = str(self.place.resolve())
        with _LOCK:
            if place not in sys.path:
                sys.path.insert(0, place)
            importlib.invalidate_caches()
            for packages, needed in _GROUPS:
                _import_group(packages, needed)
            return sys.modules["letta_client"]

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
        names = [name for _, needed in _GROUPS for name in needed]
        command = [python, "-P", "-c", _VERIFY, str(place), *names]
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
            raise SdkError(w.NOT_STARTED(python=python, error=error)) from None
        try:
            async with asyncio.timeout(timeout):
                output, _ = await process.communicate()
        except TimeoutError:
            late = w.NO_END(trouble=trouble, seconds=f"{timeout:g}")
            raise SdkError(self._advice(python, late, "")) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise SdkError(self._advice(python, trouble, output.decode(errors="replace")))

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


def _import_group(packages: Sequence[str], needed: Sequence[str]) -> None:
    """Import what is needed; if that fails with what is loaded already, load it anew."""
    _forget_orphans(packages)
    try:
        _import(needed)
    except Exception as error:
        _log.info("Loading %s anew: %s.", ", ".join(packages), type(error).__name__)
        for name in list(_loaded(packages)):
            del sys.modules[name]
        try:
            _import(needed)
        except Exception as still:
            raise SdkError(w.NOT_IMPORTED(error=f"{type(still).__name__}: {still}")) from still


def _import(names: Sequence[str]) -> None:
    for name in names:
        importlib.import_module(name)


def _forget_orphans(packages: Sequence[str]) -> None:
    """Drop the parts that a package's failed import left behind; they may be of any version."""
    for name in list(_loaded(packages)):
        if name.partition(".")[0] not in sys.modules:
            del sys.modules[name]


def _loaded(packages: Sequence[str]) -> Iterator[str]:
    return (name for name in sys.modules if name.partition(".")[0] in packages)
