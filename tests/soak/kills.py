"""The kill -9 loop: a real Aurora under load that is killed over and over, and then judged."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .check import (
    Findings,
    check,
    content_in,
    read_ledger,
)
from .diary import Diary
from .killing import Moment, kill
from .life import LEDGER, Home, Life
from .town import (
    Size,
    SoakTown,
    chatter,
    open_town,
)

_QUIET_SECONDS = 3.5  # longer than the longest pause before a third attempt
_DRAIN_SECONDS = 120.0


@dataclass(slots=True)
class KillReport:
    """What came of a run of the loop; it is good if nothing stands in `violations`."""

    cycles: int
    seed: int
    seconds: float
    moments: dict[str, int]
    sent: int
    accepted: int
    ends: dict[str, int]
    rerun: int
    poison: int
    missed: list[str]
    violations: list[str]


async def run_kills(
    cycles: int, seed: int, *, folder: Path, per_second: float = 12.0
) -> KillReport:
    """Kill Aurora so often, under a load of so many messages a second, and judge what is left.

    Its data are in `folder`, which is empty.
    """
    rng, begun = random.Random(seed), time.monotonic()  # noqa: S311 - it decides about kills
    moments = [rng.choice(list(Moment)) for _ in range(cycles)]
    async with open_town(rng, Size()) as town:
        found, leaks = await _torment(town, folder, moments, rng, per_second)
    return KillReport(
        cycles=cycles,
        seed=seed,
        seconds=round(time.monotonic() - begun, 1),
        moments=dict(Counter(moments)),
        sent=len(town.asked),
        accepted=found.accepted,
        ends=found.ends,
        rerun=found.rerun,
        poison=found.poison,
        missed=found.missed,
        violations=found.violations + leaks,
    )


async def _torment(
    town: SoakTown, data: Path, moments: list[Moment], rng: random.Random, per_second: float
) -> tuple[Findings, list[str]]:
    home, diary = town.home(data), Diary()
    async with Life(home, await town.wishes(), heard=diary.hear) as first:
        await first.listens()
        first.ask_to_stop()
        await first.gone()
    diary.close()
    talking = asyncio.create_task(chatter(town, rng, per_second))
    try:
        for moment in moments:
            async with Life(home, heard=diary.hear) as life:
                await kill(life, moment, town, rng)
            _bury(town, diary)
    finally:
        talking.cancel()
    await _drain(town, home, diary)
    leaks = content_in(data)
    ledger = await read_ledger(data / LEDGER, town.asked)
    owed = {one.message.id for one in town.asked if diary.owes(one.at)}
    accepted, pace = diary.accepted, town.size.pace
    found = check(town.discord, town.asked, ledger, told=accepted, owed=owed, pace=pace)
    return found, leaks


async def _drain(town: SoakTown, home: Home, diary: Diary) -> None:
    """Let a last life bring everything to its end, and kill that too."""
    limit = time.monotonic() + _DRAIN_SECONDS
    async with Life(home, heard=diary.hear) as life:
        await life.listens()
        while time.monotonic() < limit and not life.over.is_set():
            if time.monotonic() - max(diary.heard_at, town.asked[-1].at) > _QUIET_SECONDS:
                break
            await asyncio.sleep(0.1)
    _bury(town, diary)


def _bury(town: SoakTown, diary: Diary) -> None:
    diary.close()
    # Nobody comes back to the session of a process that is gone.
    town.discord.gateway.sessions.clear()
