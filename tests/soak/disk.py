"""A disk that is full while it has to be: a small file system, or a limit on the process."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

_MEGABYTES = 256
_BLOCK = 1 << 16
_AGAIN_SECONDS = 0.05
_LIMIT = 4096


class Disk(ABC):
    """The disk that Aurora's data are on."""

    @asynccontextmanager
    async def full(self, pid: int) -> AsyncIterator[None]:
        """Let there be no room while inside, for a process above all."""

        async def keep_full() -> None:
            # Whoever deletes something makes room, and others take it.
            while True:
                self._fill(pid)
                await asyncio.sleep(_AGAIN_SECONDS)

        self._fill(pid)
        keeping = asyncio.create_task(keep_full(), name="full disk")
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})
            self._free(pid)

    @abstractmethod
    def _fill(self, pid: int) -> None: ...

    @abstractmethod
    def _free(self, pid: int) -> None: ...


class _SmallDisk(Disk):
    """A file system in memory, mounted for this, in which a file takes all the room."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def _fill(self, _pid: int) -> None:
        file = os.open(self._ballast, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        with suppress(OSError):
            while True:
                os.write(file, bytes(_BLOCK))
        os.close(file)

    def _free(self, _pid: int) -> None:
        self._ballast.unlink()


class _Limit(Disk):
    """No file of the process may grow: what can be had without being root."""

    def _fill(self, pid: int) -> None:
        self._set(pid, _LIMIT)

    def _free(self, pid: int) -> None:
        self._set(pid, resource.RLIM_INFINITY)

    def _set(self, pid: int, size: int) -> None:
        # A process that has died meanwhile has no files.
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def disk_at(folder: Path) -> Iterator[Disk]:
    """Return the disk that a folder is on: one of its own, where that can be mounted."""
    options = f"size={_MEGABYTES}m"
    mount = ["mount", "-t", "tmpfs", "-o", options, "aurora-soak", str(folder)]
    try:
        mounted = not subprocess.run(mount, check=False, capture_output=True).returncode  # noqa: S603 - our folder
    except FileNotFoundError:
        mounted = False
    if not mounted:
        yield _Limit()
        return
    try:
        yield _SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603, S607 - what was mounted
