"""Each way to end meets each trouble at each of its points, before both kinds of server."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from tests.support.stories import BACKENDS, SHARED, TALES, WHATS, befall

_TOGETHER = 3
"""How many messages run together."""


@dataclass(frozen=True)
class FaultsReport:
    """How many stories were told, and which of them had no end, or a wrong one."""

    stories: int
    violations: list[str]


async def run_faults(*, folder: Path) -> FaultsReport:  # noqa: ARG001  # as all runs are called
    """Tell every story that `tests/runs/test_worker_faults.py` tells some of."""
    # What befalls a story is logged in thousands of tracebacks.
    logging.getLogger("red.aurora").setLevel(logging.CRITICAL)
    alone = [(*one, 1) for one in product(TALES, WHATS, BACKENDS)]
    together = [(*one, _TOGETHER) for one in product(SHARED, WHATS, BACKENDS)]
    stories, violations = 0, []
    for tale, what, kind, count in (*alone, *together):
        try:
            stories += await befall(TALES[tale], what, kind, count)
        except Exception as error:
            where = f"{tale}, {what}, {kind.__name__}, {count} at once"
            violations.append(f"{where}: {type(error).__name__}: {error}")
    return FaultsReport(stories, violations)
