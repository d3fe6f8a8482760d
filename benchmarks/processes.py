"""Processes that take one measurement each, and have done nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from .figures import Figure

ROOT = Path(__file__).parents[1]


class MeasurementError(Exception):
    """A measurement failed; it has said why on standard error."""


async def run_group(name: str, *options: str, tree: Path = ROOT) -> list[Figure]:
    """Take a group of figures with the sources of a tree.

    Raises:
        MeasurementError: The measurement is void.

    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __package__, "--here", name, *options,
        cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    if process.returncode:
        raise MeasurementError(name)
    return [Figure(**json.loads(line)) for line in output.splitlines()]


def load() -> float:
    """Return the machine's load average of the last minute."""
    return os.getloadavg()[0]
