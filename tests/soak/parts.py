"""The parts of the soak in which one Aurora works on under trouble, and how each is run."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .check import content_in, read_ledger
from .disk import disk_at
from .drill import SIZE, Drill
from .judge import judge
from .life import LEDGER
from .storm import Weather, brew
from .town import open_town
from .troubles import (
    fill_disk,
    renew_sessions,
    restart_server,
    set_clock,
    start_second,
)

_AROUND_SECONDS = 3.0
_MOST_LINES = 40
KILLED_ENDS = ("answered", "failed (crashed)")
"""How an event ends in whose run a process is killed: after a first word it is not tried again."""
# Who was accepted under a wrong clock, and is found under a right one, has waited too long as far
# as anybody can tell; and who is killed again and again is not tried for ever.
_STORMY_ENDS = (*KILLED_ENDS, "expired", "failed (poison)")


@dataclass(frozen=True, slots=True)
class Part:
    """What is done to Aurora while `per_second` questions a second are asked.

    `disk` is whether its disk can be full, `clock_kept` whether its clock is left alone. With
    what one of `ends` begins, so may the end of an event.
    """

    trouble: Callable[[Drill], Awaitable[None]]
    per_second: float = 20.0
    disk: bool = False
    clock_kept: bool = True
    ends: Sequence[str] = ("answered",)


@dataclass(slots=True)
class PartReport:
    """What came of a part; it is good if nothing stands in `violations`."""

    seed: int
    seconds: float
    sent: int
    accepted: int
    ends: dict[str, int]
    rerun: int
    missed: int
    turned_away: int
    turns: int
    longest_gap: float
    violations: list[str]


def storm(weather: Weather) -> Part:
    """Return the part with all troubles at once, in some weather."""
    trouble = partial(brew, weather=weather)
    return Part(trouble, disk=True, clock_kept=False, ends=_STORMY_ENDS)


PARTS = {
    "clock": Part(set_clock, clock_kept=False),
    "outage": Part(restart_server),
    "guilds": Part(renew_sessions),
    "disk": Part(fill_disk, disk=True),
    "second": Part(start_second, ends=KILLED_ENDS),
    "storm": storm(Weather()),
}


async def run_part(part: Part, seed: int, *, folder: Path) -> PartReport:
    """Run a part and judge it; Aurora's data are in `folder`, which is empty."""
    rng, begun = random.Random(seed), time.monotonic()  # noqa: S311 - it makes up people
    with disk_at(folder) if part.disk else nullcontext() as disk:
        async with open_town(rng, SIZE) as town:
            drill = Drill(town, town.home(folder), rng, disk)
            await _run(part, drill)
        ledger = await read_ledger(folder / LEDGER, town.asked)
        leaks = content_in(folder)
    verdict = judge(drill, ledger, clock_kept=part.clock_kept, ends=part.ends)
    lines = [*verdict.violations, *leaks]
    more = [f"… and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
    return PartReport(
        seed=seed,
        seconds=round(time.monotonic() - begun, 1),
        sent=len(town.asked),
        accepted=verdict.findings.accepted,
        ends=verdict.findings.ends,
        rerun=verdict.findings.rerun,
        missed=len(verdict.findings.missed),
        turned_away=verdict.turned_away,
        turns=len(drill.turns),
        longest_gap=verdict.longest_gap,
        violations=lines[:_MOST_LINES] + more,
    )


async def _run(part: Part, drill: Drill) -> None:
    try:
        await drill.begin()
        async with drill.talking(part.per_second):
            await asyncio.sleep(_AROUND_SECONDS)
            await part.trouble(drill)
            await asyncio.sleep(_AROUND_SECONDS)
        await drill.drain()
    finally:
        await drill.end()
