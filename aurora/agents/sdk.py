"""The SDK of Letta's REST API: a folder of Aurora's own, which only this backend uses.

It holds one resolution, listed in `sdk.txt`.
"""

from __future__ import annotations

import importlib
import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from ..installing import STATES, FolderState, InstallError, PinnedFolder
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
_LOCK = threading.Lock()


class SdkFolder(PinnedFolder):
    """The folder of the SDK."""

    def __init__(self, path: Path, pins: Path = PINS) -> None:
        """Name the folder; nothing is read or written before a method is called."""
        super().__init__(path, pins, [name for _, needed in _GROUPS for name in needed])

    def activate(self) -> ModuleType:
        """Import the SDK from the folder and return it; raises InstallError. Slow: use a thread.

        The folder goes to the front of `sys.path`, so that neither Red's shared `lib` nor what
        somebody put beside Red comes first. Other cogs may have imported packages of the same
        name before: those that work are used as they are, those that can't work beside Red's
        pins are replaced. A package is never replaced by another version while it works.
        """
        state = self.state()
        if state is not FolderState.READY:
            raise InstallError(w.NOT_READY(state=STATES[state], command=self.command()))
        # Modules outlive a link to them, and read what lies beside them later.
        place = str(self.place.resolve())
        with _LOCK:
            if place not in sys.path:
                sys.path.insert(0, place)
            importlib.invalidate_caches()
            for packages, needed in _GROUPS:
                _import_group(packages, needed)
            return sys.modules["letta_client"]


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
            raise InstallError(w.NOT_IMPORTED(error=f"{type(still).__name__}: {still}")) from still


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
