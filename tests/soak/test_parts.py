"""Each part of the soak in short: a real Aurora, a town that asks without a pause, one trouble.

`make soak` has them at length. What is cut here shows less: an outage too short to open breakers
for long, one new session, one full disk, a storm of seconds.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from .parts import KILLED_ENDS, Part, PartReport, run_part, storm
from .storm import Weather
from .troubles import (
    DAY,
    HOUR,
    fill_disk,
    renew_sessions,
    restart_server,
    set_clock,
    start_second,
)

_PER_SECOND = 10.0


async def soaked(part: Part, folder: Path) -> PartReport:
    """Run a part, and see that nothing was lost, doubled or overtaken, and all went on soon."""
    report = await run_part(part, 3, folder=folder)
    assert not report.violations, "\n".join(report.violations)
    assert report.accepted > 50
    return report


async def test_a_clock_that_is_set_stops_nothing(tmp_path: Path) -> None:
    """An hour back, a day forth: turns begin as before, and nobody has waited too long."""
    trouble = partial(set_clock, jumps=(-HOUR, DAY), apart=2.0)
    await soaked(Part(trouble, _PER_SECOND, clock_kept=False), tmp_path)


async def test_a_server_that_restarts_is_used_again_at_once_and_nobody_is_told(
    tmp_path: Path,
) -> None:
    """Four seconds are a restart: no breaker stays open for a minute, and no notice goes out."""
    await soaked(Part(partial(restart_server, outages=(4.0,)), _PER_SECOND), tmp_path)


async def test_guilds_that_come_late_in_a_new_session_lose_nothing(tmp_path: Path) -> None:
    """What was asked in them meanwhile is read afterwards, before what is asked then."""
    await soaked(Part(partial(renew_sessions, times=1, latest=2.0), _PER_SECOND), tmp_path)


async def test_a_full_disk_is_told_once_and_so_is_its_end(tmp_path: Path) -> None:
    """Who can't be served sees it at the message, and the owner knows why."""
    trouble = partial(fill_disk, times=1, seconds=3.0)
    report = await soaked(Part(trouble, _PER_SECOND, disk=True), tmp_path)
    assert report.turned_away > 0


async def test_a_second_process_keeps_silent_and_takes_over(tmp_path: Path) -> None:
    """It marks nothing that the first one answers, and serves when that is gone."""
    trouble = partial(start_second, seconds=2.0)
    await soaked(Part(trouble, _PER_SECOND, ends=KILLED_ENDS), tmp_path)


async def test_a_storm_of_all_troubles_drains_to_zero(tmp_path: Path) -> None:
    """Ten seconds of what `make soak` has for ten minutes."""
    weather = Weather(10.0, rest=(0.5, 2.0), outages=(1.5,), latest=1.0, full=1.5, beside=1.0)
    await soaked(storm(weather), tmp_path)
