"""What the suite shows in a short form, at length: the tests that are marked so, all cases."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass

FILES = ("tests/e2e/test_downloader_matrix.py",)
"""The files that have a short form."""
_LAST_LINES = 40


@dataclass(slots=True)
class WholeReport:
    """What came of a file; it is good if nothing stands in `violations`."""

    file: str
    seconds: float
    violations: list[str]


def run_whole(file: str) -> WholeReport:
    """Run a file without anything left out."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "pytest", "--whole", "--tb", "short", file]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - a fixed program, our file
    said = done.stdout.splitlines()[-_LAST_LINES:]
    bad = ["\n".join(said)] if done.returncode else []
    return WholeReport(file, round(time.monotonic() - begun, 1), bad)
