"""The machine: a place on a real disk, how fast that is, and what this process holds of it."""

from __future__ import annotations

import gc
import os
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil

_IN_MEMORY = {"tmpfs", "ramfs"}
_FOLDERS = ("/var/tmp", tempfile.gettempdir())  # noqa: S108 - only as parents of private folders
_TRIES = 200


def real_disk() -> Path:
    """Return a folder for temporary folders that lies on a disk; raise SystemExit if none does.

    What is kept in memory would make durable work look free.
    """
    for folder in map(Path, _FOLDERS):
        if folder.is_dir() and _file_system(folder) not in _IN_MEMORY:
            return folder
    raise SystemExit(
        f"None of {', '.join(_FOLDERS)} is on a disk; set TMPDIR to a folder that is."
    )


def fsync_us() -> float:
    """Return how long the disk takes to keep 4 kB, in microseconds (median)."""
    with tempfile.TemporaryFile(dir=real_disk()) as file:
        times = []
        for _ in range(_TRIES):
            begun = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begun)
    return median(times) * 1e6


def rss() -> int:
    """Return the bytes of memory that this process holds, garbage collected."""
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def _file_system(folder: Path) -> str:
    """Name the file system of a folder: that of the deepest mount above it."""
    resolved = folder.resolve()
    mounts = [
        one for one in psutil.disk_partitions(all=True) if resolved.is_relative_to(one.mountpoint)
    ]
    return max(mounts, key=lambda one: len(one.mountpoint)).fstype if mounts else ""
