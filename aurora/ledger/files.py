"""The files of a ledger: which they are, who may read them, and how they are moved safely."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from ..clock import Clock

BESIDE = ("", "-wal", "-shm", "-journal")
"""How the names of a ledger's files end: its own, and those that SQLite keeps beside it."""

Mark = tuple[int, int]
"""What a file is by, whatever its name: its device and its number there."""


def mark(name: str) -> Mark | None:
    """Return what stands under a name, None if nothing does. Raises OSError."""
    try:
        found = os.stat(name)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def marks(path: Path) -> dict[str, Mark | None]:
    """Return what stands under each of a ledger's names. Raises OSError."""
    return {suffix: mark(f"{path}{suffix}") for suffix in BESIDE}


def make_folder(path: Path) -> None:
    """Make the folder of a ledger if it is not there, and keep it to the bot's account."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _keep(path.parent, 0o700)


def keep_private(path: Path) -> None:
    """Let nobody else read a ledger, what is beside it, and what was set aside."""
    make_folder(path)
    for one in path.parent.glob(f"{path.name}*"):
        _keep(one, 0o600)


def keep_file_private(path: Path) -> None:
    """Let nobody else read a file; those that SQLite makes beside it follow it."""
    _keep(path, 0o600)


def _keep(path: Path, mode: int) -> None:
    # Some disks know no rights, and some files are somebody else's: that stops no ledger.
    with contextlib.suppress(OSError):
        if path.stat().st_mode & 0o077:
            path.chmod(mode)


def put_aside(path: Path, clock: Clock, why: str, suffixes: Collection[str] = BESIDE) -> str:
    """Rename the file and what stands beside it to a name that is free; return the name."""
    stamp = datetime.fromtimestamp(clock.time(), UTC).strftime("%Y%m%dT%H%M%SZ")
    wanted = target = f"{path}.{why}-{stamp}"
    number = 1
    while any(os.path.lexists(f"{target}{suffix}") for suffix in BESIDE):
        number += 1
        target = f"{wanted}-{number}"
    moved = [one for one in suffixes if os.path.lexists(f"{path}{one}")]
    for suffix in moved:
        Path(f"{path}{suffix}").rename(f"{target}{suffix}")
    return f"{target}{moved[0]}" if moved else target


def copy_of(path: Path) -> Path:
    """Return where a ledger is written anew before it is put in its place."""
    return Path(f"{path}.new")


def put_in_place(path: Path) -> None:
    """Let the new copy be the ledger, and what stood there be gone, even if the power fails."""
    new = copy_of(path)
    _sync(new)
    for suffix in BESIDE[1:]:
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    # A log that came back with the power would be taken for the new file's.
    _sync(path.parent)
    new.replace(path)
    _sync(path.parent)


def finish_copy(path: Path) -> None:
    """Put a copy in the empty place that a crash left it beside."""
    new = copy_of(path)
    if new.exists():
        put_in_place(path)


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders
    opened = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
