"""What real servers were sent and answered: `app_server` and `rest`, one file per scenario."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

Server = Literal["app_server", "rest"]

_HOME = Path(__file__).parent


def load(server: Server, name: str) -> dict[str, Any]:
    """Read one recording.

    Args:
        server: which kind of server was recorded.
        name: the scenario.

    Raises:
        FileNotFoundError: nobody has recorded it.

    """
    text = (_HOME / server / f"{name}.json").read_text(encoding="utf-8")
    recording: dict[str, Any] = json.loads(text)
    return recording


def names(server: Server) -> list[str]:
    """Return the scenarios that were recorded, sorted."""
    return sorted(path.stem for path in (_HOME / server).glob("*.json"))
